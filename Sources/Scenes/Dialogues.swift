public import Tensors

/// A conversation about one scene or two, in which every question has one right answer.
public struct Dialogue: Sendable, Equatable {
  /// What all of it is written in.
  public var language: Language
  /// What kind of conversation it is.
  public var kind: Kind
  /// What it is about: picture 1 and, for a pair, picture 2.
  public var scenes: [Scene]
  /// Questions and answers in their order.
  public var turns: [Turn]

  /// The languages that dialogues are written in.
  public enum Language: String, Sendable, CaseIterable {
    /// American English.
    case english = "en"
    /// Chinese in simplified characters.
    case chinese = "zh"
  }

  /// The kinds of dialogue.
  public enum Kind: String, Sendable, CaseIterable {
    /// One question of the eight kinds of `Question`.
    case single
    /// Two to four turns; the later ones make sense only after the earlier ones.
    case followUp
    /// One question about two pictures.
    case pair
    /// Find one thing or all of a kind; the answer names them with their boxes.
    case ground
    /// Name all objects from left to right.
    case describe
  }

  /// A question and its answer.
  public struct Turn: Sendable, Equatable {
    /// What is asked for.
    public var topic: Topic
    /// The words of the user.
    public var question: String
    /// The one right answer.
    public var answer: String
  }

  /// What a turn asks for.
  public enum Topic: String, Sendable, CaseIterable {
    /// As in `Question.Kind`; a box is written with the object's name.
    case color, shape, existence, count, size, relation, half, box
    /// What is on one side of an object.
    case neighbor
    /// Which picture has more shapes, or a thing that the other has not.
    case picture
    /// Whether something is in both pictures, or the same in both.
    case both
    /// All boxes of a kind.
    case find
    /// All objects.
    case scene
  }
}

extension Dialogue {
  /// A dialogue of a kind, drawn from `random`; answers that are rare come up more often than they
  /// would by themselves.
  ///
  /// The same state of `random` gives the same dialogue in every language.
  ///
  /// - Parameter other: the second picture of a pair; without it there are none.
  /// - Returns: nil where the scenes allow none: a crowded scene, whose names are not unique, or a
  ///   description when two objects are as far left as each other.
  public static func draw(
    _ kind: Kind, in language: Language, about scene: Scene, and other: Scene? = nil,
    from random: inout SplitMix64
  ) -> Dialogue? {
    guard scene.hasUniqueNames else { return nil }
    var scenes = [scene]
    var moves: [Move]
    switch kind {
    case .single: moves = scene.singleMove(from: &random).map { [$0] } ?? []
    case .followUp: moves = scene.followUpMoves(from: &random)
    case .ground: moves = scene.groundMove(from: &random).map { [$0] } ?? []
    case .describe: moves = scene.describeMove(from: &random).map { [$0] } ?? []
    case .pair:
      guard let other, other.hasUniqueNames else { return nil }
      scenes.append(other)
      moves = ScenePair(first: scene, second: other).move(from: &random).map { [$0] } ?? []
    }
    if moves.isEmpty { return nil }
    return Dialogue(
      language: language, kind: kind, scenes: scenes,
      turns: moves.map { $0.turn(in: language) })
  }

  /// `count` dialogues of every kind in every language, as far as the scenes allow them.
  ///
  /// What is asked in one language is asked in the other too.
  public static func examination(
    of scene: Scene, and other: Scene? = nil, count: Int = 1, from random: inout SplitMix64
  ) -> [Dialogue] {
    var result: [Dialogue] = []
    for kind in Kind.allCases {
      for _ in 0..<count {
        let state = random
        for language in Language.allCases {
          random = state
          if let drawn = draw(kind, in: language, about: scene, and: other, from: &random) {
            result.append(drawn)
          }
        }
      }
    }
    return result
  }
}
