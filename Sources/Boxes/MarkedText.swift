internal import Budget

/// What an answer says of places in a picture: `<ref>the cat</ref><box>(21,29),(526,837)</box>`.
///
/// Nothing is guessed: what is not exactly of that form is told with its place.
public struct MarkedText: Sendable {
  /// A box or a quad.
  public struct Mark: Sendable, Hashable {
    /// What was written.
    public enum Shape: Sendable, Hashable {
      case box(Box)
      case quad(Quad)
    }

    /// What was written.
    public let shape: Shape
    /// The name in the `<ref>` that stands directly before, white space at its ends left out; nil where
    /// anything else does.
    public let label: String?
    /// The character at which its tag starts, counted from 1.
    public let place: Int
  }

  /// A tag that stands for nothing.
  public struct Malformed: Sendable, Hashable, CustomStringConvertible {
    /// The tag, such as `<box>`.
    public let tag: String
    /// The character at which it starts, counted from 1.
    public let place: Int
    /// What is wrong, in words that follow a colon.
    public let reason: String

    /// What is wrong and where.
    public var description: String { "malformed \(tag) at character \(place): \(reason)" }
  }

  /// Boxes and quads, in order.
  public private(set) var marks: [Mark] = []
  /// What is no mark though it starts or ends like one, in order.
  public private(set) var malformed: [Malformed] = []

  /// The boxes alone.
  public var boxes: [Box] {
    marks.compactMap { if case .box(let box) = $0.shape { box } else { nil } }
  }

  /// Reads an answer.
  public init(_ text: String) {
    read(MarkScanner(Array(text.utf8)))
  }

  private mutating func read(_ scanner: MarkScanner) {
    var scanner = scanner
    // The name that ended where the next tag may start.
    var name: (text: String, end: Int)?
    while let tag = scanner.nextTag() {
      let place = scanner.character(at: tag.start)
      func wrong(_ reason: String) -> Malformed {
        Malformed(tag: tag.text, place: place, reason: reason)
      }
      guard !tag.isEnd else {
        malformed.append(wrong("it has no \(tag.kind.start) before it"))
        continue
      }
      let after = scanner
      guard let end = scanner.nextTag(), end.isEnd, end.kind == tag.kind else {
        scanner = after
        malformed.append(wrong("it has no \(tag.kind.end)"))
        continue
      }
      let content = tag.end..<end.start
      guard tag.kind != .ref else {
        name = (scanner.text(content), end.end)
        continue
      }
      let label = name.flatMap { $0.end == tag.start ? $0.text : nil }
      do throws(MarkScanner.Failure) {
        let shape = try scanner.shape(tag.kind, in: content)
        marks.append(Mark(shape: shape, label: label, place: place))
      } catch {
        let found = error.place.map { " at character \(scanner.character(at: $0))" } ?? ""
        malformed.append(wrong(error.reason + found))
      }
    }
  }
}

/// Walks over an answer from tag to tag.
private struct MarkScanner {
  enum Kind: String, CaseIterable {
    case ref, box, quad

    var start: String { "<\(rawValue)>" }
    var end: String { "</\(rawValue)>" }
  }

  struct Tag {
    let kind: Kind
    let isEnd: Bool
    let start, end: Int

    var text: String { isEnd ? kind.end : kind.start }
  }

  struct Failure: Error {
    let reason: String
    /// The byte at which the reading ends, where that says more.
    var place: Int?
  }

  private static let tags: [(text: [UInt8], kind: Kind, isEnd: Bool)] = Kind.allCases.flatMap {
    [(Array($0.start.utf8), $0, false), (Array($0.end.utf8), $0, true)]
  }

  private let bytes: [UInt8]
  private var place = 0
  /// A byte, and how many characters start before it.
  private var counted = (byte: 0, characters: 0)

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Which character starts at a byte, counted from 1.
  mutating func character(at byte: Int) -> Int {
    if byte < counted.byte { counted = (0, 0) }
    counted.characters += bytes[counted.byte..<byte].count { $0 & 0xC0 != 0x80 }
    counted.byte = byte
    return counted.characters + 1
  }

  mutating func nextTag() -> Tag? {
    while place < bytes.count {
      if place & 0xFFFF == 0, Stop.isRequested { return nil }
      guard bytes[place] == UInt8(ascii: "<"), let tag = tag(at: place) else {
        place += 1
        continue
      }
      place = tag.end
      return tag
    }
    return nil
  }

  private func tag(at place: Int) -> Tag? {
    for (text, kind, isEnd) in Self.tags
    where place + text.count <= bytes.count
      && bytes[place..<place + text.count].elementsEqual(text)
    {
      return Tag(kind: kind, isEnd: isEnd, start: place, end: place + text.count)
    }
    return nil
  }

  /// A name, white space at its ends left out.
  func text(_ range: Range<Int>) -> String {
    let scalars = String(decoding: bytes[range], as: UTF8.self).unicodeScalars
    let start = scalars.drop(while: \.properties.isWhitespace)
    guard let last = start.lastIndex(where: { !$0.properties.isWhitespace }) else { return "" }
    return String(start[...last])
  }

  /// The box or quad that stands between two tags.
  func shape(_ kind: Kind, in range: Range<Int>) throws(Failure) -> MarkedText.Mark.Shape {
    var points: [(x: Int, y: Int)] = []
    var place = range.lowerBound
    func skipSpaces() { while place < range.upperBound, bytes[place] == 0x20 { place += 1 } }
    func take(_ sign: Unicode.Scalar) throws(Failure) {
      skipSpaces()
      guard place < range.upperBound, bytes[place] == UInt8(ascii: sign) else {
        throw Failure(reason: "expected '\(sign)'", place: place)
      }
      place += 1
    }
    func number() throws(Failure) -> Int {
      skipSpaces()
      let start = place
      var number = 0
      while place < range.upperBound, 0x30...0x39 ~= bytes[place] {
        number = min(number * 10 + Int(bytes[place] - 0x30), 1_000_000)
        place += 1
      }
      guard place > start else {
        throw Failure(reason: "expected a number from 0 to \(Box.largest)", place: start)
      }
      guard number <= Box.largest else {
        let shown = number < 1_000_000 ? "\(number)" : "a number"
        throw Failure(reason: "\(shown) beyond \(Box.largest)", place: start)
      }
      return number
    }
    let wanted = kind == .box ? 2 : 4
    for count in 0..<wanted {
      if count > 0 { try take(",") }
      try take("(")
      let x = try number()
      try take(",")
      let y = try number()
      try take(")")
      points.append((x, y))
    }
    skipSpaces()
    guard place == range.upperBound else {
      throw Failure(reason: "expected </\(kind.rawValue)>", place: place)
    }
    if kind == .quad, let quad = Quad(points) { return .quad(quad) }
    let (first, second) = (points[0], points[1])
    guard let box = Box(x1: first.x, y1: first.y, x2: second.x, y2: second.y) else {
      throw Failure(
        reason: first.x > second.x
          ? "its left edge \(first.x) lies right of its right edge \(second.x)"
          : "its top edge \(first.y) lies below its bottom edge \(second.y)")
    }
    return .box(box)
  }
}
