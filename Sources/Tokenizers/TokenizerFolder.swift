internal import Files
public import Foundation

/// Finds and reads a model's tokenizer in its folder.
public enum TokenizerFolder {
  /// Reads `tokenizer.json`, or the older `vocab.json` with `merges.txt`, or `vocab.txt`.
  ///
  /// - Throws: `TokenizerError` or the file's own error, naming file, key, found and expected.
  public static func read(_ folder: URL) throws -> any Tokenizer {
    func has(_ name: String) -> Bool {
      FileManager.default.fileExists(atPath: folder.appending(path: name).path)
    }
    if has("tokenizer.json") {
      return try TokenizerFile.read(folder.appending(path: "tokenizer.json"))
    }
    if has("vocab.json"), has("merges.txt") { return try OlderFiles.byteLevel(folder) }
    if has("vocab.txt") { return try OlderFiles.wordPiece(folder) }
    throw TokenizerError(
      file: folder.path, place: "tokenizer", found: "no tokenizer file",
      expected: "tokenizer.json, or vocab.json and merges.txt, or vocab.txt")
  }
}

/// One JSON file of a tokenizer and what may stand in it.
struct TokenizerReader {
  let file: String
  let json: JSON

  init(_ url: URL) throws {
    file = url.lastPathComponent
    json = try JSON(file: url)
  }

  func error(_ place: String, _ found: JSON?, _ expected: String) -> TokenizerError {
    TokenizerError(
      file: file, place: place, found: found.map { String($0.written().prefix(80)) } ?? "nothing",
      expected: expected)
  }

  /// Pairs of token and id.
  func vocabulary(_ value: JSON?, _ place: String) throws -> [(token: String, id: Int)] {
    guard let members = value?.object else { throw error(place, value, "an object of tokens") }
    return try members.members.map { member in
      guard let id = member.value.int else {
        throw error("\(place), token '\(member.key)'", member.value, "a whole number")
      }
      return (member.key, id)
    }
  }
}

/// `tokenizer.json`, the file of the tokenizers library.
enum TokenizerFile {
  static func read(_ url: URL) throws -> any Tokenizer {
    let reader = try TokenizerReader(url)
    guard let model = reader.json["model"], model.object != nil else {
      throw reader.error("model", reader.json["model"], "an object")
    }
    let vocabulary = try Vocabulary(
      try reader.vocabulary(model["vocab"], "model.vocab"), file: reader.file)
    let added = try addedTokens(reader, vocabulary)
    let surroundings = try surroundings(reader)
    switch model["type"]?.text {
    case "BPE": return try byteLevel(reader, model, vocabulary, added, surroundings)
    case "WordPiece": return try wordPiece(reader, model, vocabulary, added, surroundings)
    default:
      throw reader.error("model.type", model["type"], "\"BPE\" or \"WordPiece\"")
    }
  }

  private static func byteLevel(
    _ reader: TokenizerReader, _ model: JSON, _ vocabulary: Vocabulary, _ added: AddedTokens,
    _ surroundings: Surroundings
  ) throws -> ByteLevelBPE {
    let before = reader.json["pre_tokenizer"]
    guard before?["type"]?.text == "ByteLevel", before?["use_regex"]?.bool ?? true else {
      throw reader.error("pre_tokenizer", before, "ByteLevel with GPT-2's pattern")
    }
    if let normalizer = reader.json["normalizer"], !normalizer.isNull {
      throw reader.error("normalizer", normalizer, "null")
    }
    for key in ["continuing_subword_prefix", "end_of_word_suffix"] {
      if let text = model[key]?.text, !text.isEmpty {
        throw reader.error("model.\(key)", model[key], "null or an empty text")
      }
    }
    for key in ["byte_fallback", "ignore_merges"] where model[key]?.bool == true {
      throw reader.error("model.\(key)", model[key], "false")
    }
    guard let merges = model["merges"]?.array else {
      throw reader.error("model.merges", model["merges"], "a list of merges")
    }
    let pairs = try merges.enumerated().map { rank, merge -> (String, String) in
      if let text = merge.text { return try OlderFiles.pair(text, line: rank, file: reader.file) }
      guard let parts = merge.array, parts.count == 2, let left = parts[0].text,
        let right = parts[1].text
      else { throw reader.error("model.merges, number \(rank)", merge, "two tokens") }
      return (left, right)
    }
    return try ByteLevelBPE(
      vocabulary: vocabulary, pairs: pairs, added: added, surroundings: surroundings,
      addsPrefixSpace: before?["add_prefix_space"]?.bool ?? false, file: reader.file)
  }

