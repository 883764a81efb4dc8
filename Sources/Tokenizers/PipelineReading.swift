internal import Files

/// Reads the parts of `tokenizer.json` around the model; a part it does not know is refused by name.
struct PipelineReading {
  let files: TokenizerFiles
  let name: String

  func type(_ part: JSON, _ key: String) throws -> String {
    guard let type = part["type"]?.text else {
      throw files.wrong(name, "\(key).type", part["type"]?.kindName ?? "nothing", "a name")
    }
    return type
  }

  /// The entries of a `Sequence` under `list`, or the part itself; none for `null`.
  func steps(_ part: JSON, _ key: String, _ list: String) throws -> [JSON] {
    if part.isNull { return [] }
    guard try type(part, key) == "Sequence" else { return [part] }
    guard let entries = part[list]?.array else {
      throw files.wrong(
        name, "\(key).\(list)", part[list]?.kindName ?? "nothing", "an array of steps")
    }
    return try entries.flatMap { entry in
      guard !entry.isNull else {
        throw files.wrong(name, "\(key).\(list)", "null", "an array of steps")
      }
      return try steps(entry, key, list)
    }
  }

  func normalizers(_ part: JSON) throws -> [Normalizer] {
    let key = "normalizer"
    return try steps(part, key, "normalizers").map { step in
      switch try type(step, key) {
      case "BertNormalizer":
        let lowercases = try files.flag(name, step, "lowercase", of: key)
        return .bert(
          cleans: try files.flag(name, step, "clean_text", of: key),
          separatesChinese: try files.flag(name, step, "handle_chinese_chars", of: key),
          stripsAccents: try files.flag(
            name, step, "strip_accents", of: key, absent: lowercases, null: lowercases),
          lowercases: lowercases)
      case "NFC": return .composed()
      case "Lowercase": return .lowercased
      case "Replace"
      where step["pattern"]?["Regex"]?.text == #"\s+"#
        && step["content"]?.text == " ":
        return .singleSpaces
      case let other:
        if let built = try textNormalizer(step, other, key) { return built }
        let pattern = step["pattern"].map { " of \($0.written().quoted)" } ?? ""
        throw files.unsupported(
          name, key, other.quoted + pattern,
          "BertNormalizer, NFC, Lowercase, Prepend, Strip, Replace of a text, "
            + #"Replace of "\s+" by a space"#)
      }
    }
  }

  /// The steps, and whether they end in the bytes that a byte-level vocabulary is written in.
  func preTokenizers(_ part: JSON) throws -> (steps: [PreTokenizer], areByteLevel: Bool) {
    let key = "pre_tokenizer"
    var result: [PreTokenizer] = []
    var isByteLevel = false
    for step in try steps(part, key, "pretokenizers") {
      let type = try type(step, key)
      guard !isByteLevel else {
        throw files.unsupported(name, key, "\(type.quoted) after ByteLevel", "ByteLevel last")
      }
      switch type {
      case "ByteLevel":
        isByteLevel = true
        try checkByteLevel(step, key)
        if step["add_prefix_space"]?.bool == true { result.append(.prefixSpace) }
        if step["use_regex"]?.bool ?? true { result.append(.pattern(.gpt2)) }
      case "BertPreTokenizer": result.append(.bert)
      default: result.append(try cutter(step, type, key))
      }
    }
    return (result, isByteLevel)
  }

  /// What stands around a single text.
  func frame(_ part: JSON, _ tokens: TokenTable, _ added: [AddedToken]) throws
    -> FileTokenizer.Frame
  {
    let key = "post_processor"
    var frame = FileTokenizer.Frame()
    func around(_ before: [Int], _ after: [Int]) {
      frame = FileTokenizer.Frame(before: before + frame.before, after: frame.after + after)
    }
    for step in try steps(part, key, "processors") {
      switch try type(step, key) {
      case "ByteLevel": try checkByteLevel(step, key)
      case "TemplateProcessing":
        let sides = try template(step, key, tokens, added)
        around(sides.before, sides.after)
      case "RobertaProcessing":
        for field in ["trim_offsets", "add_prefix_space"] {
          _ = try files.flag(name, step, field, of: key)
        }
        around([try pair(step, "cls", tokens, added)], [try pair(step, "sep", tokens, added)])
      case "BertProcessing":
        around([try pair(step, "cls", tokens, added)], [try pair(step, "sep", tokens, added)])
      case let other:
        throw files.unsupported(
          name, key, other.quoted,
          "TemplateProcessing, RobertaProcessing, BertProcessing, ByteLevel")
      }
    }
    return frame
  }

  private func pair(
    _ step: JSON, _ side: String, _ tokens: TokenTable, _ added: [AddedToken]
  ) throws -> Int {
    let key = "post_processor.\(side)"
    guard let token = step[side]?[0]?.text, let id = step[side]?[1]?.int else {
      throw files.wrong(name, key, step[side]?.kindName ?? "nothing", "a token and its id")
    }
    try check(id, token, key, tokens, added)
    return id
  }

  private func template(
    _ step: JSON, _ key: String, _ tokens: TokenTable, _ added: [AddedToken]
  ) throws -> (before: [Int], after: [Int]) {
    for side in ["single", "pair"] { try checkTemplate(step[side], "\(key).\(side)") }
    for (token, listed) in step["special_tokens"]?.object?.members ?? [] {
      let place = "\(key).special_tokens[\(token.quoted)]"
      _ = try files.text(name, listed, "id", of: place)
      guard let spellings = listed["tokens"]?.array, spellings.allSatisfy({ $0.text != nil }) else {
        throw files.wrong(
          name, "\(place).tokens", listed["tokens"]?.kindName ?? "nothing", "an array of strings")
      }
    }
    var sides: [[Int]] = [[]]
    for entry in step["single"]?.array ?? [] {
      if entry["Sequence"] != nil {
        sides.append([])
      } else if let token = entry["SpecialToken"]?["id"]?.text {
        let place = "\(key).special_tokens[\(token.quoted)]"
        let listed = step["special_tokens"]?[token]
        guard let ids = listed?["ids"]?.array?.map(\.int), !ids.isEmpty, !ids.contains(nil) else {
          throw files.wrong(name, place, listed?.kindName ?? "nothing", "the token's ids")
        }
        let spellings = listed?["tokens"]?.array?.map(\.text) ?? []
        for (offset, id) in ids.compactMap({ $0 }).enumerated() {
          let spelling = offset < spellings.count ? spellings[offset] ?? token : token
          try check(id, spelling, place, tokens, added)
          sides[sides.count - 1].append(id)
        }
      } else {
        throw files.wrong(name, "\(key).single", entry.kindName, "SpecialToken or Sequence")
      }
    }
    guard sides.count == 2 else {
      throw files.wrong(
        name, "\(key).single", "\(sides.count - 1) places for the text", "exactly one")
    }
    return (sides[0], sides[1])
  }

  /// Refuses an id that is not the named token's.
  private func check(
    _ id: Int, _ token: String, _ key: String, _ tokens: TokenTable, _ added: [AddedToken]
  ) throws {
    let known = added.first { $0.content == token }?.id ?? tokens.id(token)
    guard known == id else {
      throw files.wrong(
        name, key, "\(token.quoted) with id \(id)",
        known.map { "id \($0), as in the vocabulary" } ?? "a token of the vocabulary")
    }
  }

  func decoder(_ part: JSON, wordEnd: String) throws -> TokenDecoder.Kind {
    let type = part.isNull ? "nothing" : try type(part, "decoder")
    switch type {
    case "ByteLevel":
      try checkByteLevel(part, "decoder")
      return .bytes(wordEnd: wordEnd)
    case "WordPiece":
      return .pieces(
        continuation: try files.text(name, part, "prefix", of: "decoder"),
        cleansUp: try files.flag(name, part, "cleanup", of: "decoder"))
    default: return .steps(try decodingSteps(part, type))
    }
  }

  /// The id of the model's unknown token, if it names one.
  func unknown(
    _ fields: JSON, _ tokens: TokenTable, _ added: [AddedToken]
  ) throws -> Int? {
    guard let token = try files.optionalText(name, fields, "unk_token", of: "model") else {
      return nil
    }
    guard let id = tokens.id(token) ?? added.first(where: { $0.content == token })?.id else {
      throw files.wrong(name, "model.unk_token", token.quoted, "a token of the vocabulary")
    }
    return id
  }

  /// Refuses fields with values that this program does not have.
  func refuse(
    _ fields: [String: JSON], _ allowed: KeyValuePairs<String, [JSON]>, emptyText: [String]
  ) throws {
    for (field, values) in allowed {
      if let value = fields[field], !values.contains(value) {
        throw files.unsupported(
          name, "model.\(field)", value.written().quoted,
          values.map { $0.written() }.joined(separator: ", "))
      }
    }
    for field in emptyText {
      if let value = fields[field], !value.isNull, value.text?.isEmpty != true {
        throw files.unsupported(name, "model.\(field)", value.written().quoted, "null or \"\"")
      }
    }
  }
}
