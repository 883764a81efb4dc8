internal import Files
internal import Models

/// A byte-level vocabulary of a given size with syllables that no language has, for checkpoints
/// with random weights: every text can be cut, every token be read.
///
/// Ids that matter to a model keep their published places; the rest are the 256 bytes, then pairs
/// of letters, then longer pieces with and without a blank before them.
struct MadeUpVocabulary: Sendable {
  /// How many tokens there are.
  let count: Int
  /// Tokens with a place of their own.
  let fixed: [Int: String]
  /// Those of them that stand for no text.
  let special: [Int]
  /// What goes before each text, what may end one, what fills up.
  let begin, end, pad: Int
  /// The line break.
  let newline: Int
  /// What stands for a picture's queries; nil where nothing does.
  let image: Int?
  /// Whose tokenizer reads it.
  let style: Style

  /// The published tokenizers whose settings a vocabulary can have.
  enum Style: Sendable {
    /// Byte-level, blanks at the beginning of words.
    case blip2
    /// Byte-level in small letters, ends of words marked.
    case clip
    /// Bytes with ranks, blanks at the beginning of words; special tokens follow in no file.
    case ranks
  }

  /// The tokens in the order of their ids, and the merges that make the longer ones.
  func made() -> (tokens: [String], merges: [(String, String)]) {
    let reserved = Set(fixed.values)
    let letters = "etaoinsrhldcumfpgwybvkxjqz".map { String($0) }
    let bytes = (style == .ranks ? ByteLetters.seenFirst : ByteLetters.all).map { String($0) }
    var pieces = (style == .clip ? bytes + bytes.map { $0 + Self.wordEnd } : bytes)
      .filter { !reserved.contains($0) }
    var merges: [(String, String)] = []
    let room = count - fixed.count
    func add(_ first: [String], _ second: [String]) {
      for start in first {
        for rest in second where pieces.count < room {
          merges.append((start, rest))
          pieces.append(start + rest)
        }
      }
    }
    let pairs = letters.flatMap { first in letters.map { first + $0 } }
    add(letters, letters)
    switch style {
    case .blip2, .ranks:
      add(["Ġ"], pairs)
      add(pairs, letters)
      add(["Ġ"], pairs.flatMap { pair in letters.map { pair + $0 } })
      add(pairs, pairs)
    case .clip:
      let ends = letters.map { $0 + Self.wordEnd }
      add(letters, ends)
      add(pairs, ends)
      add(pairs, letters.flatMap { first in ends.map { first + $0 } })
    }
    var next = pieces.makeIterator()
    let tokens = (0..<count).map { fixed[$0] ?? next.next() ?? "<unused \($0)>" }
    return (tokens, merges)
  }

  /// What CLIP's tokenizer puts behind a word.
  static let wordEnd = "</w>"
}

/// The letters that stand for bytes in byte-level vocabularies, as in GPT-2.
enum ByteLetters {
  /// One a byte, from 0 to 255: itself where it can be seen, else a letter from U+0100 on.
  static let all: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      let isSeen = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      let value = isSeen ? UInt32(byte) : next
      if !isSeen { next += 1 }
      return Unicode.Scalar(value) ?? "?"
    }
  }()

  /// Those of bytes that can be seen first, as published ranks begin.
  static let seenFirst = all.sorted { $0.value < $1.value }

  private static let values = Dictionary(
    uniqueKeysWithValues: zip(all, (0..<256).map(UInt8.init)))

  /// The bytes that a token stands for.
  static func bytes(of token: String) -> [UInt8] { token.unicodeScalars.compactMap { values[$0] } }
}
