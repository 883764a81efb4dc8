internal import Files

/// Reads Qwen-VL's vocabulary: a file with a token in base64 and its rank a line, as tiktoken writes them.
///
/// The rank is the token's id and says how soon it is merged. The special tokens stand in no file: they
/// follow the last rank, in the order of the model's own code.
enum RankFiles {
  /// The kind of tokenizer whose files these are.
  static let className = "QWenTokenizer"
  private static let settings = "tokenizer_config.json"
  private static let usualName = "qwen.tiktoken"

  /// The special tokens, in the order of their ids.
  static let special: [String] =
    ["<|endoftext|>", "<|im_start|>", "<|im_end|>"] + (0..<205).map { "<|extra_\($0)|>" } + [
      "<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", PicturePaths.startTag,
      PicturePaths.endTag, PicturePaths.paddingTag,
    ]

  /// The settings whose value is fixed here, with that value.
  private static let fixed: [(key: String, value: String)] = [
    ("errors", "replace"), ("image_start_tag", PicturePaths.startTag),
    ("image_end_tag", PicturePaths.endTag), ("image_pad_tag", PicturePaths.paddingTag),
    ("ref_start_tag", "<ref>"), ("ref_end_tag", "</ref>"), ("box_start_tag", "<box>"),
    ("box_end_tag", "</box>"), ("quad_start_tag", "<quad>"), ("quad_end_tag", "</quad>"),
  ]

  /// The folder's file of ranks; nil where its tokenizer is of another kind.
  static func name(_ files: TokenizerFiles) throws -> String? {
    let configuration = try files.optionalJSON(settings)
    let isNamed = configuration["tokenizer_class"]?.text == className
    guard isNamed || files.has(usualName) else { return nil }
    guard let named = configuration["vocab_file"], !named.isNull else { return usualName }
    guard let name = named.text, !name.isEmpty, !name.contains("/") else {
      throw files.wrong(
        settings, "vocab_file", named.text.map(\.quoted) ?? named.kindName,
        "the name of a file in the folder")
    }
    return name
  }

  static func read(_ files: TokenizerFiles, _ name: String) throws -> FileTokenizer {
    let configuration = try files.optionalJSON(settings)
    if let other = configuration["tokenizer_class"], !other.isNull, other.text != className {
      throw files.unsupported(
        settings, "tokenizer_class", other.text.map(\.quoted) ?? other.kindName,
        "\(className) with \(name)")
    }
    for (key, value) in fixed {
      guard let other = configuration[key], !other.isNull, other.text != value else { continue }
      throw files.unsupported(
        settings, key, other.text.map(\.quoted) ?? other.kindName, value.quoted)
    }
    guard files.has(name) else {
      throw files.wrong(name, "file", "nothing", "the tokens in base64, each with its rank")
    }
    let tokens = try ranks(try files.bytes(name), files, name)
    let first = tokens.size
    let added = special.enumerated().map { place, content in
      AddedToken(id: first + place, content: content, isNormalized: true, isSpecial: true)
    }
    let end = first + special.count - 2
    return FileTokenizer(
      PipelineSteps(
        // Python's own form C.
        normalizers: [.composed(unicode: 14)], preTokenizers: [.chatPattern(.qwen)],
        decoder: .bytes(wordEnd: "")),
      model: .bytePairs(
        BytePairEncoding(
          tokens: tokens, merges: .byRank,
          symbols: .bytes(of: tokens, wordEnd: "", unknown: nil, fusesUnknown: false),
          wholeWords: tokens)),
      added: added, roles: [.end: first],
      paths: PicturePaths(start: end - 1, end: end, padding: end + 1), usualParsing: .none)
  }

