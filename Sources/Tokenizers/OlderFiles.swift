internal import Files
internal import Foundation

/// The files that models were published with before `tokenizer.json`.
enum OlderFiles {
  /// `vocab.json` and `merges.txt`, with what `tokenizer_config.json` says of special tokens.
  static func byteLevel(_ folder: URL) throws -> ByteLevelBPE {
    let reader = try TokenizerReader(folder.appending(path: "vocab.json"))
    let vocabulary = try Vocabulary(
      try reader.vocabulary(reader.json, "vocab"), file: reader.file)
    let configuration = try Configuration(folder)
    let added = configuration.added(in: vocabulary)
    // The first line is a comment; so is what else begins with "#version".
    let lines = try lines(folder, "merges.txt")
    let pairs = try lines.enumerated().filter { !$1.hasPrefix("#version") && !$1.isEmpty }
      .map { try pair($1, line: $0 + 1, file: "merges.txt") }
    var surroundings = Surroundings()
    if configuration.json?["add_bos_token"]?.bool == true,
      let begin = configuration.text("bos_token"), let id = vocabulary.id(begin)
    {
      surroundings.prefix = [id]
    }
    return try ByteLevelBPE(
      vocabulary: vocabulary, pairs: pairs, added: added, surroundings: surroundings,
      addsPrefixSpace: configuration.json?["add_prefix_space"]?.bool ?? false,
      file: "merges.txt")
  }

  /// `vocab.txt`: one token a line, its id the line's number from 0.
  static func wordPiece(_ folder: URL) throws -> WordPiece {
    var lines = try lines(folder, "vocab.txt")
    while lines.last?.isEmpty == true { lines.removeLast() }
    let vocabulary = try Vocabulary(
      lines.enumerated().map { (token: $1, id: $0) }, file: "vocab.txt")
    let configuration = try Configuration(folder)
    func special(_ key: String, _ usual: String) throws -> Int {
      let name = configuration.text(key) ?? usual
      guard let id = vocabulary.id(name) else {
        throw TokenizerError(
          file: "vocab.txt", place: key, found: "no '\(name)'", expected: "the special token")
      }
      return id
    }
    let unknown = try special("unk_token", "[UNK]")
    let names = [
      ("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"),
      ("cls_token", "[CLS]"), ("mask_token", "[MASK]"),
    ].map { configuration.text($0.0) ?? $0.1 }
    let entries = names.compactMap { name in
      vocabulary.id(name).map {
        AddedTokens.Entry(
          content: name, id: $0, isSpecial: true, stripsLeft: false, stripsRight: false)
      }
    }
    let lowercases = configuration.json?["do_lower_case"]?.bool ?? true
    return WordPiece(
      vocabulary: vocabulary, added: AddedTokens(entries),
      surroundings: Surroundings(
        prefix: [try special("cls_token", "[CLS]")], suffix: [try special("sep_token", "[SEP]")]),
      normalisation: WordPiece.Normalisation(
        separatesChinese: configuration.json?["tokenize_chinese_chars"]?.bool ?? true,
        stripsAccents: configuration.json?["strip_accents"]?.bool ?? lowercases,
        lowercases: lowercases),
      unknown: unknown, prefix: "##", longestWord: 100)
  }

  /// The two tokens of one merge, with a space between.
  static func pair(_ text: String, line: Int, file: String) throws -> (String, String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw TokenizerError(
        file: file, place: "merges, line \(line)", found: "'\(text)'",
        expected: "two tokens with one space between")
    }
    return (String(parts[0]), String(parts[1]))
  }

  private static func lines(_ folder: URL, _ name: String) throws -> [String] {
    try WholeFile.readText(folder.appending(path: name))
      .split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.hasSuffix("\r") ? String($0.dropLast()) : String($0) }
  }

  /// `tokenizer_config.json`, if there is one.
  private struct Configuration {
    let json: JSON?

    init(_ folder: URL) throws {
      let url = folder.appending(path: "tokenizer_config.json")
      json = FileManager.default.fileExists(atPath: url.path) ? try JSON(file: url) : nil
    }

    /// A token given as text, or as an object with its content.
    func text(_ key: String) -> String? { json?[key]?.text ?? json?[key]?["content"]?.text }

    func added(in vocabulary: Vocabulary) -> AddedTokens {
      var entries: [AddedTokens.Entry] = []
      for member in json?["added_tokens_decoder"]?.object?.members ?? [] {
        guard let id = Int(member.key), let content = member.value["content"]?.text else {
          continue
        }
        entries.append(
          AddedTokens.Entry(
            content: content, id: id, isSpecial: member.value["special"]?.bool ?? false,
            stripsLeft: member.value["lstrip"]?.bool ?? false,
            stripsRight: member.value["rstrip"]?.bool ?? false))
      }
      for key in ["bos_token", "eos_token", "pad_token"] {
        guard let content = text(key), let id = vocabulary.id(content),
          !entries.contains(where: { $0.id == id })
        else { continue }
        entries.append(
          AddedTokens.Entry(
            content: content, id: id, isSpecial: true, stripsLeft: false, stripsRight: false))
      }
      return AddedTokens(entries)
    }
  }
}
