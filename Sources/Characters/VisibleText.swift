extension StringProtocol {
  /// This text with everything that a terminal would obey, or a reader could not see, spelled out.
  ///
  /// Control characters (C0, C1, DEL), direction controls and invisible characters become
  /// `⟨U+001B⟩`; line breaks and tabs stay. A joiner or selector stays where it joins visible
  /// scalars, so that emoji families and Indic clusters look as they should.
  public var visible: String {
    if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A }) { return String(self) }
    var result = ""
    for character in self { result += character.visible(keepingBreaks: true) }
    return result
  }

  /// The same on one line: `⏎` stands for a line break and `⇥` for a tab, as in figures.
  public var visibleOnOneLine: String {
    if utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return String(self) }
    return reduce(into: "") { line, character in
      switch character {
      case "\n", "\r", "\r\n", "\u{2028}", "\u{2029}": line += "⏎"
      case "\t": line += "⇥"
      default: line += character.visible(keepingBreaks: false)
      }
    }
  }
}

extension Character {
  /// What stands for this character on screen.
  public func visible(keepingBreaks: Bool) -> String {
    let scalars = unicodeScalars
    if keepingBreaks, self == "\n" || self == "\t" { return String(self) }
    guard scalars.contains(where: \.needsSpelling) else { return String(self) }
    let showsSomething = scalars.contains { $0.displayWidth > 0 }
    var result = ""
    for scalar in scalars {
      let joins = scalar.value == 0x200D || scalar.value == 0x200C
      if scalar.needsSpelling, !(joins && showsSomething) {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        result += "⟨U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "⟩"
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}

extension Unicode.Scalar {
  /// Whether a terminal would act on this scalar or show nothing for it.
  fileprivate var needsSpelling: Bool {
    if value < 0x20 || (0x7F..<0xA0).contains(value) { return true }
    if value < 0xAD { return false }
    switch properties.generalCategory {
    case .format, .lineSeparator, .paragraphSeparator, .surrogate: return true
    default: return properties.isNoncharacterCodePoint
    }
  }
}