  /// Reads the lines.
  private static func ranks(
    _ bytes: [UInt8], _ files: TokenizerFiles, _ name: String
  ) throws -> TokenTable {
    var tokens = TokenTable()
    tokens.reserve(bytes.count / 16)
    try bytes.withUnsafeBufferPointer { bytes in
      var reader = RankLines(bytes)
      while let line = reader.next() {
        let key = "line \(reader.number)"
        guard let (token, rank) = RankLines.parts(of: line) else {
          throw files.wrong(
            name, key, line.isEmpty ? "nothing" : RankLines.shown(line),
            "a token in base64, a space and its rank")
        }
        do throws(TokenTable.Refusal) { try tokens.insert(bytes: token, id: rank) } catch {
          let (found, expected) =
            switch error {
            case .idOutOfRange: ("rank \(rank)", "ranks from 0 to \(TokenTable.idLimit - 1)")
            case .idTaken: ("rank \(rank) again", "each rank once")
            case .tokenTaken(let other): ("the token of rank \(other) again", "each token once")
            }
          throw files.wrong(name, key, found, expected)
        }
      }
    }
    guard tokens.count > 0 else { throw files.wrong(name, "ranks", "none", "one a line") }
    if tokens.count < tokens.size, let missing = (0..<tokens.size).first(where: { !tokens.has($0) })
    {
      throw files.wrong(
        name, "ranks", "no rank \(missing), but rank \(tokens.size - 1)", "every rank from 0 on")
    }
    for (byte, scalar) in ByteAlphabet.scalars.enumerated()
    where tokens.id(String(Character(scalar))) == nil {
      throw files.wrong(
        name, "ranks", "no token for the byte \(ByteToken.name(of: byte))",
        "one for each of the 256 bytes")
    }
    return tokens
  }
}

/// The lines of a file of ranks.
private struct RankLines {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var place = 0
  private(set) var number = 0

  init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  /// The next line, without what ends it; nil at the end.
  mutating func next() -> UnsafeBufferPointer<UInt8>? {
    guard place < bytes.count else { return nil }
    number += 1
    var end = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
    let start = place
    place = end + 1
    if end > start, bytes[end - 1] == 0x0D { end -= 1 }
    return UnsafeBufferPointer(rebasing: bytes[start..<end])
  }

  /// A token as byte-level vocabularies spell it, and its rank.
  static func parts(of line: UnsafeBufferPointer<UInt8>) -> (token: [UInt8], rank: Int)? {
    guard let space = line.firstIndex(of: 0x20), space > 0, space % 4 == 0 else { return nil }
    let digits = line[(space + 1)...]
    // More digits than a rank has could be too great for a number.
    guard !digits.isEmpty, digits.count <= 12, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else {
      return nil
    }
    let rank = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    var token: [UInt8] = []
    token.reserveCapacity(space)
    for place in stride(from: 0, to: space, by: 4) {
      var four: UInt32 = 0
      var count = 4
      for offset in 0..<4 {
        let byte = line[place + offset]
        if byte == UInt8(ascii: "="), place + 4 == space, offset >= 2 {
          count = min(count, offset)
          four <<= 6
        } else {
          guard count == 4, let bits = bits(of: byte) else { return nil }
          four = four << 6 | bits
        }
      }
      // Bits that belong to no byte are zero.
      guard count == 4 || four & (count == 3 ? 0xFF : 0xFFFF) == 0 else { return nil }
      for shift in [UInt32(16), 8, 0].prefix(count - 1) {
        ByteAlphabet.append(UInt8(four >> shift & 0xFF), to: &token)
      }
    }
    return (token, rank)
  }

  /// What a line is to a reader.
  static func shown(_ line: UnsafeBufferPointer<UInt8>) -> String {
    String(decoding: line.prefix(80), as: UTF8.self).quoted
  }

  private static func bits(of byte: UInt8) -> UInt32? {
    switch byte {
    case 0x41...0x5A: UInt32(byte) - 0x41
    case 0x61...0x7A: UInt32(byte) - 0x61 + 26
    case 0x30...0x39: UInt32(byte) - 0x30 + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
