/// The classes of characters that tokenizers cut texts by.
///
/// The reference's patterns know Unicode 16, its forms C and D Unicode 9, and its BERT rules Unicode
/// 8; characters that came later belong to no class, wherever this program's own tables put them.
enum ScalarClass: UInt8 {
  case letter, number, space, other

  /// The class in GPT-2's and CLIP's patterns: `\p{L}`, `\p{N}`, `\s` or none of them.
  init(_ scalar: Unicode.Scalar) {
    if scalar.value < 0x80 {
      switch UInt8(scalar.value) {
      case 0x41...0x5A, 0x61...0x7A: self = .letter
      case 0x30...0x39: self = .number
      case 0x09...0x0D, 0x20: self = .space
      default: self = .other
      }
      return
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      self = scalar.isIn(unicode: 16) ? .letter : .other
    case .decimalNumber, .letterNumber, .otherNumber:
      self = scalar.isIn(unicode: 16) ? .number : .other
    default: self = scalar.properties.isWhitespace ? .space : .other
    }
  }
}

extension Unicode.Scalar {
  /// Whether this version of Unicode had the character already.
  func isIn(unicode version: Int) -> Bool { properties.age.map { $0.major <= version } ?? false }

  /// Whether it is part of a word, `\w`.
  var isWordPart: Bool {
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
    default: properties.isAlphabetic
    }
  }

  /// Whether BERT's clean-up removes it.
  var isRemovedByBERT: Bool {
    switch value {
    case 0x09, 0x0A, 0x0D: return false
    case 0xFFFD: return true
    case ..<0x7F: return value < 0x20
    default: break
    }
    switch properties.generalCategory {
    case .control, .format, .privateUse: return isIn(unicode: 8)
    default: return false
    }
  }

  /// Whether BERT takes it for an accent.
  var isAccent: Bool {
    guard value >= 0x300 else { return false }
    switch value {
    case 0x1734, 0x1171E: return true
    case 0x1885, 0x1886, 0xA9BD, 0x111C9: return false
    default: return properties.generalCategory == .nonspacingMark && isIn(unicode: 8)
    }
  }

  /// Whether BERT cuts it off as punctuation.
  var isPunctuation: Bool {
    if value < 0x80 {
      switch value {
      case 33...47, 58...64, 91...96, 123...126: return true
      default: return false
      }
    }
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      return isIn(unicode: 8)
    default: return value == 0x166D || value == 0x111C9
    }
  }

  /// Whether BERT sets it apart as a Chinese character; the ranges are the reference's own.
  var isChinese: Bool {
    switch value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0x2F800...0x2FA1F:
      true
    default: false
    }
  }
}
