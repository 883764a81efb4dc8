internal import Files

/// Reads the steps of `tokenizer.json` that vocabularies of characters and chat models have.
extension PipelineReading {
  /// A step that changes a text; nil for one that is not known.
  func textNormalizer(_ step: JSON, _ type: String, _ key: String) throws -> Normalizer? {
    switch type {
    case "Prepend": return .prefixed(try files.text(name, step, "prepend", of: key))
    case "Replace":
      guard let found = step["pattern"]?["String"]?.text, !found.isEmpty else { return nil }
      return .replaced(found, by: try files.text(name, step, "content", of: key))
    case "Strip":
      return .stripped(
        left: try files.flag(name, step, "strip_left", of: key),
        right: try files.flag(name, step, "strip_right", of: key))
    default: return nil
    }
  }

  /// A step that cuts a text into words.
  func cutter(_ step: JSON, _ type: String, _ key: String) throws -> PreTokenizer {
    switch type {
    case "BertPreTokenizer": return .bert
    case "WhitespaceSplit": return .whitespace
    case "Whitespace": return .words
    case "Metaspace": return .metaspace(try metaspace(step, key))
    case "Digits":
      let areApart = try files.flag(name, step, "individual_digits", of: key)
      return .digits(areApart ? .isolated : .contiguous)
    case "Punctuation":
      return .punctuation(
        step["behavior"] == nil ? .isolated : try behavior(step, key))
    case "Split": return try split(step, key)
    default:
      throw files.unsupported(
        name, key, type.quoted,
        "ByteLevel, BertPreTokenizer, Split, Metaspace, Digits, Punctuation, Whitespace, "
          + "WhitespaceSplit")
    }
  }

  private func behavior(_ step: JSON, _ key: String) throws -> SplitBehavior {
    let text = try files.text(name, step, "behavior", of: key)
    guard let behavior = SplitBehavior(rawValue: text) else {
      throw files.wrong(
        name, "\(key).behavior", text.quoted,
        "Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous")
    }
    return behavior
  }

  private func split(_ step: JSON, _ key: String) throws -> PreTokenizer {
    let behavior = try behavior(step, key)
    let inverts = try files.flag(name, step, "invert", of: key)
    func refused(_ supported: String) -> TokenizerError {
      files.unsupported(
        name, "\(key).behavior", "\(behavior.rawValue.quoted) with invert \(inverts)", supported)
    }
    if let text = step["pattern"]?["String"]?.text {
      guard !inverts else { throw refused("invert false with a text") }
      return .text(text, behavior)
    }
    let text = step["pattern"]?["Regex"]?.text ?? step["pattern"]?.written() ?? "nothing"
    // Words are what the pattern finds: all that is kept, or set apart where it leaves nothing out.
    let keepsWords = behavior == .removed && inverts
    if let known = ChatWordPattern.known.first(where: { $0.text == text }) {
      guard keepsWords || behavior == .isolated else {
        throw refused("'Isolated', or 'Removed' with invert true")
      }
      return .chatPattern(known.pattern)
    }
    guard let pattern = WordPattern.allCases.first(where: { $0.text == text }) else {
      throw files.unsupported(
        name, "\(key).pattern", "the pattern \(text.quoted)",
        "the patterns of GPT-2, CLIP, Llama 3, GPT-4, GPT-4o, Qwen and Tekken")
    }
    guard keepsWords || (pattern == .gpt2 && behavior == .isolated) else {
      throw refused("'Removed' with invert true")
    }
    return .pattern(pattern)
  }

  private func metaspace(_ step: JSON, _ key: String) throws -> Metaspace {
    let mark = try files.text(name, step, "replacement", of: key)
    guard mark.unicodeScalars.count == 1 else {
      throw files.wrong(name, "\(key).replacement", mark.quoted, "one character")
    }
    return Metaspace(
      mark: mark, prefix: try prefix(step, key),
      splits: try files.flag(name, step, "split", of: key, absent: true, null: true))
  }

  /// `prepend_scheme`, which `add_prefix_space` of older files must not contradict.
  private func prefix(_ step: JSON, _ key: String) throws -> Metaspace.Prefix {
    let adds = try files.flag(
      name, step, "add_prefix_space", of: key, absent: true, null: true)
    _ = try files.optionalText(name, step, "str_rep", of: key)
    let scheme = try files.text(name, step, "prepend_scheme", of: key, absent: "always")
    guard adds || scheme == "never" else {
      throw files.wrong(
        name, "\(key).add_prefix_space", "false beside prepend_scheme \(scheme.quoted)",
        "'never' beside it")
    }
    switch scheme {
    case "always": return .always
    case "first": return .first
    case "never": return .never
    default:
      throw files.wrong(
        name, "\(key).prepend_scheme", scheme.quoted, "'always', 'first' or 'never'")
    }
  }

