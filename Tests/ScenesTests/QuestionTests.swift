import Foundation
import Scenes
import Tensors
import Testing

/// Checks answers against the painted pixels, not against the code that made the answers.
struct QuestionTests {
  private let scenes = (UInt64(0)..<40).map { Scene(seed: $0) }

  /// Column and row of an object's middle, from its pixels.
  private func middle(of index: Int, in painting: Painting) -> (x: Double, y: Double) {
    let places = painting.owners.indices.filter { painting.owners[$0] == UInt8(index + 1) }
    let columns = places.map { $0 % Scene.side }
    let rows = places.map { $0 / Scene.side }
    return (
      Double((columns.min() ?? 0) + (columns.max() ?? 0)) / 2,
      Double((rows.min() ?? 0) + (rows.max() ?? 0)) / 2
    )
  }

  @Test func relationsAreTrueOfThePixels() {
    var checked = 0
    for scene in scenes {
      let painting = scene.painted()
      let middles = scene.objects.indices.map { middle(of: $0, in: painting) }
      for question in scene.questions where question.kind == .relation {
        let words = question.text.dropLast().split(separator: " ")
        let named = scene.objects.indices.filter { question.text.contains(scene.objects[$0].name) }
        let first = named.first { question.text.hasPrefix("is the \(scene.objects[$0].name) ") }
        guard let first, let second = named.first(where: { $0 != first }) else {
          Issue.record("no two names in '\(question.text)'")
          continue
        }
        let (a, b) = (middles[first], middles[second])
        let truth =
          words.contains("left")
          ? a.x < b.x
          : words.contains("right") ? a.x > b.x : words.contains("above") ? a.y < b.y : a.y > b.y
        #expect(question.answer == (truth ? "yes" : "no"), "\(scene.seed): \(question.text)")
        checked += 1
      }
    }
    #expect(checked > 150)
  }

  @Test func countsAreTrueOfThePixels() {
    for scene in scenes {
      let owners = Set(scene.painted().owners).subtracting([0])
      let total = scene.questions.first { $0.text == "how many shapes are there?" }
      #expect(total?.answer == String(owners.count))
    }
  }

  @Test func existenceAgreesWithCounting() {
    for scene in scenes {
      for question in scene.questions where question.kind == .existence {
        let thing = question.text.dropFirst("is there a ".count).dropLast()
        let there = scene.objects.contains { object in
          thing == object.shape.rawValue || thing == "\(object.color.rawValue) shape"
            || thing == object.name
        }
        #expect(question.answer == (there ? "yes" : "no"))
      }
    }
  }

  @Test func noQuestionIsAskedTwiceWithDifferentAnswers() {
    for scene in scenes {
      let texts = scene.questions.map(\.text)
      #expect(Set(texts).count == texts.count, "seed \(scene.seed)")
    }
  }

  @Test func ambiguousThingsAreNotAskedFor() {
    for scene in scenes {
      for question in scene.questions where question.text.hasPrefix("what color is the ") {
        let thing = question.text.dropFirst("what color is the ".count).dropLast()
        let meant = scene.objects.count { object in
          thing == "shape" || thing == object.shape.rawValue
            || thing == "\(object.size.rawValue) \(object.shape.rawValue)"
        }
        #expect(meant == 1, "seed \(scene.seed): \(question.text)")
      }
    }
  }

  @Test func boxTextsRoundTripWithinAStep() {
    for scene in scenes {
      for (object, question) in zip(scene.objects, scene.questions.filter { $0.kind == .box }) {
        #expect(question.text == "where is the \(object.name)?")
        let numbers = question.answer.split { !$0.isNumber }.compactMap { Int($0) }
        let edges = [object.box.left, object.box.top, object.box.right, object.box.bottom]
        #expect(numbers.count == 4)
        for (number, edge) in zip(numbers, edges) {
          #expect(number % 20 == 0 && number <= 980)
          #expect(abs(Double(number) / 1000 * 224 - Double(edge)) <= 4.5)
        }
      }
    }
  }

  @Test func everyKindIsAsked() {
    let kinds = Set(scenes.flatMap(\.questions).map(\.kind))
    #expect(kinds == Set(Question.Kind.allCases))
  }

  @Test func examinationsAskEachKindOnce() {
    var random = SplitMix64(seed: 1)
    var answers: [String: Int] = [:]
    for scene in scenes {
      let asked = scene.examination(from: &random)
      #expect(Set(asked.map(\.kind)).count == asked.count)
      for question in asked {
        #expect(scene.questions.contains(question))
        if question.kind == .existence { answers[question.answer, default: 0] += 1 }
      }
    }
    #expect((answers["yes"] ?? 0) > 10 && (answers["no"] ?? 0) > 10)
  }

  @Test func captionsNameEveryObjectFromLeftToRight() {
    for scene in scenes {
      let caption = scene.caption
      var last = caption.startIndex
      for object in scene.objects.sorted(by: {
        $0.box.doubledCenterX < $1.box.doubledCenterX
      }) {
        guard let range = caption.range(of: object.fullName) else {
          Issue.record("'\(caption)' leaves out \(object.fullName)")
          continue
        }
        #expect(range.lowerBound >= last)
        last = range.lowerBound
      }
    }
  }

  @Test func wrongCaptionsAreWrong() {
    var random = SplitMix64(seed: 3)
    for scene in scenes {
      let wrong = scene.wrongCaptions(from: &random)
      #expect(wrong.count >= scene.objects.count * 3)
      #expect(!wrong.contains(scene.caption))
      // Names are what a caption says: a wrong one says something that is not there.
      let there = Set(scene.objects.map(\.fullName))
      for caption in wrong {
        let named = caption.replacing(" and ", with: ", ").split(separator: ", ").map {
          String($0.dropFirst(2))
        }
        #expect(Set(named) != there, "seed \(scene.seed): \(caption)")
      }
    }
  }

  @Test func crowdedScenesAskNothingAmbiguous() {
    for seed in UInt64(0)..<30 {
      let scene = Scene(seed: seed, population: .crowded)
      if Set(scene.objects.map(\.name)).count < scene.objects.count {
        #expect(scene.questions.isEmpty)
      }
    }
  }
}