  private static func wordPiece(
    _ reader: TokenizerReader, _ model: JSON, _ vocabulary: Vocabulary, _ added: AddedTokens,
    _ surroundings: Surroundings
  ) throws -> WordPiece {
    let before = reader.json["pre_tokenizer"]
    guard before?["type"]?.text == "BertPreTokenizer" else {
      throw reader.error("pre_tokenizer", before, "BertPreTokenizer")
    }
    let normalizer = reader.json["normalizer"]
    guard normalizer?["type"]?.text == "BertNormalizer" else {
      throw reader.error("normalizer", normalizer, "BertNormalizer")
    }
    let lowercases = normalizer?["lowercase"]?.bool ?? true
    let name = model["unk_token"]?.text ?? "[UNK]"
    guard let unknown = vocabulary.id(name) else {
      throw reader.error("model.unk_token", model["unk_token"], "a token of the vocabulary")
    }
    return WordPiece(
      vocabulary: vocabulary, added: added, surroundings: surroundings,
      normalisation: WordPiece.Normalisation(
        cleansText: normalizer?["clean_text"]?.bool ?? true,
        separatesChinese: normalizer?["handle_chinese_chars"]?.bool ?? true,
        stripsAccents: normalizer?["strip_accents"]?.bool ?? lowercases, lowercases: lowercases),
      unknown: unknown, prefix: model["continuing_subword_prefix"]?.text ?? "##",
      longestWord: model["max_input_chars_per_word"]?.int ?? 100)
  }

  private static func addedTokens(
    _ reader: TokenizerReader, _ vocabulary: Vocabulary
  ) throws -> AddedTokens {
    guard let list = reader.json["added_tokens"], !list.isNull else { return AddedTokens([]) }
    guard let entries = list.array else {
      throw reader.error("added_tokens", list, "a list")
    }
    var taken: [Int: String] = [:]
    return AddedTokens(
      try entries.enumerated().map { index, entry in
        let place = "added_tokens, number \(index)"
        guard let content = entry["content"]?.text, !content.isEmpty, let id = entry["id"]?.int,
          id >= 0, id < 1 << 22
        else { throw reader.error(place, entry, "a content and an id") }
        if let other = taken.updateValue(content, forKey: id) {
          throw reader.error(place, entry, "an id of its own; '\(other)' has \(id)")
        }
        if let other = vocabulary.token(id), other != content {
          throw reader.error(
            place, entry, "an id of its own; the vocabulary's '\(other)' has \(id)")
        }
        if entry["single_word"]?.bool == true {
          throw reader.error("\(place), single_word", entry["single_word"], "false")
        }
        return AddedTokens.Entry(
          content: content, id: id, isSpecial: entry["special"]?.bool ?? false,
          stripsLeft: entry["lstrip"]?.bool ?? false, stripsRight: entry["rstrip"]?.bool ?? false)
      })
  }

  /// The tokens that the post-processor's template puts around one text.
  private static func surroundings(_ reader: TokenizerReader) throws -> Surroundings {
    guard let post = reader.json["post_processor"], !post.isNull else { return Surroundings() }
    switch post["type"]?.text {
    case "ByteLevel": return Surroundings()
    case "TemplateProcessing":
      var result = Surroundings()
      var isBehind = false
      for part in post["single"]?.array ?? [] {
        if part["Sequence"] != nil {
          isBehind = true
        } else if let name = part["SpecialToken"]?["id"]?.text {
          let ids = (post["special_tokens"]?[name]?["ids"]?.array ?? []).compactMap(\.int)
          guard !ids.isEmpty else {
            throw reader.error("post_processor.special_tokens", nil, "ids of '\(name)'")
          }
          if isBehind { result.suffix += ids } else { result.prefix += ids }
        }
      }
      return result
    case "RobertaProcessing", "BertProcessing":
      guard let first = post["cls"]?[1]?.int, let last = post["sep"]?[1]?.int else {
        throw reader.error("post_processor", post, "cls and sep with their ids")
      }
      return Surroundings(prefix: [first], suffix: [last])
    default:
      throw reader.error(
        "post_processor.type", post["type"],
        "TemplateProcessing, RobertaProcessing, BertProcessing or ByteLevel")
    }
  }
}
