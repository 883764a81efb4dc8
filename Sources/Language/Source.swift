/// A stretch of a source text, in bytes of its UTF-8 form.
public struct SourceRange: Sendable, Hashable {
  /// The first byte.
  public var start: Int
  /// One past the last byte.
  public var end: Int

  /// The bytes from `start` to below `end`.
  public init(_ start: Int, _ end: Int) { (self.start, self.end) = (start, max(start, end)) }

  /// The shortest range that holds both.
  public func joined(with other: SourceRange) -> SourceRange {
    SourceRange(min(start, other.start), max(end, other.end))
  }
}

/// A text that is parsed: a script, a lesson, or what was typed at one prompt.
///
/// Immutable, and shared by everything that points into it.
public final class Source: Sendable {
  /// What diagnostics call it: a path, or something like `In [3]`.
  public let name: String
  /// The whole text.
  public let text: String
  /// The text as UTF-8; ranges count these bytes.
  public let bytes: [UInt8]
  /// Where each line starts, in bytes.
  public let lineStarts: [Int]

  /// Takes a text and finds its lines, which end in `\n` or `\r\n`.
  public init(name: String, text: String) {
    self.name = name
    self.text = text
    bytes = Array(text.utf8)
    var starts = [0]
    for (index, byte) in bytes.enumerated() where byte == 0x0A { starts.append(index + 1) }
    lineStarts = starts
  }

  /// The range of the whole text.
  public var range: SourceRange { SourceRange(0, bytes.count) }

  /// Line and column of a byte, counted from 1; columns count Unicode scalars, as Python's do.
  public func position(of offset: Int) -> (line: Int, column: Int) {
    let line = lineIndex(of: offset)
    let before = String(decoding: bytes[lineStarts[line]..<clamped(offset)], as: UTF8.self)
    return (line + 1, before.unicodeScalars.count + 1)
  }

  /// The text of a range.
  public func text(of range: SourceRange) -> String {
    let (start, end) = (clamped(range.start), clamped(range.end))
    return String(decoding: bytes[start..<max(start, end)], as: UTF8.self)
  }

  /// The bytes of line number `line`, counted from 1, without its line end.
  public func range(ofLine line: Int) -> SourceRange {
    let index = min(max(line - 1, 0), lineStarts.count - 1)
    var end = index + 1 < lineStarts.count ? lineStarts[index + 1] - 1 : bytes.count
    if end > lineStarts[index], bytes[end - 1] == 0x0D { end -= 1 }
    return SourceRange(lineStarts[index], end)
  }

  /// The part of `range` that lies within `reach` bytes of `offset`, without cut scalars.
  func window(of range: SourceRange, around offset: Int, reach: Int) -> SourceRange {
    func isInside(_ place: Int) -> Bool { place < bytes.count && bytes[place] & 0xC0 == 0x80 }
    var start = max(range.start, clamped(offset) - reach)
    var end = min(range.end, clamped(offset) + reach)
    while start < end, isInside(start) { start += 1 }
    while end > start, end < range.end, isInside(end) { end -= 1 }
    return SourceRange(start, end)
  }

  private func clamped(_ offset: Int) -> Int { min(max(offset, 0), bytes.count) }

  private func lineIndex(of offset: Int) -> Int {
    var (low, high) = (0, lineStarts.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lineStarts[middle] <= offset { low = middle } else { high = middle }
    }
    return low
  }
}
