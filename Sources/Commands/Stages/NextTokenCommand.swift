internal import Generation
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let nextToken = Command(
    "next_token", group: "Stages", "Lists the most likely tokens to follow a sequence.",
    Parameter.any(
      "sequence", expects: "a tensor, as assemble() gives, or a text",
      "What assemble() gives, [Q + T, E]; for a model that reads text alone, the text."),
    Parameter.integer("top", in: 1...1000, default: 10, "How many tokens."),
    returns: "a Table of token, id, probability and logit",
    examples: [
      Example(
        "soft = project(query(encode(embed(patchify(preprocess(scene(7)))))))\n"
          + "next_token(assemble(soft, \"Question: how many shapes are there? Answer:\"), top=5)",
        "What might the answer be?")
    ], seeAlso: ["decode", "assemble"]
  ) { session, sequence, top in
    let (writer, model) = try session.able(.writing, for: "next_token")
    let words =
      if case .text(let text) = sequence { Input(words: .text(text.string)) } else {
        sequence.runInputs
      }
    var trace = try session.trace(keeping: "", of: model, on: words)
    let alterations = trace.alterations
    let input =
      try session.textAlone(sequence, beside: "")
      .map { try writer.sequence(Input(words: .text($0)), trace: &trace) }
      ?? sequence.requireTensor("sequence", from: "assemble")
    let result = try writer.run(stage: "decode", on: input, trace: &trace)
    try session.checkFinite(result, of: model, given: input) {
      [
        WayToResult(from: words) { trace in
          trace.alterations = alterations
          _ = try writer.run(stage: "decode", on: input, trace: &trace)
        }
      ]
    }
    let logits = result.elements
    let probabilities = Tensor(logits, shape: [logits.count]).softmax().elements
    let order = logits.indices.sorted {
      logits[$0] > logits[$1] || (logits[$0] == logits[$1] && $0 < $1)
    }
    return .object(
      Table(
        ["token", "id", "probability", "logit"],
        order.prefix(top).map { id in
          [
            .text(writer.tokenizer.visible(id)), .integer(id),
            .float(Double(probabilities[id])), .float(Double(logits[id])),
          ]
        }))
  }
}
