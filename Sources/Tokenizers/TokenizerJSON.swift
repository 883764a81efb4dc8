internal import Files

/// Reads `tokenizer.json`.
enum TokenizerJSON {
  private static let name = "tokenizer.json"
  /// What a file may have; the reference refuses all else.
  private static let members = [
    "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
    "post_processor", "decoder", "model",
  ]

  static func read(_ files: TokenizerFiles) throws -> FileTokenizer {
    var parts: [String: JSON] = [:]
    var model: [String: JSON] = [:]
    var tables = VocabularyReading(files: files, name: name)
    try files.scan(name) { scanner in
      try scanner.eachMember { key, scanner in
        guard members.contains(key) else {
          throw scanner.failure(
            "the file has no member \(key.quoted); expected \(members.joined(separator: ", "))")
        }
        guard key == "model", scanner.peek() == UInt8(ascii: "{") else {
          try add(key, try scanner.value(depth: 32), to: &parts, scanner)
          return
        }
        try add(key, .null, to: &parts, scanner)
        try scanner.eachMember { key, scanner in
          let next = scanner.peek()
          if key == "vocab" && next == UInt8(ascii: "{") {
            guard tables.tokens == nil else { throw scanner.failure("a second 'vocab'") }
            try tables.readVocabulary(&scanner, key: "model.vocab")
          } else if key == "merges" && next == UInt8(ascii: "[") {
            guard tables.merges == nil else { throw scanner.failure("a second 'merges'") }
            try tables.readMerges(&scanner, key: "model.merges")
          } else {
            try add(key, try scanner.value(depth: 32), to: &model, scanner)
          }
        }
      }
    }
    guard parts["model"] != nil else {
      throw files.wrong(name, "model", "nothing", "the model's vocabulary")
    }
    // Files from before 2021 do not name the kind.
    let guess =
      tables.merges != nil ? "BPE" : model["max_input_chars_per_word"] != nil ? "WordPiece" : ""
    let kind = try files.text(
      name, .object(JSON.Object(model.map { ($0.key, $0.value) })), "type", of: "model",
      absent: guess)
    guard kind == "BPE" || kind == "WordPiece" else {
      throw files.unsupported(
        name, "model.type", kind.isEmpty ? "nothing" : kind.quoted, "BPE, WordPiece")
    }
    guard let tokens = tables.tokens else {
      throw files.wrong(
        name, "model.vocab", model["vocab"]?.kindName ?? "nothing", "tokens and their ids")
    }
    return try build(files, kind: kind, tables, tokens, model: model, parts: parts)
  }

  private static func add(
    _ key: String, _ value: JSON, to members: inout [String: JSON], _ scanner: JSON.Scanner
  ) throws {
    guard members.updateValue(value, forKey: key) == nil else {
      throw scanner.failure("a second member is called \(key.quoted)")
    }
  }

  private static func build(
    _ files: TokenizerFiles, kind: String, _ tables: VocabularyReading, _ tokens: TokenTable,
    model: [String: JSON], parts: [String: JSON]
  ) throws -> FileTokenizer {
    let reader = PipelineReading(files: files, name: name)
    if let version = parts["version"], version.text != "1.0" {
      throw files.unsupported(name, "version", version.written().quoted, "'1.0'")
    }
    try reader.checkLimits(
      truncation: parts["truncation"] ?? .null, padding: parts["padding"] ?? .null)
    let added = try AddedTokenReading(files: files, name: name).read(
      parts["added_tokens"] ?? [], beside: tokens)
    let preTokenizers = try reader.preTokenizers(parts["pre_tokenizer"] ?? .null)
    let fields = JSON.object(JSON.Object(model.map { ($0.key, $0.value) }))
    let built: FileTokenizer.Model
    var wordEnd = ""
    if kind == "BPE" {
      guard tables.merges != nil else {
        throw files.wrong(
          name, "model.merges", fields["merges"]?.kindName ?? "nothing", "an array")
      }
      (built, wordEnd) = try reader.bytePairs(
        model, tokens, try tables.mergeTable(tokens, name, "model.merges"), added,
        areByteLevel: preTokenizers.areByteLevel)
    } else {
      guard let unknown = try reader.unknown(fields, tokens, added) else {
        throw files.wrong(name, "model.unk_token", "nothing", "the token of unknown words")
      }
      let longest = try files.count(name, fields, "max_input_chars_per_word", of: "model")
      guard (1...1000).contains(longest) else {
        throw files.wrong(name, "model.max_input_chars_per_word", "\(longest)", "from 1 to 1000")
      }
      built = .wordPieces(
        WordPiece(
          tokens: tokens,
          continuation: try files.text(name, fields, "continuing_subword_prefix", of: "model"),
          unknown: unknown, longestWord: longest))
    }
    let configuration = try files.optionalJSON("tokenizer_config.json")
    let roles = AddedTokenReading.roles(
      try files.spellings(configuration), tokens, added)
    var steps = PipelineSteps(
      normalizers: try reader.normalizers(parts["normalizer"] ?? .null),
      preTokenizers: preTokenizers.steps,
      frame: try reader.frame(parts["post_processor"] ?? .null, tokens, added),
      decoder: try reader.decoder(parts["decoder"] ?? .null, wordEnd: wordEnd))
    if kind == "BPE" && !preTokenizers.areByteLevel,
      try LlamaTokenizerClass.isNamed(by: files, configuration)
    {
      try LlamaTokenizerClass.replace(&steps, files, configuration, roles)
    }
    return FileTokenizer(steps, model: built, added: added, roles: roles)
  }
}
