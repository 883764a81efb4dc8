/// Sequences of bytes that are UTF-8 but for what a program changed in it.
enum BytePatterns {
  private typealias Pattern = [[ClosedRange<UInt8>]]
  private static let space: [ClosedRange<UInt8>] = [0x20...0x20]
  private static let following: [ClosedRange<UInt8>] = [0x80...0xBF]
  /// What follows, but for the one that is often a mistake, and A0.
  private static let sure: [ClosedRange<UInt8>] = [0x80...0x84, 0x86...0x9F, 0xA1...0xBF]

  /// A0 that became a space inside a character.
  private static let spaced: [Pattern] = [
    [[0xC2...0xC3, 0xC5...0xC5, 0xCE...0xCE, 0xD0...0xD0, 0xD9...0xD9], space],
    [[0xE2...0xE3], space, sure], [[0xE0...0xE3], sure, space],
    [[0xF0...0xF0], space, following, following], [[0xF0...0xF0], following, space, following],
    [[0xF0...0xF0], following, following, space],
  ]

  /// Characters of which a byte was lost: 1A stands where it was, or a question mark.
  private static let lossy: [Pattern] = {
    let lost: [ClosedRange<UInt8>] = [0x1A...0x1A]
    let question: [ClosedRange<UInt8>] = [0x1A...0x1A, 0x3F...0x3F]
    let maybe: [ClosedRange<UInt8>] = [0x1A...0x1A, 0x80...0xBF]
    let all: [ClosedRange<UInt8>] = [0x1A...0x1A, 0x3F...0x3F, 0x80...0xBF]
    let (surrogate, high, low): ([ClosedRange<UInt8>], [ClosedRange<UInt8>], [ClosedRange<UInt8>]) =
      ([0xED...0xED], [0xA0...0xAF], [0xB0...0xBF])
    let (three, four): ([ClosedRange<UInt8>], [ClosedRange<UInt8>]) =
      ([0xE0...0xEF], [0xF0...0xF4])
    return [
      [[0xC2...0xDF], lost], [[0xC2...0xC3], [0x3F...0x3F]],
      [surrogate, high, question, surrogate, low, all],
      [surrogate, high, all, surrogate, low, question],
      [three, question, maybe], [three, maybe, question],
      [four, question, maybe, maybe], [four, maybe, question, maybe],
      [four, maybe, maybe, question],
      [lost],
    ]
  }()

  /// Bytes in which spaces inside characters are A0 again.
  static func withHardSpaces(_ bytes: [UInt8]) -> [UInt8] {
    guard replaced(bytes, spaced, by: { $0 }) != nil else { return bytes }
    let parted = withAGraveParted(bytes)
    return replaced(parted, spaced) { found in found.map { $0 == 0x20 ? 0xA0 : $0 } } ?? parted
  }

  /// `Ã la` is `à la`: the space stays where it parts two words.
  private static func withAGraveParted(_ bytes: [UInt8]) -> [UInt8] {
    let joined = [" ", "quele", "quela", "quilo", "s "].map { Array($0.utf8) }
    var result: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == 0xC3, place + 1 < bytes.count, bytes[place + 1] == 0x20,
        !joined.contains(where: { bytes[(place + 2)...].starts(with: $0) })
      {
        result += [0xC3, 0xA0, 0x20]
        place += 2
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return result
  }

  /// Bytes in which characters that lost a byte are U+FFFD.
  static func withReplacements(_ bytes: [UInt8]) -> [UInt8] {
    replaced(bytes, lossy) { _ in [0xEF, 0xBF, 0xBD] } ?? bytes
  }

  /// The bytes with every sequence that fits replaced, from left to right; nil where none fits.
  private static func replaced(
    _ bytes: [UInt8], _ patterns: [Pattern], by replacement: ([UInt8]) -> [UInt8]
  ) -> [UInt8]? {
    var result: [UInt8] = []
    var (place, isChanged) = (0, false)
    while place < bytes.count {
      let found = patterns.first { pattern in
        place + pattern.count <= bytes.count
          && pattern.indices.allSatisfy { offset in
            pattern[offset].contains { $0.contains(bytes[place + offset]) }
          }
      }
      if let found {
        result += replacement(Array(bytes[place..<place + found.count]))
        place += found.count
        isChanged = true
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return isChanged ? result : nil
  }

  /// The characters of UTF-8, in which pairs of surrogates and C0 80 count as they do in Java; nil where
  /// it is none.
  static func decoded(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
    var plain: [UInt8] = []
    var place = 0
    while place < bytes.count {
      let rest = bytes[place...]
      if rest.starts(with: [0xC0, 0x80]) {
        plain.append(0)
        place += 2
      } else if bytes[place] == 0xED, rest.count >= 6,
        0xA0...0xAF ~= bytes[place + 1], 0x80...0xBF ~= bytes[place + 2],
        bytes[place + 3] == 0xED, 0xB0...0xBF ~= bytes[place + 4], 0x80...0xBF ~= bytes[place + 5]
      {
        let value =
          UInt32(bytes[place + 1] & 0x0F) << 16 | UInt32(bytes[place + 2] & 0x3F) << 10
          | UInt32(bytes[place + 4] & 0x0F) << 6 | UInt32(bytes[place + 5] & 0x3F)
        guard let scalar = Unicode.Scalar(value + 0x10000) else { return nil }
        plain += Array(String(Character(scalar)).utf8)
        place += 6
      } else {
        plain.append(bytes[place])
        place += 1
      }
    }
    return String(validating: plain, as: UTF8.self).map { Array($0.unicodeScalars) }
  }
}