  /// The steps from tokens to a text.
  func decodingSteps(_ part: JSON, _ type: String) throws -> [DecodingStep] {
    let key = "decoder"
    var result: [DecodingStep] = []
    for step in try steps(part, key, "decoders") {
      let type = try self.type(step, key)
      let isFused = result.contains(.fuse)
      switch type {
      case "Replace" where !isFused:
        guard let found = step["pattern"]?["String"]?.text, !found.isEmpty else {
          throw files.unsupported(
            name, "\(key).pattern", step["pattern"]?.written().quoted ?? "nothing", "a String")
        }
        result.append(.replace(found, by: try files.text(name, step, "content", of: key)))
      case "ByteFallback" where !result.contains(.bytes) && !isFused: result.append(.bytes)
      case "Fuse" where !isFused: result.append(.fuse)
      case "Strip" where !isFused || result.last == .fuse:
        result.append(try strip(step, key, isFused: isFused))
      case "Metaspace" where result.isEmpty:
        let space = try metaspace(step, key)
        guard let mark = space.mark.unicodeScalars.first else { continue }
        result.append(.spaces(mark: mark, dropsFirst: space.prefix != .never))
      default:
        let place = result.isEmpty ? "" : " after other steps"
        throw files.unsupported(
          name, key, type.quoted + place,
          "ByteLevel, WordPiece, Metaspace, Replace, ByteFallback, Fuse, Strip")
      }
    }
    return result
  }

  private func strip(_ step: JSON, _ key: String, isFused: Bool) throws -> DecodingStep {
    let content = try files.text(name, step, "content", of: key)
    guard let scalar = content.unicodeScalars.first, content.unicodeScalars.count == 1 else {
      throw files.wrong(name, "\(key).content", content.quoted, "one character")
    }
    var counts: [Int] = []
    for field in ["start", "stop"] {
      let count = try files.count(name, step, field, of: key)
      guard count <= 1000 else {
        throw files.unsupported(name, "\(key).\(field)", "\(count)", "up to 1000")
      }
      counts.append(count)
    }
    guard !isFused || counts[1] == 0 else {
      throw files.unsupported(name, "\(key).stop", "\(counts[1]) after Fuse", "0")
    }
    return .strip(scalar, start: counts[0], stop: counts[1])
  }

  /// The model of a vocabulary with merges, and what ends a word in it.
  func bytePairs(
    _ members: [String: JSON], _ tokens: TokenTable, _ merges: MergeTable, _ added: [AddedToken],
    areByteLevel: Bool
  ) throws -> (FileTokenizer.Model, wordEnd: String) {
    let fields = JSON.object(JSON.Object(members.map { ($0.key, $0.value) }))
    func flag(_ field: String) throws -> Bool {
      try files.flag(name, fields, field, of: "model", absent: false, null: false)
    }
    try refuse(
      members, ["dropout": [.null, 0, 0.0]],
      emptyText: ["continuing_subword_prefix"] + (areByteLevel ? [] : ["end_of_word_suffix"]))
    let unknown = try unknown(fields, tokens, added)
    let fusesUnknown = try flag("fuse_unk")
    let fallsBackToBytes = try flag("byte_fallback")
    let wordEnd = try files.optionalText(name, fields, "end_of_word_suffix", of: "model") ?? ""
    let symbols: WordSymbols
    if areByteLevel {
      try refuse(members, ["byte_fallback": [.null, false]], emptyText: [])
      symbols = .bytes(
        of: tokens, wordEnd: wordEnd, unknown: unknown, fusesUnknown: fusesUnknown)
    } else {
      symbols = .characters(
        of: tokens, fallsBackToBytes: fallsBackToBytes, unknown: unknown,
        fusesUnknown: fusesUnknown)
    }
    let model = BytePairEncoding(
      tokens: tokens, merges: .listed(merges), symbols: symbols,
      wholeWords: try flag("ignore_merges") ? tokens : nil)
    return (.bytePairs(model), wordEnd)
  }
}
