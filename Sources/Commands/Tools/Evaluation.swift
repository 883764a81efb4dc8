internal import Boxes
internal import Foundation
internal import Generation
internal import Images
internal import Models
internal import Scenes
internal import Tensors
internal import Tracing

/// Measures a model on scenes that it has not seen.
///
/// Every scene is asked at most one question of each kind, chosen at random among those it answers,
/// yes and no alike often. Answers are greedy and count when they equal the right one to the letter.
/// A caption counts when it is exactly the scene's; a box by its overlap with the true one. Matching
/// counts when the caption's probability is above one half, a wrong caption's not. A model with one
/// space for pictures and texts is measured by retrieval among all the scenes, and by names.
public struct Evaluation {
  /// One kind of question.
  public struct Line: Sendable, Equatable {
    /// Such as `color`.
    public let kind: String
    /// How many were asked.
    public let count: Int
    /// The share that was right, or the median overlap of boxes.
    public let score: Double
    /// What the score is.
    public let measure: String

    init(kind: String, count: Int, score: Double, measure: String) {
      (self.kind, self.count, self.score, self.measure) = (kind, count, score, measure)
    }

    /// The median of boxes' overlaps; nil without boxes.
    init?(kind: String, overlaps: [Double]) {
      guard !overlaps.isEmpty else { return nil }
      self.init(
        kind: kind, count: overlaps.count, score: overlaps.sorted()[overlaps.count / 2],
        measure: "median overlap (IoU)")
    }
  }

  private let model: LoadedModel
  private let matching: (any MatchingModel)?
  private var right: [String: (count: Int, right: Int)] = [:]
  private var overlaps: [Double] = []
  private var spaceLines: [Line] = []
  private var dialogues: DialogueEvaluation?
  private let space: (any EmbeddingModel)?

  /// Reads a model.
  public init(_ choice: ModelChoice) throws {
    model = try LoadedModel.read(choice)
    matching = try model.orCompanion(with: .matching).model.matching
    space = try model.orCompanion(with: .embedding).model.embedding
    dialogues = model.model.chatting.flatMap { DialogueEvaluation($0) }
  }

  /// Asks about `count` scenes of one to three objects, from seed `seed` on.
  ///
  /// - Parameter progress: called after each scene with how many are done.
  /// - Throws: where the model's numbers are not finite.
  public mutating func run(
    count: Int, seed: UInt64, progress: (Int) throws -> Void = { _ in }
  ) throws {
    try checkFinite(on: Scene(seed: seed))
    let asks = model.model.writing != nil || matching != nil
    for index in 0..<(asks ? count : 0) {
      func scene(_ further: Int) -> Scene {
        Scene(seed: seed &+ UInt64(index + further), population: .exactly(1...3))
      }
      if dialogues != nil {
        try dialogues?.ask(about: scene(0), and: scene(1))
      } else {
        try ask(about: scene(0))
      }
      try progress(index + 1)
    }
    if let space {
      let before = asks ? count : 0
      spaceLines = try SpaceEvaluation(space, count: count, seed: seed).lines {
        try progress(before + $0)
      }
    }
  }

  /// How many scenes `run` will go through for `count`.
  public func total(_ count: Int) -> Int {
    (model.model.writing != nil || matching != nil ? count : 0) + (space != nil ? 2 * count : 0)
  }

  /// The results so far, one line a kind.
  public var lines: [Line] {
    let order =
      Question.Kind.allCases.map(\.rawValue) + ["caption", "match", "match, wrong caption"]
    var lines = order.compactMap { kind in
      right[kind].map {
        Line(
          kind: kind, count: $0.count, score: Double($0.right) / Double($0.count), measure: "exact")
      }
    }
    lines += Line(kind: "box", overlaps: overlaps).map { [$0] } ?? []
    return lines + (dialogues?.lines ?? []) + spaceLines
  }

  /// - Throws: `BrokenModel` where one of the models gives a number that is none, of which no answer
  ///   would tell.
  private func checkFinite(on scene: Scene) throws {
    let input = Input(image: scene.painted().image, prompt: "a picture")
    let parts: [any FamilyModel] = [model.model] + [matching, space].compactMap { $0 }
    for part in parts {
      if let place = try part.brokenPlace(input) {
        throw BrokenModel(command: "evaluate", model: model.name, place: place)
      }
    }
  }

  private mutating func ask(about scene: Scene) throws {
    var random = SplitMix64(seed: scene.seed ^ 0x0E5A_1A7E)
    let image = scene.painted().image
    var trace = Trace.nothing
    if let writer = model.model.writing as? any SoftPromptModel {
      let soft = try writer.softPrompt(image, trace: &trace)
      for question in scene.examination(from: &random) {
        let answer = try write(writer, after: soft, "Question: \(question.text) Answer:")
        if question.kind == .box {
          overlaps.append(Self.overlap(answer, question.answer))
        } else {
          count(question.kind.rawValue, answer == question.answer)
        }
      }
      count("caption", try write(writer, after: soft, "") == scene.caption)
    }
    guard let matching else { return }
    let wrong = random.element(of: scene.wrongCaptions(from: &random))
    let seen = try matching.see(image, trace: &trace)
    let matches = try matching.match(
      seen, vision: .nothing, texts: [scene.caption, wrong], makeTrace: { _ in .nothing }
    ).matches
    count("match", matches[0].probability > 0.5)
    count("match, wrong caption", matches[1].probability <= 0.5)
  }

  private func write(
    _ writer: any SoftPromptModel, after soft: Tensor, _ prompt: String
  ) throws -> String {
    var trace = Trace.nothing
    let sequence = try writer.assemble(soft, prompt, trace: &trace)
    var options = writer.defaultOptions
    (options.maxNewTokens, options.candidateCount) = (48, 0)
    return try writer.write(
      after: sequence, promptIDs: try writer.promptIDs(prompt), options: options,
      trace: .nothing
    ).text
  }

  private mutating func count(_ kind: String, _ isRight: Bool) {
    let (count, good) = right[kind] ?? (0, 0)
    right[kind] = (count + 1, good + (isRight ? 1 : 0))
  }

  /// Intersection over union of two written boxes; 0 for what is no box.
  static func overlap(_ first: String, _ second: String) -> Double {
    guard let first = MarkedText(first).boxes.first, let second = MarkedText(second).boxes.first
    else { return 0 }
    return first.edges.overlap(with: second.edges)
  }
}
