/// Decodes ids as they come, without ever showing a part of a character.
///
/// What `append` and `finish` return, joined, is what `decode` gives for all ids, or what `reading` makes of it; a
/// piece is given once nothing that follows can change it. Each id is decoded once.
public struct StreamingDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private let reading: Reading
  private let trims: Bool
  /// Bytes not given out yet: the start of a character.
  private var bytes: [UInt8] = []
  private var run: DecodingRun
  private var hasEnded = false
  /// The last id, where it counts only if another follows.
  private var pending: Int?
  /// What may be the beginning of a text that is left out.
  private var beginning: [Unicode.Scalar] = []
  /// White space that counts only where something follows.
  private var spaces: [Unicode.Scalar] = []
  private var hasGivenText = false

  /// Which of the ids are the text.
  public struct Reading: Sendable, Equatable {
    /// Whether special tokens are left out.
    public var skipsSpecialTokens: Bool
    /// Ids that are left out.
    public var leftOut: Set<Int> = []
    /// The text goes up to the first of these ids.
    public var ends: Set<Int> = []
    /// Whether the last id goes too where none of `ends` came.
    public var dropsLastWithoutEnd = false
    /// Texts that are left out wherever they stand.
    public var leftOutTexts: [String] = []
    /// Whether white space at both ends is cut.
    public var trims = false

    /// All ids, special tokens left out or not.
    public init(skipsSpecialTokens: Bool = true) { self.skipsSpecialTokens = skipsSpecialTokens }
  }

  /// Starts a text.
  public init(_ tokenizer: any Tokenizer, _ reading: Reading = Reading()) {
    (self.tokenizer, self.reading) = (tokenizer, reading)
    trims = reading.trims || tokenizer.tokenDecoder.stripsEnds
    run = DecodingRun(tokenizer.tokenDecoder)
  }

  /// The characters that `id` makes certain; empty while none are, and behind an end.
  public mutating func append(_ id: Int) -> String {
    guard !hasEnded, !reading.leftOut.contains(id) else { return "" }
    var next: Int? = id
    if reading.ends.contains(id) {
      (hasEnded, next) = (true, nil)
    }
    if reading.dropsLastWithoutEnd { swap(&next, &pending) }
    guard let next else { return "" }
    bytes += run.append(
      next, of: tokenizer, skipSpecialTokens: reading.skipsSpecialTokens)
    return give(upTo: bytes.count - Self.incompleteCount(bytes))
  }

  /// What is left when no more ids come; a part of a character becomes `\u{FFFD}`.
  ///
  /// The next id starts a text.
  public mutating func finish() -> String {
    bytes += run.finish()
    var text = String.UnicodeScalarView(give(upTo: bytes.count).unicodeScalars)
    for scalar in beginning { add(scalar, to: &text) }
    (beginning, spaces, pending) = ([], [], nil)
    (hasEnded, hasGivenText) = (false, false)
    return String(text)
  }

  private mutating func give(upTo end: Int) -> String {
    let text = String(decoding: bytes[..<end], as: UTF8.self)
    bytes.removeFirst(end)
    guard trims || !reading.leftOutTexts.isEmpty else { return text }
    var given = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      beginning.append(scalar)
      if reading.leftOutTexts.contains(where: { $0.unicodeScalars.elementsEqual(beginning) }) {
        beginning = []
      }
      while !beginning.isEmpty,
        !reading.leftOutTexts.contains(where: { $0.unicodeScalars.starts(with: beginning) })
      {
        add(beginning.removeFirst(), to: &given)
      }
    }
    return String(given)
  }

  /// Adds a scalar of the text, unless it is white space that may be at an end.
  private mutating func add(_ scalar: Unicode.Scalar, to text: inout String.UnicodeScalarView) {
    if trims, TokenDecoder.isStripped(scalar) {
      if hasGivenText { spaces.append(scalar) }
      return
    }
    text.append(contentsOf: spaces)
    text.append(scalar)
    spaces = []
    hasGivenText = true
  }

  /// How many bytes at the end are the start of a character that more bytes could complete.
  private static func incompleteCount(_ bytes: [UInt8]) -> Int {
    for count in 1...3 where count <= bytes.count {
      let byte = bytes[bytes.count - count]
      if byte & 0xC0 == 0x80 { continue }
      let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
      guard needed > count, byte <= 0xF4, byte >= 0xC2 else { return 0 }
      // Some second bytes start no character after this first one.
      if count > 1 {
        let second = bytes[bytes.count - count + 1]
        switch byte {
        case 0xE0 where second < 0xA0, 0xED where second > 0x9F, 0xF0 where second < 0x90,
          0xF4 where second > 0x8F:
          return 0
        default: break
        }
      }
      return count
    }
    return 0
  }
}

extension Tokenizer {
  /// The text of `ids`, read so.
  public func decode(_ ids: [Int], as reading: StreamingDecoder.Reading) -> String {
    var stream = StreamingDecoder(self, reading)
    return ids.reduce(into: "") { $0 += stream.append($1) } + stream.finish()
  }
}
