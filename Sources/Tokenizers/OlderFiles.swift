internal import Files

/// Reads the files from before `tokenizer.json`, and puts around them what the reference's classes
/// of that name put.
enum OlderFiles {
  /// Reads `vocab.json` and `merges.txt`: GPT-2's and CLIP's.
  static func readBPE(_ files: TokenizerFiles) throws -> FileTokenizer {
    let configuration = try files.optionalJSON("tokenizer_config.json")
    var tables = VocabularyReading(files: files, name: "vocab.json")
    try files.scan("vocab.json") { try tables.readVocabulary(&$0, key: "vocabulary") }
    // Where nothing names the class, CLIP's begin token does, which GPT-2 has not.
    let hasBegin = tables.tokens?.id("<|startoftext|>") != nil
    let kind = try tokenizerClass(
      files, configuration, ["GPT2Tokenizer", "CLIPTokenizer"],
      default: hasBegin ? "CLIPTokenizer" : "GPT2Tokenizer")
    guard files.has("merges.txt") else {
      throw files.wrong("merges.txt", "file", "nothing", "the merges that belong to vocab.json")
    }
    try tables.readMerges(lines: try files.bytes("merges.txt"), "merges.txt")
    let tokens = tables.tokens ?? TokenTable()
    let merges = try tables.mergeTable(tokens, "merges.txt", "merge")
    let isCLIP = kind == "CLIPTokenizer"
    let name = isCLIP ? "<|startoftext|>" : "<|endoftext|>"
    let defaults: [(SpecialRole, String)] =
      isCLIP
      ? [
        (.beginning, name), (.end, "<|endoftext|>"), (.unknown, "<|endoftext|>"),
        (.padding, "<|endoftext|>"),
      ] : [(.beginning, name), (.end, name), (.unknown, name)]
    let (added, roles) = try special(files, configuration, tokens, defaults)
    let wordEnd = isCLIP ? "</w>" : ""
    let model = BytePairEncoding(
      tokens: tokens, merges: .listed(merges),
      symbols: .bytes(
        of: tokens, wordEnd: wordEnd, unknown: isCLIP ? roles[.unknown] : nil,
        fusesUnknown: false))
    func flag(_ field: String, _ absent: Bool) throws -> Bool {
      try files.flag(configuration, field, absent: absent)
    }
    var frame = FileTokenizer.Frame()
    if try isCLIP || flag("add_bos_token", false) {
      frame.before = roles[.beginning].map { [$0] } ?? []
    }
    if try isCLIP || flag("add_eos_token", false) {
      frame.after = roles[.end].map { [$0] } ?? []
    }
    let addsSpace = try flag("add_prefix_space", false)
    let cutters: [PreTokenizer] =
      isCLIP
      ? [.pattern(.clip), .pattern(.gpt2)]
      : (addsSpace ? [.prefixSpace] : []) + [.pattern(.gpt2)]
    return FileTokenizer(
      normalizers: isCLIP ? [.composed(), .singleSpaces, .lowercased] : [], preTokenizers: cutters,
      model: .bytePairs(model), added: added, frame: frame, decoder: .bytes(wordEnd: wordEnd),
      roles: roles)
  }

