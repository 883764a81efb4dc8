internal import Budget
internal import CBytes

/// Searching and cutting text scalar by scalar, as Python counts.
///
/// Texts may have ten million scalars: every loop asks now and then whether to go on, and all that
/// throws throws `CancellationError`.
enum Texts {
  /// The byte at which `part` first stands in `whole` from `start` on; both are UTF-8.
  ///
  /// UTF-8 is self-synchronising: where the bytes of a text stand, its characters do. glibc searches
  /// in linear time ("two-way"), so that no text takes long, whatever repeats in it.
  static func find(_ part: [UInt8], in whole: [UInt8], from start: Int = 0) -> Int? {
    guard start + part.count <= whole.count else { return nil }
    return whole.withUnsafeBytes { whole in
      guard let base = whole.baseAddress else { return start }
      return fovea_find_bytes(base + start, whole.count - start, part, part.count).map { $0 - base }
    }
  }

  /// The number of the character at which `part` first stands in `whole`.
  static func find(_ part: String, in whole: String) -> Int? {
    let bytes = Array(whole.utf8)
    guard let place = find(Array(part.utf8), in: bytes) else { return nil }
    return bytes[..<place].count { !UTF8.isContinuation($0) }
  }

  static func split(_ text: String, by separator: String, limit: Int) throws -> [String] {
    let (whole, part) = (Array(text.utf8), Array(separator.utf8))
    var pieces: [String] = []
    var start = 0
    while pieces.count != limit, let place = find(part, in: whole, from: start) {
      if pieces.count & 0xFFF == 0 { try Stop.check() }
      pieces.append(String(decoding: whole[start..<place], as: UTF8.self))
      start = place + part.count
    }
    return pieces + [String(decoding: whole[start...], as: UTF8.self)]
  }

  static func splitAtSpace(_ text: String, limit: Int) throws -> [String] {
    var pieces: [String] = []
    let scalars = text.unicodeScalars
    var place = scalars.startIndex
    while true {
      place = try end(of: scalars, from: place) { isSpace($0) }
      guard place < scalars.endIndex else { return pieces }
      guard pieces.count != limit else {
        return pieces + [String(scalars[place...])]
      }
      let next = try end(of: scalars, from: place) { !isSpace($0) }
      pieces.append(String(scalars[place..<next]))
      if pieces.count & 0xFFF == 0 { try Stop.check() }
      place = next
    }
  }

  /// The first place from `start` on whose scalar does not fit.
  private static func end(
    of scalars: String.UnicodeScalarView, from start: String.Index,
    where fits: (Unicode.Scalar) -> Bool
  ) throws -> String.Index {
    var place = start
    var count = 0
    while place < scalars.endIndex, fits(scalars[place]) {
      scalars.formIndex(after: &place)
      count += 1
      if count & 0xFFFF == 0 { try Stop.check() }
    }
    return place
  }

  static func splitLines(_ text: String) throws -> [String] {
    var lines: [String] = []
    let scalars = text.unicodeScalars
    var start = scalars.startIndex
    while start < scalars.endIndex {
      let end = try end(of: scalars, from: start) { !isLineEnd($0) }
      lines.append(String(scalars[start..<end]))
      if lines.count & 0xFFF == 0 { try Stop.check() }
      guard end < scalars.endIndex else { break }
      start = scalars.index(after: end)
      if scalars[end] == "\r", start < scalars.endIndex, scalars[start] == "\n" {
        start = scalars.index(after: start)
      }
    }
    return lines
  }

  private static func isLineEnd(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x0A...0x0D, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 {
      return scalar == " " || (0x09...0x0D).contains(scalar.value)
        || (0x1C...0x1F).contains(scalar.value)
    }
    return scalar.properties.isWhitespace
  }

  static func stripped(
    _ text: String, _ characters: String?, left: Bool, right: Bool
  ) throws -> String {
    let wanted = characters.map { Set($0.unicodeScalars) }
    func goes(_ scalar: Unicode.Scalar) -> Bool { wanted?.contains(scalar) ?? isSpace(scalar) }
    let scalars = text.unicodeScalars
    let start =
      left ? try end(of: scalars, from: scalars.startIndex, where: goes) : scalars.startIndex
    var end = scalars.endIndex
    var count = 0
    while right, end > start {
      let before = scalars.index(before: end)
      guard goes(scalars[before]) else { break }
      end = before
      count += 1
      if count & 0xFFFF == 0 { try Stop.check() }
    }
    return String(scalars[start..<end])
  }

  static func replaced(
    _ text: String, _ old: String, _ new: String, limit: Int
  ) throws -> String {
    guard limit != 0 else { return text }
    if old.isEmpty {
      var result = ""
      var count = 0
      for scalar in text.unicodeScalars {
        if limit < 0 || count < limit { result += new }
        count += 1
        if count & 0xFFFF == 0 { try Stop.check() }
        result.unicodeScalars.append(scalar)
      }
      return limit < 0 || count < limit ? result + new : result
    }
    return try joined(split(text, by: old, limit: limit), by: new)
  }

