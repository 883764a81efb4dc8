internal import Layers
internal import Tensors
internal import Tracing

extension QwenVL.Model {
  /// The stages; every picture goes through those before `assemble`, one after the other.
  public var stages: [Stage] {
    let (width, resampler) = (configuration.vision.width, configuration.resampler)
    let rows = "[\(resampler.queryCount), \(resampler.width)]"
    let pictureStages =
      pictureStages(vision) + [
        Stage(
          "query",
          "Lets \(resampler.queryCount) learned queries gather from the patches around their places.",
          from: "[\(patches.tokenCount), \(width)]", to: rows,
          takes: (.tokens, [patches.tokenCount, width]), gives: .queries, eachPictureAt: "resampler"
        ) { slots, trace in
          slots[.queries] = self.resampler(slots.take(.tokens), trace: &trace)
        },
        Stage(
          "project", "Normalises what they gathered and maps it to rows that stand among words.",
          from: rows, to: rows, takes: (.queries, [nil, resampler.width]), gives: .softPrompt,
          eachPictureAt: "projection"
        ) { slots, trace in
          slots[.softPrompt] = projection(
            projectionNorm(slots.take(.queries), trace: &trace), trace: &trace)
        },
      ]
    return pictureStages.map(\.forPictures) + [
      PicturesAmongWords(
        decoder: decoder, rowCount: resampler.queryCount, name: "a picture's places",
        ids: { try ids(of: $0) }, places: { places(of: $0).flatMap { Array($0) } }
      ).stage,
      decoder.stage(),
    ]
  }

  /// The rows of each picture's places among token ids, behind `<img>` and before `</img>`.
  func places(of pictures: [Int]) -> [Range<Int>] {
    let count = QwenVL.Configuration.placesPerPicture
    return pictures.indices.filter { pictures[$0] == configuration.imageStartToken }
      .map { $0 + 1..<$0 + 1 + count }
  }
}
