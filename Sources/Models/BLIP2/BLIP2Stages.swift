internal import Layers
internal import Tensors
internal import Tracing

extension BLIP2.Model {
  /// The stages, in the order a picture goes through them.
  public var stages: [Stage] {
    let (width, queries) = (configuration.vision.width, configuration.queryCount)
    let answered = "[\(queries), \(configuration.qformer.width)]"
    let stages =
      pictureStages(vision) + [
        Stage(
          "query", "Lets \(queries) learned queries gather from the tokens what they ask for.",
          from: "[\(patches.tokenCount), \(width)]", to: answered,
          takes: (.tokens, [nil, width]), gives: .queries, steps: qformer.steps)
      ]
    guard let language = configuration.language?.decoder, let writer else { return stages }
    let soft = "[\(queries), \(language.width)]"
    return stages + [
      Stage(
        "project", "Maps the answered queries into the language model's space: a soft prompt.",
        from: answered, to: soft, takes: (.queries, [nil, configuration.qformer.width]),
        gives: .softPrompt, at: "projection"
      ) { slots, trace in
        slots[.softPrompt] = writer.projection(slots.take(.queries), trace: &trace)
      },
      Stage(
        "assemble", "Puts the words of the prompt behind the soft prompt.",
        from: "\(soft) and a text of T tokens", to: "[\(queries) + T, \(language.width)]",
        takes: (.softPrompt, [queries, language.width]), gives: .sequence,
        at: "language.tokens", "language.sequence"
      ) { slots, trace in
        let embedded = try writer.decoder.embed(try ids(of: slots.input), trace: &trace)
        let words =
          configuration.imageTokenID == nil
          ? embedded : embedded.rows(queries..<embedded.shape[0])
        slots[.sequence] = trace.pass(
          Tensor.concatenated([slots.take(.softPrompt), words]), Self.sequence,
          at: Address("language.sequence"))
      },
      writer.decoder.stage(),
    ]
  }
}

extension QFormer {
  /// The queries look at a picture's tokens, a step a block.
  fileprivate var steps: [Step] {
    let first = Step("qformer.norm") { slots, trace in
      slots[.queries] = norm(queries, trace: &trace)
    }
    return [first]
      + blocks.indices.map { index in
        Step("qformer.blocks.\(index)") { slots, trace in
          slots[.queries] = blocks[index](
            slots.take(.queries), queryCount: queries.shape[0], image: slots.take(.tokens),
            mask: nil, trace: &trace)
        }
      }
  }
}
