internal import Layers
internal import Tensors
internal import Tracing

extension QwenVL.Model {
  /// `[T, D]`: what the language model reads.
  static let sequence = Tap(
    "output", .token, .channel, says: "What the language model reads: words, and rows of pictures.")

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
      Stage(
        "assemble",
        "Lays the conversation out as tokens and puts each picture's rows in its places.",
        from: "\(rows) a picture and a text", to: "[T, \(resampler.width)]",
        takes: (.softPrompt, [resampler.queryCount, resampler.width]), gives: .sequence,
        at: "language.tokens", "language.sequence"
      ) { slots, trace in
        let ids = try ids(of: slots.input)
        let words = try decoder.embed(ids, trace: &trace)
        slots[.sequence] = trace.pass(
          try placing(slots.ofAllPictures(.softPrompt), in: words, of: ids), Self.sequence,
          at: Address("language.sequence"))
      },
      decoder.stage(),
    ]
  }

  /// The rows of each picture's places among token ids, behind `<img>` and before `</img>`.
  func places(of pictures: [Int]) -> [Range<Int>] {
    let count = QwenVL.Configuration.placesPerPicture
    return pictures.indices.filter { pictures[$0] == configuration.imageStartToken }
      .map { $0 + 1..<$0 + 1 + count }
  }

  /// Embedded words `[T, D]` with pictures' rows in their places.
  private func placing(_ pictures: [Tensor], in words: Tensor, of ids: [Int]) throws -> Tensor {
    let places = places(of: ids)
    // A text alone is given the rows of no picture.
    guard !places.isEmpty else { return words }
    guard places.count == pictures.count else {
      throw ModelError.badTokenIDs(
        found: "hold \(places.count) pictures",
        expected: "as many as there are, \(pictures.count)")
    }
    var parts: [Tensor] = []
    var end = 0
    for (place, rows) in zip(places, pictures) {
      parts += [words.rows(end..<place.lowerBound), rows]
      end = place.upperBound
    }
    return Tensor.concatenated(parts + [words.rows(end..<ids.count)])
  }
}
