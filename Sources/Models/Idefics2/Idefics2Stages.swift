internal import Layers
internal import Tensors
internal import Tracing

extension Slot {
  /// `[P, E]`: a picture's tokens at the width of words.
  static let context = Slot("context")
}

extension Idefics2.Model {
  /// The stages; every view goes through those before `assemble`, one after the other.
  public var stages: [Stage] {
    let (sides, rounding) = (configuration.vision.gridSize, configuration.positionRounding)
    let (width, views) = (configuration.vision.width, viewCount)
    let rows = "[\(perceiver.shape.latentCount), \(perceiver.shape.width)]"
    let blocks = perceiver.blocks.indices.map { index in
      Step(eachPicture: "resampler.blocks.\(index)", viewCount: views) { slots, trace in
        let latents = slots[.queries] ?? perceiver.latents
        let mask = try patches(of: slots).mask(
          queryCount: latents.shape[0], later: latents.shape[0])
        slots[.queries] = perceiver.blocks[index](
          latents, context: slots.take(.context), mask: mask, trace: &trace)
        // A picture's tokens at that width are the largest of a run, and of no use behind the last block.
        if index == perceiver.blocks.count - 1 { slots[.context] = nil }
      }
    }
    let pictureStages =
      pictureStages(vision) { rounding.rows($0, sides: sides) } + [
        Stage(
          "query",
          "Maps the tokens to the width of words and lets \(perceiver.shape.latentCount) learned queries "
            + "gather from them.",
          from: "[T, \(width)]", to: rows, takes: (.tokens, [nil, width]), gives: .queries,
          steps: [
            Step(eachPicture: "projection", viewCount: views) { slots, trace in
              slots[.context] = projection(slots.take(.tokens), trace: &trace)
              slots[.queries] = nil
            }
          ] + blocks),
        Stage(
          "project", "Normalises what they gathered: rows that stand among words.",
          from: rows, to: rows, takes: (.queries, [nil, perceiver.shape.width]), gives: .softPrompt,
          eachPictureAt: "resampler.norm", viewCount: views
        ) { slots, trace in
          slots[.softPrompt] = perceiver.norm(slots.take(.queries), trace: &trace)
        },
      ]
    return pictureStages.map(\.forPictures) + [
      PicturesAmongWords(
        decoder: decoder, rowCount: perceiver.shape.latentCount, name: Idefics2.Prompt.image,
        ids: { try ids(of: $0) },
        places: { ids in ids.indices.filter { ids[$0] == configuration.imageToken } }
      ).stage,
      decoder.stage(),
    ]
  }
}
