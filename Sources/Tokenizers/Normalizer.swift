/// Changes a text before it is cut into words.
enum Normalizer: Sendable, Equatable {
  /// BERT's: control characters go, spaces become plain, Chinese characters stand apart, then
  /// accents and capitals go.
  case bert(cleans: Bool, separatesChinese: Bool, stripsAccents: Bool, lowercases: Bool)
  /// Composes characters, form C of this version of Unicode.
  case composed(unicode: Int = 9)
  /// Makes each run of white space one space.
  case singleSpaces
  /// Makes capitals small.
  case lowercased
  /// Puts a text before one that is not empty.
  case prefixed(String)
  /// Puts one text wherever another stands.
  case replaced(String, by: String)
  /// Takes white space from the ends.
  case stripped(left: Bool, right: Bool)
  /// Takes spaces from both ends, and all but one of each run of them; at the end also marks that stand for
  /// spaces, if `endsAtMarks`.
  case withoutExtraSpaces(endsAtMarks: Bool)

  /// The text, changed.
  func apply(to text: String) -> String {
    switch self {
    case .bert(let cleans, let separatesChinese, let stripsAccents, let lowercases):
      if text.utf8.allSatisfy({ $0 < 0x80 }) {
        return Self.plain(text, cleans: cleans, lowercases: lowercases)
      }
      var text = text
      if cleans || separatesChinese {
        text = Self.cleaned(text, cleans: cleans, separatesChinese: separatesChinese)
      }
      if stripsAccents {
        var kept = String.UnicodeScalarView()
        for scalar in CanonicalDecomposition.scalars(of: text).untilStopped where !scalar.isAccent {
          kept.append(scalar)
        }
        text = String(kept)
      }
      return lowercases ? Self.lowercase(text) : text
    case .composed(let version):
      if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
      var composed = String.UnicodeScalarView()
      for scalar in CanonicalComposition.scalars(of: text, unicode: version).untilStopped {
        composed.append(scalar)
      }
      return String(composed)
    case .singleSpaces:
      var result = String.UnicodeScalarView()
      var lastIsSpace = false
      for scalar in text.unicodeScalars.untilStopped {
        let isSpace = ScalarClass(scalar) == .space
        if !isSpace { result.append(scalar) } else if !lastIsSpace { result.append(" ") }
        lastIsSpace = isSpace
      }
      return String(result)
    case .lowercased: return Self.lowercase(text)
    case .prefixed(let prefix): return text.isEmpty ? text : prefix + text
    case .replaced(let found, let replacement):
      return Self.replace(found, by: replacement, in: text)
    case .stripped(let left, let right): return Self.strip(text, left: left, right: right)
    case .withoutExtraSpaces(let endsAtMarks):
      return Self.withoutExtraSpaces(text, endsAtMarks: endsAtMarks)
    }
  }

  /// BERT's changes to a text of ASCII.
  private static func plain(_ text: String, cleans: Bool, lowercases: Bool) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count)
    for byte in text.utf8.untilStopped {
      switch byte {
      case 0x09, 0x0A, 0x0D: bytes.append(cleans ? 0x20 : byte)
      case ..<0x20, 0x7F: if !cleans { bytes.append(byte) }
      case 0x41...0x5A: bytes.append(lowercases ? byte + 0x20 : byte)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func cleaned(_ text: String, cleans: Bool, separatesChinese: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.untilStopped {
      if cleans {
        if scalar.isRemovedByBERT { continue }
        if scalar.properties.isWhitespace {
          result.append(" ")
          continue
        }
      }
      if separatesChinese && scalar.isChinese {
        result.append(" ")
        result.append(scalar)
        result.append(" ")
      } else {
        result.append(scalar)
      }
    }
    return String(result)
  }

  /// Character by character, without regard to the ones around: `Σ` is `σ` everywhere.
  private static func lowercase(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.untilStopped {
      if scalar.value < 0x80 {
        let isCapital = scalar.value >= 0x41 && scalar.value <= 0x5A
        result.append(isCapital ? Unicode.Scalar(UInt8(scalar.value) + 0x20) : scalar)
      } else {
        // One by one: appending a sequence counts all that is there, every time.
        for small in scalar.properties.lowercaseMapping.unicodeScalars { result.append(small) }
      }
    }
    return String(result)
  }
}
