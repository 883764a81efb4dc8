internal import Budget

/// Cuts texts into words as the reference's patterns do, in one pass.
///
/// A pattern is known by its exact text. No engine for patterns is used: on a million spaces some
/// give up and others never come back.
enum WordPattern: Sendable, CaseIterable {
  /// GPT-2's, which leaves nothing out.
  case gpt2
  /// CLIP's, which leaves white space out.
  case clip
  /// OpenCLIP's, in which its begin and end are words where they stand at the start of one.
  case openCLIP
  /// OpenCLIP's without them.
  case openCLIPPlain

  /// The pattern as files spell it.
  var text: String {
    switch self {
    case .gpt2: #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    case .clip:
      #"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    case .openCLIP:
      #"<start_of_text>|<end_of_text>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    case .openCLIPPlain: #"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    }
  }

  /// The words of `text`, in order.
  func words(in text: ArraySlice<UInt8>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    text.withUnsafeBufferPointer { bytes in
      var scanner = WordScanner(bytes)
      while scanner.place < bytes.count {
        let start = scanner.place
        if words.count & 0x3FFF == 0, Stop.isRequested { return }
        let isWord =
          switch self {
          case .gpt2: scanner.takeGPT2Word()
          case .clip:
            scanner.take("<|startoftext|>") || scanner.take("<|endoftext|>")
              || scanner.takeCLIPWord()
          case .openCLIP:
            scanner.take("<start_of_text>") || scanner.take("<end_of_text>")
              || scanner.take("'ſ") || scanner.takeCLIPWord()
          // Without regard to capitals, of which ſ has that of s.
          case .openCLIPPlain: scanner.take("'ſ") || scanner.takeCLIPWord()
          }
        if isWord {
          words.append(text.startIndex + start..<text.startIndex + scanner.place)
        }
      }
    }
    return words
  }
}

/// Walks over UTF-8, word by word.
private struct WordScanner {
  private let bytes: UnsafeBufferPointer<UInt8>
  private(set) var place = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// ` ?\p{L}+` and its like, the contractions, or white space without its last character.
  mutating func takeGPT2Word() -> Bool {
    if takeContraction() { return true }
    var start = place
    if bytes[place] == 0x20, place + 1 < bytes.count { start += 1 }
    let first = scalar(at: start)
    if first.kind != .space {
      place = start + first.length
      takeRun(of: first.kind)
      return true
    }
    // White space: all of it at the end of the text, elsewhere all but the last character, which
    // the next word may take along, and a single character whole.
    var last = place
    let beginning = place
    while place < bytes.count {
      let next = scalar(at: place)
      guard next.kind == .space else { break }
      last = place
      place += next.length
    }
    if place < bytes.count && last > beginning { place = last }
    return true
  }

  /// Letters, one digit, or signs; false for white space, which is no word.
  mutating func takeCLIPWord() -> Bool {
    if takeContraction() { return true }
    let first = scalar(at: place)
    place += first.length
    if first.kind == .letter || first.kind == .other { takeRun(of: first.kind) }
    return first.kind != .space
  }

  private mutating func takeRun(of kind: ScalarClass) {
    while place < bytes.count {
      let next = scalar(at: place)
      guard next.kind == kind else { return }
      place += next.length
    }
  }

  private mutating func takeContraction() -> Bool {
    guard bytes[place] == UInt8(ascii: "'"), place + 1 < bytes.count else { return false }
    switch bytes[place + 1] {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      place += 2
      return true
    default: return take("'re") || take("'ve") || take("'ll")
    }
  }

  /// Takes `word` if it comes next.
  mutating func take(_ word: StaticString) -> Bool {
    let length = word.utf8CodeUnitCount
    guard place + length <= bytes.count else { return false }
    for offset in 0..<length where bytes[place + offset] != word.utf8Start[offset] { return false }
    place += length
    return true
  }

  private func scalar(at place: Int) -> (kind: ScalarClass, length: Int) {
    let (scalar, length) = bytes.scalar(at: place)
    return (ScalarClass(scalar), length)
  }
}

extension UnsafeBufferPointer<UInt8> {
  /// The character at a place where one starts, and its length in bytes.
  ///
  /// The bytes come from a `String`, hence are UTF-8; the bounds are checked all the same.
  func scalar(at place: Int) -> (scalar: Unicode.Scalar, length: Int) {
    let first = self[place]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard place + length <= count else { return ("\u{FFFD}", 1) }
    var value = UInt32(first) & (0xFF >> UInt32(length + 1))
    for offset in 1..<length { value = value << 6 | UInt32(self[place + offset] & 0x3F) }
    return (Unicode.Scalar(value) ?? "\u{FFFD}", length)
  }
}
