/// Mends texts as ftfy does (Speer, ftfy 6.3): what was decoded by mistake, references of HTML, ligatures,
/// wide letters, curly quotes, control characters.
///
/// With its default settings, which OpenCLIP takes. A line is mended at a time.
enum TextRepair {
  /// The longest part that is mended at once, in characters.
  private static let longestPart = 1_000_000

  /// The text, mended.
  static func repaired(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    var start = 0
    // A text with a `<` in it is HTML itself, from that line on.
    var unescapes = true
    while start < text.count {
      let lineEnd = text[start...].firstIndex(of: "\n").map { $0 + 1 } ?? text.count
      let end = min(lineEnd, start + longestPart)
      let part = Array(text[start..<end])
      if part.contains("<") { unescapes = false }
      result += repaired(part: part, unescapes: unescapes)
      start = end
    }
    return result
  }

  private static func repaired(part: [Unicode.Scalar], unescapes: Bool) -> [Unicode.Scalar] {
    var text = part
    while true {
      let before = text
      if unescapes { text = HTMLEntities.unescapedCarefully(text) }
      text = decodedAgain(text)
      text = text.map(\.withoutControl)
      text = text.flatMap(\.apart)
      text = text.flatMap(\.withUsualWidth)
      text = text.map(\.withoutCurl)
      text = withPlainLineEnds(text)
      text = withoutTerminalEscapes(text)
      text = text.filter { !$0.isRemoved }
      if text.contains(where: { $0.value >= 0xC0 }) {
        text = CanonicalComposition.scalars(
          of: String(String.UnicodeScalarView(text)), unicode: 15)
      }
      if text == before { return text }
    }
  }

  // MARK: Encodings

  /// The text decoded as it was meant, as often as that changes it.
  static func decodedAgain(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var text = text
    while true {
      let next = decodedOnce(text)
      if next == text { return text }
      text = next
    }
  }

  private static func decodedOnce(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard Mojibake.isLikely(in: text) else { return text }
    var isLatin1 = false
    for encoding in ByteEncoding.all {
      guard var bytes = encoding.bytes(of: text) else { continue }
      if encoding.name == "latin-1" { isLatin1 = true }
      if encoding.name != "macroman" { bytes = BytePatterns.withHardSpaces(bytes) }
      if encoding.isLenient { bytes = BytePatterns.withReplacements(bytes) }
      if let decoded = BytePatterns.decoded(bytes) { return decoded }
    }
    let parts = Mojibake.decodedParts(of: text)
    if parts != text { return parts }
    if isLatin1 {
      let decoded = text.map { ByteEncoding.windows1252(UInt8(truncatingIfNeeded: $0.value)) }
      let known = decoded.compactMap { $0 }
      if known.count == text.count, known != text { return known }
    }
    return text.map(\.withoutControl)
  }

  // MARK: Characters

  private static func withPlainLineEnds(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var result: [Unicode.Scalar] = []
    for (place, scalar) in text.enumerated() {
      switch scalar {
      case "\r": if place + 1 >= text.count || text[place + 1] != "\n" { result.append("\n") }
      case "\u{2028}", "\u{2029}", "\u{85}": result.append("\n")
      default: result.append(scalar)
      }
    }
    return result
  }

  /// Without the codes that colour a terminal: `ESC [`, digits and semicolons, a letter.
  private static func withoutTerminalEscapes(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    guard text.contains("\u{1B}") else { return text }
    var result: [Unicode.Scalar] = []
    var place = 0
    while place < text.count {
      if text[place] == "\u{1B}", place + 1 < text.count, text[place + 1] == "[" {
        var end = place + 2
        while end < text.count,
          text[end] == ";" || text[end].properties.generalCategory == .decimalNumber
        { end += 1 }
        if end < text.count, ScalarSet.latin.contains(text[end]) {
          place = end + 1
          continue
        }
      }
      result.append(text[place])
      place += 1
    }
    return result
  }
}

extension Unicode.Scalar {
  /// What Windows-1252 has where this control character stands.
  fileprivate var withoutControl: Unicode.Scalar {
    0x80...0x9F ~= value ? ByteEncoding.lenientWindows1252(UInt8(value)) : self
  }

  /// The letters of a ligature.
  fileprivate var apart: [Unicode.Scalar] {
    guard value >= 0x132 else { return [self] }
    let letters: String? =
      switch value {
      case 0x132: "IJ"
      case 0x133: "ij"
      case 0x149: "\u{2BC}n"
      case 0x1F1: "DZ"
      case 0x1F2: "Dz"
      case 0x1F3: "dz"
      case 0x1C4: "D\u{17D}"
      case 0x1C5: "D\u{17E}"
      case 0x1C6: "d\u{17E}"
      case 0x1C7: "LJ"
      case 0x1C8: "Lj"
      case 0x1C9: "lj"
      case 0x1CA: "NJ"
      case 0x1CB: "Nj"
      case 0x1CC: "nj"
      case 0xFB00: "ff"
      case 0xFB01: "fi"
      case 0xFB02: "fl"
      case 0xFB03: "ffi"
      case 0xFB04: "ffl"
      case 0xFB05: "\u{17F}t"
      case 0xFB06: "st"
      default: nil
      }
    return letters.map { Array($0.unicodeScalars) } ?? [self]
  }

  /// The character that a wide or narrow form stands for.
  fileprivate var withUsualWidth: [Unicode.Scalar] {
    if value == 0x3000 { return [" "] }
    guard 0xFF01...0xFFEF ~= value else { return [self] }
    let parts = String(
      String.UnicodeScalarView(CharacterTables.decomposed(self, isCompatible: true)))
    return CanonicalComposition.scalars(of: parts, unicode: 15)
  }

  fileprivate var withoutCurl: Unicode.Scalar {
    switch value {
    case 0x2BC, 0x2018...0x201B: "'"
    case 0x201C...0x201F: "\""
    default: self
    }
  }

  /// Whether it is a control character that shows nothing.
  fileprivate var isRemoved: Bool {
    switch value {
    case 0x00...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x206A...0x206F, 0xFEFF, 0xFFF9...0xFFFC: true
    default: false
    }
  }
}
