extension Normalizer {
  /// `replacement` for each `found`, from left to right.
  static func replace(_ found: String, by replacement: String, in text: String) -> String {
    guard let first = found.utf8.first, text.utf8.contains(first) else { return text }
    let bytes = TokenDecoder.replace(found, by: replacement, in: Array(text.utf8))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text without white space at its ends.
  static func strip(_ text: String, left: Bool, right: Bool) -> String {
    var scalars = text.unicodeScalars[...]
    if left { scalars = scalars.drop { $0.properties.isWhitespace } }
    if right {
      while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    }
    return String(scalars)
  }

  /// The words of a text with a space between them.
  static func withoutExtraSpaces(_ text: String, endsAtMarks: Bool) -> String {
    let words = text.utf8.split(separator: 0x20).map { String(Substring($0)) }
    var scalars = words.joined(separator: " ").unicodeScalars[...]
    let mark = Metaspace.mark.unicodeScalars.first
    while endsAtMarks, let last = scalars.last, last == mark || last == " " {
      scalars.removeLast()
    }
    return String(scalars)
  }

  /// Whether it takes away the first character of a text: what is left starts later.
  func takesStart(of text: ArraySlice<UInt8>) -> Bool {
    switch self {
    case .withoutExtraSpaces: text.first == 0x20
    case .stripped(left: true, _):
      text.withUnsafeBufferPointer {
        !$0.isEmpty && $0.scalar(at: 0).scalar.properties.isWhitespace
      }
    default: false
    }
  }
}
