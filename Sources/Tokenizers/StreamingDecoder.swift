/// Decodes ids as they come, without ever showing a part of a character.
///
/// What `append` and `finish` return, joined, is what `decode` gives for all ids.
public struct StreamingDecoder: Sendable {
  private let tokenizer: any Tokenizer
  private let skipSpecialTokens: Bool
  /// Bytes not given out yet: the start of a character, or white space that may be the last.
  private var waiting: [UInt8] = []
  private var run: DecodingRun
  private var hasGivenText = false

  /// Starts a text.
  public init(_ tokenizer: any Tokenizer, skipSpecialTokens: Bool = true) {
    self.tokenizer = tokenizer
    self.skipSpecialTokens = skipSpecialTokens
    run = DecodingRun(tokenizer.tokenDecoder)
  }

  /// The characters that `id` completes; empty while one is incomplete.
  public mutating func append(_ id: Int) -> String {
    waiting += run.append(id, of: tokenizer, skipSpecialTokens: skipSpecialTokens)
    return give(upTo: waiting.count - Self.incompleteCount(waiting))
  }

  /// What is left when no more ids come; a part of a character becomes `\u{FFFD}`.
  public mutating func finish() -> String {
    waiting += run.finish()
    defer { hasGivenText = false }
    let rest = give(upTo: waiting.count)
    waiting = []
    return rest
  }

  private mutating func give(upTo end: Int) -> String {
    var text = String(decoding: waiting[..<end], as: UTF8.self)
    guard tokenizer.tokenDecoder.stripsEnds else {
      waiting.removeFirst(end)
      return text
    }
    let scalars = text.unicodeScalars
    guard let last = scalars.lastIndex(where: { !TokenDecoder.isStripped($0) }) else {
      // White space alone: none at the start, and elsewhere none until something follows.
      if !hasGivenText { waiting.removeFirst(end) }
      return ""
    }
    let spaces = Array(String(scalars[scalars.index(after: last)...]).utf8)
    text = String(scalars[...last])
    if !hasGivenText {
      text = String(text.unicodeScalars.drop(while: TokenDecoder.isStripped))
    }
    waiting = spaces + waiting[end...]
    hasGivenText = true
    return text
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
