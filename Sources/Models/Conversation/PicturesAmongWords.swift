internal import Layers
internal import Tensors
internal import Tracing

/// The stage in which rows that stand for pictures take their places among the words of a conversation.
struct PicturesAmongWords: Sendable {
  /// `[T, E]`: what the language model reads.
  static let sequence = Tap(
    "output", .token, .channel, says: "What the language model reads: words, and rows of pictures.")

  let decoder: Decoder
  /// Rows of each picture, or of each view of one that is split.
  let rowCount: Int
  /// What messages call a place: the token that is written there.
  let name: String
  /// The ids of an input.
  let ids: @Sendable (Input) throws -> [Int]
  /// The places of pictures' rows among ids, in order.
  let places: @Sendable ([Int]) -> [Int]

  /// The stage.
  var stage: Stage {
    let width = decoder.shape.width
    let rows = "[\(rowCount), \(width)]"
    return Stage(
      "assemble", "Lays the conversation out as tokens and puts each picture's rows in its places.",
      from: "\(rows) a picture and a text", to: "[T, \(width)]",
      takes: (.softPrompt, [rowCount, width]), gives: .sequence,
      at: "language.tokens", "language.sequence"
    ) { slots, trace in
      let ids = try ids(slots.input)
      let words = try decoder.embed(ids, trace: &trace)
      slots[.sequence] = trace.pass(
        try placing(slots.ofAllPictures(.softPrompt), in: words, at: places(ids)), Self.sequence,
        at: Address("language.sequence"))
    }
  }

  /// Embedded words `[T, E]` with pictures' rows in their places.
  private func placing(_ pictures: [Tensor], in words: Tensor, at places: [Int]) throws -> Tensor {
    // A text alone is given the rows of no picture.
    guard !places.isEmpty else { return words }
    let count = pictures.reduce(0) { $0 + $1.shape[0] }
    guard places.count == count else {
      throw ModelError.badTokenIDs(
        found: "hold \(name) \(places.count) times",
        expected: "\(count): one for each row of \(pictures.count) pictures or views of them")
    }
    let gathered = Tensor.concatenated(pictures)  // [N·Q, E]
    var (parts, row, end) = ([Tensor](), 0, 0)
    while row < places.count {
      // Places that follow each other are copied at once.
      var last = row
      while last + 1 < places.count, places[last + 1] == places[last] + 1 { last += 1 }
      if end < places[row] { parts.append(words.rows(end..<places[row])) }
      parts.append(gathered.rows(row..<last + 1))
      (row, end) = (last + 1, places[last] + 1)
    }
    if end < words.shape[0] { parts.append(words.rows(end..<words.shape[0])) }
    return Tensor.concatenated(parts)
  }
}
