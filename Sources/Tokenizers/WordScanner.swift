/// Cuts text into words where GPT-2's pattern does, in one pass:
/// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`.
///
/// Written out because general pattern engines give up on a million spaces.
struct WordScanner {
  private enum Kind { case letter, number, space, other }
  private let scalars: [Unicode.Scalar]
  private var place = 0

  init(_ text: Substring) { scalars = Array(text.unicodeScalars) }

  /// The next word's UTF-8 bytes; nil at the end.
  mutating func next() -> [UInt8]? {
    guard place < scalars.count else { return nil }
    let start = place
    if let length = contraction() {
      place += length
      return bytes(start)
    }
    var first = place
    if scalars[first] == " ", first + 1 < scalars.count, kind(first + 1) != .space { first += 1 }
    let leading = kind(first)
    if leading != .space {
      place = first + 1
      while place < scalars.count, kind(place) == leading { place += 1 }
      return bytes(start)
    }
    while place < scalars.count, kind(place) == .space { place += 1 }
    // The last of several spaces belongs to the word that follows.
    if place < scalars.count, place - start > 1 { place -= 1 }
    return bytes(start)
  }

  private func contraction() -> Int? {
    guard scalars[place] == "'", place + 1 < scalars.count else { return nil }
    switch scalars[place + 1] {
    case "s", "t", "m", "d": return 2
    case "r" where follows("e"), "v" where follows("e"), "l" where follows("l"): return 3
    default: return nil
    }
  }

  private func follows(_ scalar: Unicode.Scalar) -> Bool {
    place + 2 < scalars.count && scalars[place + 2] == scalar
  }

  private func kind(_ index: Int) -> Kind {
    let scalar = scalars[index]
    if scalar.isASCII {
      switch scalar.value {
      case 65...90, 97...122: return .letter
      case 48...57: return .number
      case 9...13, 32: return .space
      default: return .other
      }
    }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return scalar.properties.isWhitespace ? .space : .other
    }
  }

  private func bytes(_ start: Int) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(place - start)
    for scalar in scalars[start..<place] { result += UTF8.encode(scalar) ?? .init() }
    return result
  }
}
