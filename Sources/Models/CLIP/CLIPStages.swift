internal import Layers
internal import Tensors
internal import Tokenizers
internal import Tracing

extension CLIP.Model {
  /// The stages of a picture, then those of a text; both end in the shared space.
  public var stages: [Stage] {
    pictureStages(vision) + [
      projectStage(
        vision, imageProjection,
        summary: "Maps the class token into the space that pictures and texts share.")
    ] + text.stages(textProjection) { try ids(of: $0) }
  }
}

extension CLIP.TextEncoder {
  /// The stages of a text.
  ///
  /// - Parameters:
  ///   - projection: into a space that pictures share; nil where there is none.
  ///   - ids: gives the token ids of what a run starts from.
  func stages(
    _ projection: Linear?, ids: @escaping @Sendable (Input) throws -> [Int]
  ) -> [Stage] {
    let width = configuration.width
    let embed = Step("text.embedding") { slots, trace in
      let ids = try ids(slots.input)
      slots[.textTokens] = self.embed(ids, trace: &trace)
      slots[.textMask] = Self.mask(ids.count, visible: slots.input.attendedCount ?? ids.count)
    }
    let through = blocks.indices.map { index in
      Step("text.blocks.\(index)") { slots, trace in
        var none: KeyValues?
        slots[.textTokens] = blocks[index](
          slots.take(.textTokens), mask: slots[.textMask], cache: &none, trace: &trace)
      }
    }
    let end = Step("text.norm") { slots, trace in
      slots[.textTokens] = norm(slots.take(.textTokens), trace: &trace)
    }
    return [
      Stage(
        "read",
        "Lets each token of a text look at those before it, in \(blocks.count) blocks.",
        from: "a text of T tokens", to: "[T, \(width)]", branch: .text, gives: .textTokens,
        steps: [embed] + through + [end]),
      Stage(
        "project_text",
        projection == nil
          ? "Takes the text's end token: this checkpoint has no projection."
          : "Maps the text's end token into the space that pictures and texts share.",
        from: "[T, \(width)]", to: "[1, \(projection?.weight.shape[0] ?? width)]", branch: .text,
        takes: (.textTokens, [nil, width]), gives: .textEmbedding, at: "joint.text_projection"
      ) { slots, trace in
        let tokens = slots.take(.textTokens)
        let place = min(pooledPosition(of: try ids(slots.input)), tokens.shape[0] - 1)
        let pooled = tokens.rows(place..<place + 1)
        slots[.textEmbedding] = projection?(pooled, trace: &trace) ?? pooled
      },
    ]
  }
}
