extension StringProtocol {
  /// This text with everything that a terminal would obey, or a reader could not see, spelled out.
  ///
  /// Control characters (C0, C1, DEL), direction controls and invisible characters become
  /// `⟨U+001B⟩`; line breaks and tabs stay. A joiner stays where it joins (emoji, and letters of
  /// scripts that need it), and a variation selector behind what it can vary.
  public var visible: String {
    guard !utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A || $0 == 0x09 }) else {
      return String(self)
    }
    return spelled { $0 == "\n" || $0 == "\t" ? String($0) : nil }
  }

  /// The same on one line: `⏎` stands for a line break and `⇥` for a tab, as in figures.
  public var visibleOnOneLine: String {
    guard !utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return String(self) }
    // A return and the line feed after it are one break.
    return String(self).replacing("\r\n", with: "\n").spelled { scalar in
      switch scalar {
      case "\n", "\r", "\u{2028}", "\u{2029}": "⏎"
      case "\t": "⇥"
      default: nil
      }
    }
  }

  /// The same without any exception: a line break and a tab are spelled out as well.
  public var visibleThroughout: String {
    guard !utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else { return String(self) }
    return spelled { _ in nil }
  }

  /// Each scalar as itself, as `own` has it, or spelled out.
  private func spelled(_ own: (Unicode.Scalar) -> String?) -> String {
    var result = String.UnicodeScalarView()
    let scalars = unicodeScalars
    var previous: Unicode.Scalar?
    var place = scalars.startIndex
    while place < scalars.endIndex {
      let scalar = scalars[place]
      scalars.formIndex(after: &place)
      if let own = own(scalar) {
        result.append(contentsOf: own.unicodeScalars)
        previous = nil
      } else if scalar.isSeen(
        after: previous, before: place < scalars.endIndex ? scalars[place] : nil)
      {
        result.append(scalar)
        previous = scalar
      } else {
        result.append(contentsOf: scalar.spelledOut.unicodeScalars)
        previous = nil
      }
    }
    return String(result)
  }
}

extension Character {
  /// What stands for this character on screen: itself, or what in it would be obeyed or unseen
  /// spelled out; line breaks and tabs too.
  public var visible: String { String(self).visibleThroughout }
}

extension Unicode.Scalar {
  /// How it is spelled out: `⟨U+001B⟩`.
  public var spelledOut: String {
    let digits = String(value, radix: 16, uppercase: true)
    return "⟨U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "⟩"
  }

  /// Whether a reader sees that this scalar is there, and a terminal only shows it.
  fileprivate func isSeen(after previous: Unicode.Scalar?, before next: Unicode.Scalar?) -> Bool {
    if value < 0x7F { return value >= 0x20 }
    if value < 0xA0 { return false }
    switch value {
    case 0x200C, 0x200D:
      guard let previous else { return false }
      return previous.isOfJoiningScript
        || value == 0x200D && previous.isPartOfEmoji && next?.isPartOfEmoji == true
    case 0xFE00...0xFE0F: return previous?.mayVary ?? false
    case 0xE0100...0xE01EF: return previous?.properties.isIdeographic ?? false
    case 0x180B...0x180D, 0x180F: return (0x1820...0x18AA).contains(previous?.value ?? 0)
    default: break
    }
    if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
    switch properties.generalCategory {
    case .format, .lineSeparator, .paragraphSeparator, .surrogate: return false
    default: return true
    }
  }

  /// Letters and marks of Arabic and its neighbours, of India and of South-East Asia, whose
  /// spelling needs joiners.
  private var isOfJoiningScript: Bool {
    switch value {
    case 0x0620...0x109F, 0x1700...0x18AA, 0x1900...0x1CFF, 0xA800...0xABFF, 0x11000...0x11FFF:
      !properties.isDefaultIgnorableCodePoint
    default: false
    }
  }

  private var isPartOfEmoji: Bool {
    value == 0xFE0F || value > 0xFF && (properties.isEmoji || properties.isEmojiModifier)
  }

  /// Whether a variation selector can change how this is drawn: never behind another selector, or
  /// behind letters, where it would be a place to hide things in.
  private var mayVary: Bool {
    properties.isEmoji || properties.isIdeographic || properties.generalCategory == .mathSymbol
      || (0x1000...0x109F).contains(value) || (0xA840...0xA87F).contains(value)
  }
}
