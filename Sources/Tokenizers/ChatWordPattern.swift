/// The patterns that byte-level vocabularies of chat models cut texts by, in one pass.
///
/// They are of one make and differ in a few points, which are what is kept. Like `WordPattern`, they are
/// known by their exact text.
struct ChatWordPattern: Sendable, Equatable {
  /// What runs of letters are words.
  enum Letters: Sendable {
    /// Any: `\p{L}+`.
    case any
    /// Any with their marks: `[\p{L}\p{M}]+`.
    case marked
    /// Capitals, then small ones, each with marks: a new word starts at a capital.
    case byCase
  }

  /// Where `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` and `'d` are set apart, capitals or not.
  enum Contractions: Sendable {
    /// Nowhere.
    case none
    /// As words of their own.
    case apart
    /// As the end of a word.
    case atEnd
  }

  var letters = Letters.any
  var contractions = Contractions.apart
  /// How many digits a word has at most.
  var digits = 3
  /// Whether a run of signs takes along slashes after it, as it does line ends.
  var signsTakeSlashes = false

  /// That of Qwen in all its versions up to 3.
  static let qwen = ChatWordPattern(digits: 1)

  /// The patterns as files spell them.
  static let known: [(text: String, pattern: ChatWordPattern)] = {
    let short = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    let signs = #" ?[^\s\p{L}\p{N}]+"#
    let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
    let prefix = #"[^\r\n\p{L}\p{N}]?"#
    let plain = "\(short)|\(prefix)" + #"\p{L}+"#
    let (upper, lower) = (#"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#, #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#)
    func byCase(_ end: String) -> String {
      "\(prefix)\(upper)*\(lower)+\(end)|\(prefix)\(upper)+\(lower)*\(end)"
    }
    return [
      // Llama 3, and many after it.
      (#"\#(plain)|\p{N}{1,3}|\#(signs)[\r\n]*\#(spaces)"#, ChatWordPattern()),
      // GPT-4, before its pattern was written as above.
      (
        #"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|"#
          + #"\s*[\r\n]|\s+(?!\S)|\s+"#, ChatWordPattern()
      ),
      // Qwen's.
      (#"\#(plain)|\p{N}|\#(signs)[\r\n]*\#(spaces)"#, .qwen),
      // Qwen 3.5.
      (
        #"\#(short)|\#(prefix)[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*\#(spaces)"#,
        ChatWordPattern(letters: .marked, digits: 1)
      ),
      // Mistral's Tekken.
      (
        #"\#(byCase(""))|\p{N}|\#(signs)[\r\n/]*\#(spaces)"#,
        ChatWordPattern(
          letters: .byCase, contractions: .none, digits: 1, signsTakeSlashes: true)
      ),
      // GPT-4o and GPT-OSS.
      (
        #"\#(byCase(short + "?"))|\p{N}{1,3}|\#(signs)[\r\n/]*\#(spaces)"#,
        ChatWordPattern(letters: .byCase, contractions: .atEnd, signsTakeSlashes: true)
      ),
    ]
  }()

  /// The words of `text`, in order; together they are all of it.
  func words(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    text.withUnsafeBufferPointer { bytes in
      var scanner = ChatWordScanner(bytes: bytes, pattern: self)
      while scanner.place < bytes.count {
        let start = scanner.place
        scanner.takeWord()
        words.append(text.startIndex + start..<text.startIndex + scanner.place)
      }
    }
    return words
  }
}

/// Walks over UTF-8, word by word.
private struct ChatWordScanner {
  /// What a character is to the patterns.
  private struct Classes: OptionSet {
    let rawValue: UInt8

    static let letter = Classes(rawValue: 1)
    static let mark = Classes(rawValue: 2)
    static let number = Classes(rawValue: 4)
    static let space = Classes(rawValue: 8)
    static let lineEnd = Classes(rawValue: 16)
    /// Goes before small letters, or stands among capitals.
    static let upper = Classes(rawValue: 32)
    /// Goes after capitals, or stands among small letters.
    static let lower = Classes(rawValue: 64)
  }

  let bytes: UnsafeBufferPointer<UInt8>
  let pattern: ChatWordPattern
  var place = 0

  /// Moves on by one word; each way to make one is a part of the pattern, in its order.
  mutating func takeWord() {
    if pattern.contractions == .apart, takeContraction() { return }
    if takeLetters() {
      if pattern.contractions == .atEnd { _ = takeContraction() }
      return
    }
    if takeDigits() || takeSigns() { return }
    takeSpaces()
  }

  private mutating func takeLetters() -> Bool {
    let (first, length) = classes(at: place)
    // One character that is no letter, digit or line end may go before.
    let takesPrefix = first.isDisjoint(with: [.letter, .number, .lineEnd])
    var starts = [place]
    if takesPrefix && place + length < bytes.count { starts.insert(place + length, at: 0) }
    switch pattern.letters {
    case .any, .marked:
      let wanted: Classes = pattern.letters == .any ? .letter : [.letter, .mark]
      for start in starts {
        let end = runEnd(of: wanted, from: start)
        guard end > start else { continue }
        place = end
        return true
      }
    case .byCase:
      for start in starts {
        guard let end = endOfCapitalsAndSmall(from: start) else { continue }
        place = end
        return true
      }
      for start in starts {
        let capitals = runEnd(of: .upper, from: start)
        guard capitals > start else { continue }
        place = runEnd(of: .lower, from: capitals)
        return true
      }
    }
    return false
  }

  /// Where capitals and at least one small letter after them end; letters without case count as both.
  private func endOfCapitalsAndSmall(from start: Int) -> Int? {
    var place = start
    var lastSmall: Int?
    while place < bytes.count {
      let (classes, length) = classes(at: place)
      guard classes.contains(.upper) else { break }
      place += length
      if classes.contains(.lower) { lastSmall = place }
    }
    let end = runEnd(of: .lower, from: place)
    return end > place ? end : lastSmall
  }

  private mutating func takeDigits() -> Bool {
    var count = 0
    while count < pattern.digits, place < bytes.count {
      let (classes, length) = classes(at: place)
      guard classes.contains(.number) else { break }
      place += length
      count += 1
    }
    return count > 0
  }

  private mutating func takeSigns() -> Bool {
    var start = place
    if bytes[place] == 0x20 { start += 1 }
    var end = start
    let others: Classes =
      pattern.letters == .marked ? [.letter, .mark, .number, .space] : [.letter, .number, .space]
    while end < bytes.count {
      let (classes, length) = classes(at: end)
      guard classes.isDisjoint(with: others) else { break }
      end += length
    }
    guard end > start else { return false }
    while end < bytes.count,
      bytes[end] == 0x0A || bytes[end] == 0x0D
        || pattern.signsTakeSlashes && bytes[end] == UInt8(ascii: "/")
    {
      end += 1
    }
    place = end
    return true
  }

  /// White space up to its last line end; without one all of it at the end of the text, and elsewhere all
  /// but the last character, which the next word may take along.
  private mutating func takeSpaces() {
    let start = place
    var (last, end) = (place, place)
    var lineEnd: Int?
    while end < bytes.count {
      let (classes, length) = classes(at: end)
      guard classes.contains(.space) else { break }
      last = end
      end += length
      if classes.contains(.lineEnd) { lineEnd = end }
    }
    place = lineEnd ?? (end < bytes.count && last > start ? last : end)
  }

  private mutating func takeContraction() -> Bool {
    guard bytes[place...].first == UInt8(ascii: "'"), place + 1 < bytes.count else { return false }
    let first = bytes[place + 1] | 0x20
    let second = place + 2 < bytes.count ? bytes[place + 2] | 0x20 : 0
    switch (first, second) {
    case (UInt8(ascii: "s"), _), (UInt8(ascii: "t"), _), (UInt8(ascii: "m"), _),
      (UInt8(ascii: "d"), _):
      place += 2
    case (UInt8(ascii: "r"), UInt8(ascii: "e")), (UInt8(ascii: "v"), UInt8(ascii: "e")),
      (UInt8(ascii: "l"), UInt8(ascii: "l")):
      place += 3
    // The long s is a small form of S.
    case _ where bytes[(place + 1)...].starts(with: "\u{17F}".utf8): place += 3
    default: return false
    }
    return true
  }

  private func runEnd(of wanted: Classes, from start: Int) -> Int {
    var place = start
    while place < bytes.count {
      let (classes, length) = classes(at: place)
      guard !classes.isDisjoint(with: wanted) else { break }
      place += length
    }
    return place
  }

  private func classes(at place: Int) -> (classes: Classes, length: Int) {
    let (scalar, length) = bytes.scalar(at: place)
    switch ScalarClass(scalar) {
    case .number: return (.number, length)
    case .space:
      let isLineEnd = scalar == "\n" || scalar == "\r"
      return (isLineEnd ? [.space, .lineEnd] : .space, length)
    case .letter:
      switch scalar.properties.generalCategory {
      case .lowercaseLetter: return ([.letter, .lower], length)
      case .uppercaseLetter, .titlecaseLetter: return ([.letter, .upper], length)
      default: return ([.letter, .upper, .lower], length)
      }
    case .other:
      switch scalar.value < 0x300 ? .otherSymbol : scalar.properties.generalCategory {
      case .nonspacingMark, .spacingMark, .enclosingMark:
        return (scalar.isIn(unicode: 16) ? [.mark, .upper, .lower] : [], length)
      default: return ([], length)
      }
    }
  }
}
