internal import Characters
internal import Generation
internal import Models
internal import Runtime
internal import Tokenizers
internal import Tracing

/// A written answer, token by token.
struct Answer: ForeignObject {
  var answer: WrittenAnswer
  /// What it is an answer to.
  let input: Input
  let model: LoadedModel
  let tokenizer: any Tokenizer

  var typeName: String { "Answer" }
  var text: String { answer.text }
  /// The words that it is an answer to; of a conversation the last turn's.
  var prompt: String { input.turns.last.map { Input(turns: [$0]).prompt } ?? "" }
  var brief: String { Value.text(text).represented }

  var shown: String {
    let certainty = answer.generated.steps.map { Double($0.probability) }.reduce(1, *)
    let count = answer.generated.tokens.count
    let ending =
      switch answer.generated.ending {
      case .endToken: "ended by itself"
      case .maxNewTokens: "stopped at max_new_tokens"
      case .contextFull: "stopped where the model has no more positions"
      }
    return
      "\(Value.text(text).represented)\n\(count.counted(as: "token")), probability of all together "
      + "\(Digits.short(certainty)); \(ending)"
  }

  var attributeNames: [String] {
    ["text", "tokens", "ids", "probabilities", "steps", "trace", "prompt"]
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "text": .text(text)
    case "prompt": .text(prompt)
    case "ids": .integers(answer.generated.tokens)
    case "tokens": .texts(answer.generated.tokens.map { tokenizer.visible($0) })
    case "probabilities": .newList(answer.generated.steps.map { .float(Double($0.probability)) })
    case "trace":
      .object(
        TraceView(
          trace: answer.trace, title: "decode", model: model, input: input))
    case "steps": .object(stepTable)
    default: nil
    }
  }

  /// Each token with the tokens that it might have been.
  var stepTable: Table {
    var table = Table(
      ["step", "token", "probability", "runners-up"],
      answer.generated.steps.enumerated().map { index, step in
        let others = step.candidates.filter { $0.token != step.token }.prefix(3).map {
          "\(tokenizer.visible($0.token)) \(Percentage.text($0.probability))"
        }
        return [
          .integer(index), .text(tokenizer.visible(step.token)),
          .float(Double(step.probability)), .text(others.joined(separator: ", ")),
        ]
      })
    table.importance = ["token", "probability", "runners-up"]
    return table
  }

  var heldByteCount: Int { answer.trace.byteCount }

  func element(_ index: Value) throws -> Value? {
    guard let address = index.text else { return nil }
    return try answer.trace.value(at: address)
  }
  var elementNames: [String] { answer.trace.records.map(\.address.description) }
}
