/// Searching and cutting text scalar by scalar, as Python counts.
enum Texts {
  /// Where `part` first stands in `whole` from `start` on.
  static func find<T: Equatable>(_ part: [T], in whole: [T], from start: Int = 0) -> Int? {
    guard !part.isEmpty else { return start <= whole.count ? start : nil }
    var index = start
    while index + part.count <= whole.count {
      if whole[index] == part[0], whole[index..<index + part.count].elementsEqual(part) {
        return index
      }
      index += 1
    }
    return nil
  }

  static func split(_ text: String, by separator: String, limit: Int) -> [String] {
    let (whole, part) = (Array(text.utf8), Array(separator.utf8))
    var pieces: [String] = []
    var start = 0
    while pieces.count != limit, let place = find(part, in: whole, from: start) {
      pieces.append(String(decoding: whole[start..<place], as: UTF8.self))
      start = place + part.count
    }
    return pieces + [String(decoding: whole[start...], as: UTF8.self)]
  }

  static func splitAtSpace(_ text: String, limit: Int) -> [String] {
    var pieces: [String] = []
    var rest = text.unicodeScalars[...]
    while true {
      rest = rest.drop { isSpace($0) }
      guard !rest.isEmpty else { return pieces }
      guard pieces.count != limit else {
        while let last = rest.last, isSpace(last) { rest = rest.dropLast() }
        return pieces + [String(rest)]
      }
      let word = rest.prefix { !isSpace($0) }
      pieces.append(String(word))
      rest = rest[word.endIndex...]
    }
  }

  static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isWhitespace || (0x1C...0x1F).contains(scalar.value)
  }

  static func stripped(_ text: String, _ characters: String?, left: Bool, right: Bool) -> String {
    let wanted = characters.map { Set($0.unicodeScalars) }
    func goes(_ scalar: Unicode.Scalar) -> Bool { wanted?.contains(scalar) ?? isSpace(scalar) }
    var rest = text.unicodeScalars[...]
    if left { rest = rest.drop(while: goes) }
    if right { while let last = rest.last, goes(last) { rest = rest.dropLast() } }
    return String(rest)
  }

  static func replaced(_ text: String, _ old: String, _ new: String, limit: Int) -> String {
    guard limit != 0 else { return text }
    if old.isEmpty {
      var result = ""
      var count = 0
      for scalar in text.unicodeScalars {
        if limit < 0 || count < limit { result += new }
        count += 1
        result.unicodeScalars.append(scalar)
      }
      return limit < 0 || count < limit ? result + new : result
    }
    return split(text, by: old, limit: limit).joined(separator: new)
  }
}
