public import Tensors

/// A question about a scene and its one right answer.
public struct Question: Sendable, Equatable {
  /// What is asked for.
  public var kind: Kind
  /// The words, such as "what color is the circle?".
  public var text: String
  /// The words of the answer, such as "red".
  public var answer: String

  /// The kinds of question.
  public enum Kind: String, Sendable, CaseIterable {
    /// The colour of a named object.
    case color
    /// The shape of an object named by its colour.
    case shape
    /// Whether something is there.
    case existence
    /// How many there are.
    case count
    /// Small or large.
    case size
    /// Whether one object is left of, right of, above or below another.
    case relation
    /// In which half of the picture an object is.
    case half
    /// An object's box.
    case box
  }
}

extension Scene {
  /// Every question that the scene answers without doubt, in a fixed order.
  ///
  /// Questions that nobody could answer for sure are left out: the colour of the circle when there
  /// are two circles, left or right when two centres are closer than 24 pixels, the half of the
  /// picture when a centre is closer than 16 pixels to the middle line. A crowded scene, in which
  /// names are not unique, has no questions.
  public var questions: [Question] {
    guard Set(objects.map(\.name)).count == objects.count else { return [] }
    return attributeQuestions + existenceQuestions + countQuestions + placeQuestions
  }

  /// One question of every kind that the scene has, for measuring a model: yes and no, and each
  /// number, come up alike often where the scene has them.
  public func examination(from random: inout SplitMix64) -> [Question] {
    let all = questions
    return Question.Kind.allCases.compactMap { kind in
      let candidates = all.filter { $0.kind == kind }
      guard !candidates.isEmpty else { return nil }
      if kind == .box || kind == .half { return random.element(of: candidates) }
      let answer = random.element(of: Array(Set(candidates.map(\.answer))).sorted())
      return random.element(of: candidates.filter { $0.answer == answer })
    }
  }

  private func count(_ condition: (SceneObject) -> Bool) -> Int {
    objects.count(where: condition)
  }

  private var attributeQuestions: [Question] {
    var result: [Question] = []
    func ask(_ kind: Question.Kind, _ text: String, _ answer: String) {
      result.append(Question(kind: kind, text: text, answer: answer))
    }
    for object in objects {
      let shape = object.shape.rawValue
      let color = object.color.rawValue
      let size = object.size.rawValue
      if count({ $0.shape == object.shape }) == 1 {
        ask(.color, "what color is the \(shape)?", color)
        ask(.color, "what is the color of the \(shape)?", color)
        ask(.size, "what size is the \(shape)?", size)
      } else if count({ $0.shape == object.shape && $0.size == object.size }) == 1 {
        ask(.color, "what color is the \(size) \(shape)?", color)
      }
      if count({ $0.color == object.color }) == 1 {
        ask(.shape, "what is the \(color) shape?", shape)
        ask(.size, "what size is the \(color) shape?", size)
      } else if count({ $0.color == object.color && $0.size == object.size }) == 1 {
        ask(.shape, "what is the \(size) \(color) shape?", shape)
      }
      ask(.size, "what size is the \(object.name)?", size)
    }
    if objects.count == 1, let object = objects.first {
      ask(.color, "what color is the shape?", object.color.rawValue)
      ask(.shape, "what shape is in the image?", object.shape.rawValue)
    }
    return result
  }

  private var existenceQuestions: [Question] {
    var result: [Question] = []
    func ask(_ thing: String, _ present: Bool) {
      result.append(
        Question(kind: .existence, text: "is there a \(thing)?", answer: present ? "yes" : "no"))
    }
    for color in SceneObject.Color.allCases {
      ask("\(color.rawValue) shape", count { $0.color == color } > 0)
    }
    for shape in SceneObject.Shape.allCases {
      ask(shape.rawValue, count { $0.shape == shape } > 0)
    }
    // Of the pairs only those that need both halves: something is there with the colour or shape.
    for color in SceneObject.Color.allCases {
      for shape in SceneObject.Shape.allCases
      where count({ $0.color == color || $0.shape == shape }) > 0 {
        ask(
          "\(color.rawValue) \(shape.rawValue)",
          count { $0.color == color && $0.shape == shape } > 0)
      }
    }
    return result
  }

  private var countQuestions: [Question] {
    var result: [Question] = []
    func ask(_ things: String, _ number: Int) {
      result.append(
        Question(kind: .count, text: "how many \(things) are there?", answer: String(number)))
    }
    ask("shapes", objects.count)
    for color in SceneObject.Color.allCases {
      ask("\(color.rawValue) shapes", count { $0.color == color })
    }
    for shape in SceneObject.Shape.allCases {
      ask(shape.plural, count { $0.shape == shape })
    }
    return result
  }

  private var placeQuestions: [Question] {
    var result: [Question] = []
    func ask(_ kind: Question.Kind, _ text: String, _ answer: String) {
      result.append(Question(kind: kind, text: text, answer: answer))
    }
    for (index, object) in objects.enumerated() {
      let x = object.box.doubledCenterX
      let y = object.box.doubledCenterY
      if abs(x - Scene.side) >= 32 {
        ask(
          .half, "is the \(object.name) on the left or the right?",
          x < Scene.side ? "left" : "right")
      }
      if abs(y - Scene.side) >= 32 {
        ask(
          .half, "is the \(object.name) at the top or the bottom?",
          y < Scene.side ? "top" : "bottom")
      }
      ask(.box, "where is the \(object.name)?", object.box.text)
      for (otherIndex, other) in objects.enumerated() where otherIndex != index {
        let right = x - other.box.doubledCenterX
        let down = y - other.box.doubledCenterY
        if abs(right) >= 48 {
          ask(
            .relation, "is the \(object.name) left of the \(other.name)?", right < 0 ? "yes" : "no")
          ask(
            .relation, "is the \(object.name) right of the \(other.name)?", right > 0 ? "yes" : "no"
          )
        }
        if abs(down) >= 48 {
          ask(.relation, "is the \(object.name) above the \(other.name)?", down < 0 ? "yes" : "no")
          ask(.relation, "is the \(object.name) below the \(other.name)?", down > 0 ? "yes" : "no")
        }
      }
    }
    return result
  }
}

extension SceneObject.Box {
  /// The box as the model writes it: corners in thousandths of the picture's side, rounded to a
  /// multiple of 20 and at most 980: `<box>(140,300),(420,580)</box>`.
  public var text: String {
    "<box>(\(Self.coordinate(left)),\(Self.coordinate(top))),"
      + "(\(Self.coordinate(right)),\(Self.coordinate(bottom)))</box>"
  }

  /// `round(pixels × 1000 / 224 / 20) × 20`, at most 980.
  static func coordinate(_ pixels: Int) -> Int {
    min(980, (pixels * 1000 + Scene.side * 10) / (Scene.side * 20) * 20)
  }
}
