internal import Boxes
internal import Generation
internal import Models
internal import Scenes
internal import Tensors
internal import Tracing

/// Measures a model that converses about several pictures: dialogues of every kind in both languages.
///
/// Answers are greedy, later questions follow the model's own answers, and an answer counts when it
/// equals the right one to the letter; one with boxes is measured by their overlap.
struct DialogueEvaluation {
  private let model: any ChatModel & SoftPromptModel
  private var right: [Row: (count: Int, right: Int)] = [:]
  private var overlaps: [Dialogue.Language: [Double]] = [:]

  private struct Row: Hashable {
    let kind: Dialogue.Kind
    let language: Dialogue.Language
    /// Whether the question needs what was said before.
    let isLater: Bool
  }

  /// Nil for a model that looks at one picture.
  init?(_ model: any ChatModel) {
    guard model.takesSeveralPictures, let model = model as? any ChatModel & SoftPromptModel else {
      return nil
    }
    self.model = model
  }

  /// Asks about a scene and, in questions on two pictures, the next.
  mutating func ask(about scene: Scene, and next: Scene) throws {
    var random = SplitMix64(seed: scene.seed ^ 0xD1A1_06E5)
    let images = [scene, next].map { $0.painted().image }
    var trace = Trace.nothing
    let rows = try images.map { try model.softPrompt($0, trace: &trace) }
    for dialogue in Dialogue.examination(of: scene, and: next, from: &random) {
      let count = dialogue.scenes.count
      var turns: [Input.Turn] = []
      for (index, turn) in dialogue.turns.enumerated() {
        let pictures =
          index == 0
          ? images.prefix(count).enumerated().map {
            Input.Segment.picture(.image($0.element), Input.Mention("\($0.offset + 1).png"))
          } : []
        turns.append(Input.Turn(.user, pictures + [.text(turn.question)]))
        let answer = try answer(Input(turns: turns), rows: Array(rows.prefix(count)))
        turns.append(Input.Turn(.assistant, [.text(answer)]))
        record(turn, answer, dialogue, isLater: index > 0)
      }
    }
  }

  private func answer(_ conversation: Input, rows: [Tensor]) throws -> String {
    let input = try model.reading(conversation).input
    var trace = Trace.nothing
    let sequence = try model.sequence(input, rows: rows, trace: &trace)
    var options = model.defaultOptions
    (options.maxNewTokens, options.candidateCount) = (128, 0)
    options.stopSequences = model.stopSequences
    let written = try model.write(
      after: sequence, promptIDs: try model.ids(of: input), options: options, trace: .nothing)
    return model.reply(in: written.generated.tokens)
  }

  private mutating func record(
    _ turn: Dialogue.Turn, _ answer: String, _ dialogue: Dialogue, isLater: Bool
  ) {
    guard MarkedText(turn.answer).boxes.isEmpty else {
      overlaps[dialogue.language, default: []].append(Evaluation.overlap(answer, turn.answer))
      return
    }
    let row = Row(kind: dialogue.kind, language: dialogue.language, isLater: isLater)
    let (count, good) = right[row] ?? (0, 0)
    right[row] = (count + 1, good + (answer == turn.answer ? 1 : 0))
  }

  /// The results so far.
  var lines: [Evaluation.Line] {
    var lines: [Evaluation.Line] = []
    for kind in Dialogue.Kind.allCases {
      for language in Dialogue.Language.allCases {
        for isLater in [false, true] {
          guard
            let row = right[Row(kind: kind, language: language, isLater: isLater)], row.count > 0
          else { continue }
          lines.append(
            Evaluation.Line(
              kind: "\(kind.rawValue) \(language.rawValue)" + (isLater ? ", later" : ""),
              count: row.count, score: Double(row.right) / Double(row.count), measure: "exact"))
        }
      }
    }
    for language in Dialogue.Language.allCases {
      let line = Evaluation.Line(
        kind: "box \(language.rawValue)", overlaps: overlaps[language] ?? [])
      lines += line.map { [$0] } ?? []
    }
    return lines
  }
}