  /// Reads `vocab.txt`: BERT's.
  static func readBERT(_ files: TokenizerFiles) throws -> FileTokenizer {
    let name = "vocab.txt"
    let configuration = try files.optionalJSON("tokenizer_config.json")
    _ = try tokenizerClass(files, configuration, ["BertTokenizer"], default: "BertTokenizer")
    var tokens = TokenTable()
    let text = try WholeFile.readText(files.url(name)).utf8
    var id = 0
    for line in text.split(separator: 0x0A, omittingEmptySubsequences: false) {
      let token = line.last == 0x0D ? line.dropLast() : line
      // What follows the last line break is no line.
      if line.endIndex == text.endIndex && line.isEmpty { break }
      try tokens.insert(String(Substring(token)), id: id, files, name, "line \(id + 1)")
      id += 1
    }
    guard tokens.count > 0 else {
      throw files.wrong(name, "vocabulary", "no tokens", "one or more")
    }
    let (added, roles) = try special(
      files, configuration, tokens,
      [
        (.padding, "[PAD]"), (.unknown, "[UNK]"), (.classification, "[CLS]"),
        (.separator, "[SEP]"), (.mask, "[MASK]"),
      ])
    guard let unknown = roles[.unknown], let start = roles[.classification],
      let end = roles[.separator]
    else { throw files.wrong(name, "vocabulary", "no [UNK], [CLS] or [SEP]", "all three") }
    let lowercases = try files.flag(configuration, "do_lower_case", absent: true)
    return FileTokenizer(
      normalizers: [
        .bert(
          cleans: true,
          separatesChinese: try files.flag(configuration, "tokenize_chinese_chars", absent: true),
          stripsAccents: try files.flag(configuration, "strip_accents", absent: lowercases),
          lowercases: lowercases)
      ],
      preTokenizers: [.bert],
      model: .wordPieces(
        WordPiece(tokens: tokens, continuation: "##", unknown: unknown, longestWord: 100)),
      added: added, frame: FileTokenizer.Frame(before: [start], after: [end]),
      decoder: .pieces(continuation: "##", cleansUp: true), roles: roles)
  }

  private static func tokenizerClass(
    _ files: TokenizerFiles, _ configuration: JSON, _ known: [String], default: String
  ) throws -> String {
    guard var name = configuration["tokenizer_class"]?.text else { return `default` }
    if name.hasSuffix("Fast") { name.removeLast(4) }
    guard known.contains(name) else {
      throw files.unsupported(
        "tokenizer_config.json", "tokenizer_class", name.quoted,
        known.joined(separator: ", ") + " with these files; others with tokenizer.json")
    }
    return name
  }

  /// The added tokens of the small files, and the roles' ids.
  ///
  /// A token that no file gives an id gets the next one after the vocabulary, as in the reference.
  static func special(
    _ files: TokenizerFiles, _ configuration: JSON, _ tokens: TokenTable,
    _ defaults: [(SpecialRole, String)]
  ) throws -> ([AddedToken], [SpecialRole: Int]) {
    let name = "tokenizer_config.json"
    let reading = AddedTokenReading(files: files, name: name)
    var added: [AddedToken] = []
    for (key, entry) in configuration["added_tokens_decoder"]?.object?.members ?? [] {
      guard let id = Int(key) else {
        throw files.wrong(name, "added_tokens_decoder", key.quoted, "ids as names of members")
      }
      added.append(try reading.token(entry, id: id, key: "added_tokens_decoder[\(key)]"))
    }
    for (content, id) in try files.optionalJSON("added_tokens.json").object?.members ?? []
    where !added.contains(where: { $0.content == content }) {
      guard let id = id.int else {
        throw files.wrong("added_tokens.json", content.quoted, id.kindName, "an integer")
      }
      added.append(AddedToken(id: id, content: content, isNormalized: true))
    }
    var spellings = try files.spellings(configuration)
    for (role, token) in defaults where !spellings.contains(where: { $0.role == role }) {
      spellings.append((role, .string(token)))
    }
    for (_, token) in spellings {
      guard let content = token.spelling else { continue }
      if let place = added.firstIndex(where: { $0.content == content }) {
        added[place].isSpecial = true
        continue
      }
      let next = max(tokens.size, added.reduce(0) { max($0, $1.id + 1) })
      var special = AddedToken(id: tokens.id(content) ?? next, content: content, isSpecial: true)
      func flag(_ field: String) throws -> Bool {
        guard token.object != nil else { return false }
        return try files.flag(name, token, field, of: content.quoted, absent: false)
      }
      special.isNormalized = try flag("normalized")
      special.isSingleWord = try flag("single_word")
      special.takesSpaceBefore = try flag("lstrip")
      special.takesSpaceAfter = try flag("rstrip")
      added.append(special)
    }
    try reading.check(added, beside: tokens, key: "added tokens")
    return (added, AddedTokenReading.roles(spellings, tokens, added))
  }
}

extension TokenizerFiles {
  /// A flag of `tokenizer_config.json`; absent and `null` are the default of the reference's class.
  func flag(_ configuration: JSON, _ field: String, absent: Bool) throws -> Bool {
    try flag(
      "tokenizer_config.json", configuration, field, of: "settings", absent: absent, null: absent)
  }
}
