/// HTML's ways to write a character: `&amp;`, `&#39;`, `&#x27;`.
enum HTMLEntities {
  /// The characters of each name, `&` and `;` left out.
  private static let named: [String: [Unicode.Scalar]] = {
    var named: [String: [Unicode.Scalar]] = [:]
    for entry in table.split(separator: " ") {
      let parts = entry.split(separator: "=")
      named[String(parts[0])] = parts[1].split(separator: "+").compactMap {
        UInt32($0, radix: 16).flatMap(Unicode.Scalar.init)
      }
    }
    return named
  }()
  /// The names that also count without a semicolon.
  private static let bare = Set(bareNames.split(separator: " ").map(String.init))
  private static let longestName = 32

  /// A text with every character written out, as HTML 5 reads it: the longest name counts, some names
  /// need no semicolon, and bytes of Windows-1252 are what they are there.
  static func unescaped(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(text) { reference(in: $0, at: $1 + 1) }
  }

  /// Puts what `reference` finds at an `&` in its place; nil leaves the `&` as it is.
  private static func replacing(
    _ text: [Unicode.Scalar],
    by reference: (_ text: [Unicode.Scalar], _ start: Int) -> (
      characters: [Unicode.Scalar], end: Int
    )?
  ) -> [Unicode.Scalar] {
    guard text.contains("&") else { return text }
    var result: [Unicode.Scalar] = []
    var place = 0
    while place < text.count {
      if text[place] == "&", let (characters, end) = reference(text, place) {
        result += characters
        place = end
      } else {
        result.append(text[place])
        place += 1
      }
    }
    return result
  }

  /// What a reference after an `&` stands for, and where it ends; nil where there is none.
  private static func reference(
    in text: [Unicode.Scalar], at start: Int
  ) -> (characters: [Unicode.Scalar], end: Int)? {
    if start < text.count, text[start] == "#" { return number(in: text, at: start + 1) }
    var end = start
    while end < text.count, end - start < longestName,
      !"\t\n\u{C} <&#;".unicodeScalars.contains(text[end])
    {
      end += 1
    }
    guard end > start else { return nil }
    let name = String(String.UnicodeScalarView(text[start..<end]))
    if end < text.count, text[end] == ";", let characters = named[name] {
      return (characters, end + 1)
    }
    // Without its semicolon: the longest beginning that counts so.
    for last in stride(from: end, to: start + 1, by: -1) {
      let beginning = String(String.UnicodeScalarView(text[start..<last]))
      if bare.contains(beginning), let characters = named[beginning] { return (characters, last) }
    }
    return nil
  }

  private static func number(
    in text: [Unicode.Scalar], at start: Int
  ) -> (characters: [Unicode.Scalar], end: Int)? {
    var place = start
    let isHexadecimal = place < text.count && (text[place] == "x" || text[place] == "X")
    if isHexadecimal { place += 1 }
    let first = place
    var value: UInt32 = 0
    while place < text.count, text[place].isASCII,
      let digit = Character(text[place]).hexDigitValue, isHexadecimal || digit < 10
    {
      value = min(value, 0x110000) * (isHexadecimal ? 16 : 10) + UInt32(digit)
      place += 1
    }
    guard place > first else { return nil }
    if place < text.count, text[place] == ";" { place += 1 }
    return (character(value), place)
  }

  /// The character of a number, none for those that HTML leaves out.
  static func character(_ value: UInt32) -> [Unicode.Scalar] {
    switch value {
    case 0: return ["\u{FFFD}"]
    case 0x0D: return ["\r"]
    case 0x80...0x9F: return [ByteEncoding.lenientWindows1252(UInt8(value))]
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0xFDD0...0xFDEF: return []
    default:
      guard let scalar = Unicode.Scalar(value) else { return ["\u{FFFD}"] }
      return value & 0xFFFE == 0xFFFE ? [] : [scalar]
    }
  }

  /// A text with the references that ftfy takes: whole ones with a semicolon, and names in capitals
  /// that mean nothing else.
  static func unescapedCarefully(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    replacing(text) { careful(in: $0, at: $1) }
  }

  private static func careful(
    in text: [Unicode.Scalar], at start: Int
  ) -> (characters: [Unicode.Scalar], end: Int)? {
    var end = start + 1
    let isNumber = end < text.count && text[end] == "#"
    if isNumber { end += 1 }
    let first = end
    while end < text.count, end - first < 24, text[end].isASCII,
      Character(text[end]).isLetter || Character(text[end]).isNumber
    { end += 1 }
    guard end > first, end < text.count, text[end] == ";" else { return nil }
    if isNumber {
      let whole = unescaped(Array(text[start...end]))
      return whole.contains(";") ? nil : (whole, end + 1)
    }
    let name = String(String.UnicodeScalarView(text[first..<end]))
    if let characters = named[name] { return (characters, end + 1) }
    // A name in capitals, of a character whose own name is in small letters.
    guard let small = named[name.lowercased()], name == name.uppercased(), isUnknown(name) else {
      return nil
    }
    return (small.flatMap { Array($0.properties.uppercaseMapping.unicodeScalars) }, end + 1)
  }

  /// Whether HTML itself makes nothing of a name with its semicolon.
  private static func isUnknown(_ name: String) -> Bool {
    let written = Array("&\(name);".unicodeScalars)
    return unescaped(written) == written
  }
}
