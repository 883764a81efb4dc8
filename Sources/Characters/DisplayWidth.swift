extension Character {
  /// Columns that this character takes in a terminal: 0, 1 or 2.
  ///
  /// A cluster is as wide as its widest scalar; emoji presentation, a flag or a keycap makes it
  /// two. Source: Unicode's East_Asian_Width and Emoji_Presentation, as terminals use them.
  public var displayWidth: Int {
    if let ascii = asciiValue { return ascii >= 0x20 && ascii != 0x7F ? 1 : 0 }
    var widest = 0
    var indicators = 0
    for scalar in unicodeScalars {
      // Variation selector 16 asks for the emoji form of the scalar before it.
      if scalar.value == 0xFE0F, widest == 1 { return 2 }
      if (0x1F1E6...0x1F1FF).contains(scalar.value) { indicators += 1 }
      widest = max(widest, scalar.displayWidth)
    }
    return indicators >= 2 ? 2 : widest
  }
}

extension Unicode.Scalar {
  /// Columns of the scalar on its own.
  var displayWidth: Int {
    if value < 0x20 || (0x7F..<0xA0).contains(value) { return 0 }
    if value < 0x300 { return value == 0xAD ? 0 : 1 }
    switch properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .lineSeparator, .paragraphSeparator: return 0
    default: break
    }
    // Vowels and final consonants of decomposed Hangul sit in the block that the initial opened.
    if (0x1160...0x11FF).contains(value) || (0xD7B0...0xD7FF).contains(value) { return 0 }
    return isWide || properties.isEmojiPresentation && !isRegionalIndicator ? 2 : 1
  }

  private var isRegionalIndicator: Bool { (0x1F1E6...0x1F1FF).contains(value) }

  private var isWide: Bool {
    guard value >= 0x1100 else { return false }
    var (low, high) = (0, wideRanges.count)
    while low < high {
      let middle = (low + high) / 2
      if wideRanges[middle].last < value { low = middle + 1 } else { high = middle }
    }
    return low < wideRanges.count && wideRanges[low].first <= value
  }
}

extension StringProtocol {
  /// Columns that this text takes in a terminal when written on one line.
  public var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }

  /// The longest beginning that takes at most `columns`; an ellipsis ends it where it was cut.
  public func truncated(toColumns columns: Int) -> String {
    guard displayWidth > columns else { return String(self) }
    guard columns > 0 else { return "" }
    var kept = ""
    var width = 0
    for character in self {
      width += character.displayWidth
      if width > columns - 1 { break }
      kept.append(character)
    }
    return kept + "…"
  }

  /// The beginning and the end in at most `columns`, an ellipsis between them where something was
  /// cut.
  public func shortened(toColumns columns: Int) -> String {
    guard displayWidth > columns else { return String(self) }
    guard columns > 0 else { return "" }
    let room = columns - 1
    let tail = Self.beginning(of: reversed(), columns: room / 2)
    let head = Self.beginning(of: self, columns: room - tail.displayWidth)
    return head + "…" + String(tail.reversed())
  }

  private static func beginning(of characters: some Sequence<Character>, columns: Int) -> String {
    var (kept, width) = ("", 0)
    for character in characters {
      width += character.displayWidth
      if width > columns { break }
      kept.append(character)
    }
    return kept
  }
}

/// Texts made short without two different ones becoming alike.
public enum ShortenedTexts {
  /// Each text as `shorten` gives it; where different texts come out alike, the place in the list
  /// stands in front, counted from 0.
  ///
  /// - Parameter shorten: given what stands in front, that and the text, made short.
  public static func distinct(
    _ texts: [String], by shorten: (_ prefix: String, _ text: String) -> String
  ) -> [String] {
    let short = texts.map { shorten("", $0) }
    var meanings: [String: Set<String>] = [:]
    for (label, text) in zip(short, texts) { meanings[label, default: []].insert(text) }
    return texts.indices.map { index in
      meanings[short[index], default: []].count > 1
        ? shorten("[\(index)] ", texts[index]) : short[index]
    }
  }
}
