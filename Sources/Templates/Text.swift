/// A text as Python counts it: Unicode's scalars, compared one by one.
///
/// Swift's own strings hold two spellings of `é` for equal, and count what a reader sees as one character as
/// one; a template that measures, cuts or compares would then differ from Python's.
typealias Text = [Unicode.Scalar]

extension [Unicode.Scalar] {
  init(_ string: String) { self = Array(string.unicodeScalars) }

  var string: String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: self)
    return String(view)
  }

  /// Where `other` first stands at or behind `start`.
  func find(_ other: Text, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = end ?? count
    guard start <= end else { return nil }
    guard let first = other.first else { return start }
    var place = start
    while place + other.count <= end {
      if self[place] == first, self[place..<place + other.count].elementsEqual(other) {
        return place
      }
      place += 1
    }
    return nil
  }

  /// Where `other` last stands.
  func findLast(_ other: Text, from start: Int = 0, to end: Int? = nil) -> Int? {
    let end = end ?? count
    guard start <= end, other.count <= end - start else { return nil }
    var place = end - other.count
    while place >= start {
      if self[place..<place + other.count].elementsEqual(other) { return place }
      place -= 1
    }
    return nil
  }

  func replacing(_ old: Text, with new: Text, count limit: Int) -> Text {
    var result = Text()
    var (place, done) = (0, 0)
    if old.isEmpty {
      for (index, scalar) in enumerated() {
        if limit < 0 || index < limit { result += new }
        result.append(scalar)
      }
      if limit < 0 || count < limit { result += new }
      return result
    }
    while limit < 0 || done < limit, let next = find(old, from: place) {
      result += self[place..<next]
      result += new
      (place, done) = (next + old.count, done + 1)
    }
    return result + self[place...]
  }

  func stripped(
    _ isCut: (Unicode.Scalar) -> Bool = { $0.isPythonSpace }, left: Bool = true, right: Bool = true
  ) -> Text {
    var (start, end) = (0, count)
    if left { while start < end, isCut(self[start]) { start += 1 } }
    if right { while end > start, isCut(self[end - 1]) { end -= 1 } }
    return Text(self[start..<end])
  }

  /// Words between white space; the rest, at most `limit` cuts on.
  func words(limit: Int = -1) -> [Text] {
    var words: [Text] = []
    var place = 0
    while true {
      while place < count, self[place].isPythonSpace { place += 1 }
      guard place < count else { return words }
      if limit >= 0, words.count >= limit {
        return words + [Text(self[place...]).stripped(left: false)]
      }
      let start = place
      while place < count, !self[place].isPythonSpace { place += 1 }
      words.append(Text(self[start..<place]))
    }
  }

  /// Words between white space, counted from the end.
  func lastWords(limit: Int) -> [Text] {
    guard limit >= 0 else { return words() }
    var words: [Text] = []
    var end = count
    while true {
      while end > 0, self[end - 1].isPythonSpace { end -= 1 }
      guard end > 0 else { return words.reversed() }
      if words.count >= limit {
        return [Text(self[..<end]).stripped(right: false)] + words.reversed()
      }
      let stop = end
      while end > 0, !self[end - 1].isPythonSpace { end -= 1 }
      words.append(Text(self[end..<stop]))
    }
  }

  func split(at separator: Text, limit: Int = -1) -> [Text] {
    var parts: [Text] = []
    var place = 0
    while limit < 0 || parts.count < limit, let next = find(separator, from: place) {
      parts.append(Text(self[place..<next]))
      place = next + separator.count
    }
    return parts + [Text(self[place...])]
  }

  func splitLast(at separator: Text, limit: Int) -> [Text] {
    guard limit >= 0 else { return split(at: separator) }
    var parts: [Text] = []
    var end = count
    while parts.count < limit, let next = findLast(separator, to: end) {
      parts.append(Text(self[(next + separator.count)..<end]))
      end = next
    }
    return [Text(self[..<end])] + parts.reversed()
  }

  func lines(keepingEnds: Bool = false) -> [Text] {
    var lines: [Text] = []
    var (start, place) = (0, 0)
    while place < count {
      guard self[place].isPythonLineBreak else {
        place += 1
        continue
      }
      let end = place
      place += self[place] == "\r" && place + 1 < count && self[place + 1] == "\n" ? 2 : 1
      lines.append(Text(self[start..<(keepingEnds ? place : end)]))
      start = place
    }
    if start < count { lines.append(Text(self[start...])) }
    return lines
  }

  var uppercased: Text { flatMap { Text($0.properties.uppercaseMapping) } }

  /// Small letters; a sigma that ends a word is ς, as in Python.
  var lowercased: Text { indices.flatMap(lowered(at:)) }

  /// The small letters of the one at an index.
  func lowered(at index: Int) -> Text {
    guard self[index] == "Σ" else { return Text(self[index].properties.lowercaseMapping) }
    let before = self[..<index].last { !$0.properties.isCaseIgnorable }
    let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
    return [before?.properties.isCased == true && after?.properties.isCased != true ? "ς" : "σ"]
  }

  /// A capital, then small letters.
  var capitalized: Text {
    guard let first else { return [] }
    // The rest is lowered among its neighbours: a final sigma looks at what stands before it.
    return Text(first.properties.titlecaseMapping) + indices.dropFirst().flatMap(lowered(at:))
  }
}

extension Unicode.Scalar {
  /// What Python's `str.isspace` holds for white space.
  var isPythonSpace: Bool {
    switch value {
    case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F,
      0x205F, 0x3000:
      true
    default: false
    }
  }

  /// Where Python's `str.splitlines` ends a line.
  var isPythonLineBreak: Bool {
    switch value {
    case 0x0A...0x0D, 0x1C...0x1E, 0x85, 0x2028, 0x2029: true
    default: false
    }
  }

  /// What Python's `repr` writes as it is.
  var isPythonPrintable: Bool {
    if value < 0x7F { return value >= 0x20 }
    switch properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator, .spaceSeparator:
      return false
    default: return true
    }
  }

  var isPythonLetter: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: false
    }
  }

  var isPythonDecimal: Bool { properties.numericType == .decimal }
  var isPythonDigit: Bool {
    properties.numericType == .decimal || properties.numericType == .digit
  }
  var isPythonNumeric: Bool { properties.numericType != nil }
}
