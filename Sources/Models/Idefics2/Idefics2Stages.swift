internal import Layers
internal import Tensors
internal import Tracing

extension Slot {
  /// `[P, E]`: a picture's tokens at the width of words.
  static let context = Slot("context")
}

extension Idefics2.Model {
  /// `[T, E]`: what the language model reads.
  static let sequence = Tap(
    "output", .token, .channel, says: "What the language model reads: words, and rows of pictures.")

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
      Stage(
        "assemble",
        "Lays the conversation out as tokens and puts each picture's rows in its places.",
        from: "\(rows) a picture and a text", to: "[T, \(perceiver.shape.width)]",
        takes: (.softPrompt, [perceiver.shape.latentCount, perceiver.shape.width]),
        gives: .sequence, at: "language.tokens", "language.sequence"
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

  /// Embedded words `[T, E]` with pictures' rows in the places of `<image>`, in order.
  private func placing(_ pictures: [Tensor], in words: Tensor, of ids: [Int]) throws -> Tensor {
    let places = ids.indices.filter { ids[$0] == configuration.imageToken }
    // A text alone is given the rows of no picture.
    guard !places.isEmpty else { return words }
    let rows = pictures.reduce(0) { $0 + $1.shape[0] }
    guard places.count == rows else {
      throw ModelError.badTokenIDs(
        found: "hold <image> \(places.count) times",
        expected: "\(rows): one for each row of \(pictures.count) pictures or views of them")
    }
    let gathered = Tensor.concatenated(pictures)  // [N·Q, E]
    var (parts, row, end) = ([Tensor](), 0, 0)
    var index = 0
    while index < places.count {
      // Places that follow each other are copied at once.
      var last = index
      while last + 1 < places.count, places[last + 1] == places[last] + 1 { last += 1 }
      if end < places[index] { parts.append(words.rows(end..<places[index])) }
      parts.append(gathered.rows(row..<row + last - index + 1))
      (row, end) = (row + last - index + 1, places[last] + 1)
      index = last + 1
    }
    if end < ids.count { parts.append(words.rows(end..<ids.count)) }
    return Tensor.concatenated(parts)
  }
}