  static func joined(_ pieces: [String], by separator: String) throws -> String {
    var result = ""
    for (place, piece) in pieces.enumerated() {
      if place > 0 { result += separator }
      result += piece
      if place & 0xFFF == 0 { try Stop.check() }
    }
    return result
  }

  /// A text over and over; what there is is doubled, for a letter takes as long to add as a page.
  static func repeated(_ text: String, _ count: Int) throws -> String {
    let size = text.utf8.count
    guard count > 1, size > 0 else { return count > 0 ? text : "" }
    try MemoryGate.take(count, of: size, for: "a text of \(count * size) bytes")
    let pieceCount = min(count, max(1, 65_536 / size))
    let piece = String(repeating: text, count: pieceCount)
    var result = ""
    result.reserveCapacity(count * size)
    for _ in 0..<count / pieceCount {
      try Stop.check()
      result += piece
    }
    return result + String(repeating: text, count: count % pieceCount)
  }

  /// A text in pieces of so many scalars, each changed by `body`.
  static func mapped(_ text: String, _ body: (Substring) -> String) throws -> String {
    let scalars = text.unicodeScalars
    var place = scalars.startIndex
    var result = ""
    while place < scalars.endIndex {
      try Stop.check()
      let next =
        scalars.index(place, offsetBy: 65_536, limitedBy: scalars.endIndex)
        ?? scalars.endIndex
      result += body(text[place..<next])
      place = next
    }
    return result
  }

  /// A text whose capital sigmas at the ends of words are the small ones that stand there, so that
  /// it can be made small letter by letter; made large again they are what they were.
  ///
  /// A sigma ends a word where a letter with a case is before it and none after it; what has no case
  /// of its own and may stand inside a word, such as an apostrophe or an accent, is passed over.
  static func withFinalSigmas(_ text: String) throws -> String {
    var bytes = Array(text.utf8)
    let sigma = Array("\u{3A3}".utf8)
    guard var place = find(sigma, in: bytes) else { return text }
    let final = Array("\u{3C2}".utf8)
    let scalars = text.unicodeScalars
    while true {
      let index = text.utf8.index(text.startIndex, offsetBy: place)
      if try endsWord(scalars, index) { bytes.replaceSubrange(place..<place + 2, with: final) }
      guard let next = find(sigma, in: bytes, from: place + 2) else { break }
      place = next
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Whether the letter at `place` is the last of a word of two letters or more.
  private static func endsWord(
    _ scalars: String.UnicodeScalarView, _ place: String.Index
  ) throws -> Bool {
    var before = place
    var count = 0
    var follows = false
    while before > scalars.startIndex, !follows {
      if count & 0xFFFF == 0 { try Stop.check() }
      count += 1
      scalars.formIndex(before: &before)
      if scalars[before].properties.isCaseIgnorable { continue }
      guard scalars[before].properties.isCased else { return false }
      follows = true
    }
    guard follows else { return false }
    let after = try end(of: scalars, from: scalars.index(after: place)) {
      $0.properties.isCaseIgnorable
    }
    return after == scalars.endIndex || !scalars[after].properties.isCased
  }

  /// Negative, zero or positive, as one text stands before another: UTF-8 sorts as its scalars do.
  static func order(_ a: String, _ b: String) -> Int {
    let order = a.utf8.withContiguousStorageIfAvailable { a in
      b.utf8.withContiguousStorageIfAvailable { b -> Int in
        let order = Int(fovea_compare_bytes(a.baseAddress, b.baseAddress, min(a.count, b.count)))
        return order == 0 ? a.count - b.count : order
      }
    }
    if case .some(.some(let order)) = order { return order }
    return a.utf8.lexicographicallyPrecedes(b.utf8)
      ? -1 : b.utf8.lexicographicallyPrecedes(a.utf8) ? 1 : 0
  }

  /// The scalars of a text, to count in.
  static func scalars(of text: String) throws -> [Unicode.Scalar] {
    try MemoryGate.take(text.utf8.count, of: 4, for: "the characters of a text")
    var result: [Unicode.Scalar] = []
    result.reserveCapacity(text.utf8.count)
    var place = text.unicodeScalars.startIndex
    while place < text.unicodeScalars.endIndex {
      try Stop.check()
      let next =
        text.unicodeScalars.index(
          place, offsetBy: 65_536, limitedBy: text.unicodeScalars.endIndex)
        ?? text.unicodeScalars.endIndex
      result += text.unicodeScalars[place..<next]
      place = next
    }
    return result
  }
}
