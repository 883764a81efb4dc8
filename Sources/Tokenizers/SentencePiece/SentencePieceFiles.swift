internal import Files

/// Reads a folder whose vocabulary is a `tokenizer.model`.
///
/// Three programs read such folders three ways, and the folder says which:
/// - beside `tokenizer_config.json` that names `LlamaTokenizer`, as that class of the reference: pieces
///   merge in the order of their ids, or of their scores if there is a `tokenizer.json` too;
/// - beside other settings, or none for a model's folder, as the reference's general class: by scores,
///   with special tokens found in a text;
/// - alone, as SentencePiece itself: nothing is added, and nothing in a text is a special token.
enum SentencePieceFiles {
  private static let name = "tokenizer.model"

  static func read(_ files: TokenizerFiles) throws -> FileTokenizer {
    let reading = SentencePieceReading(files: files, name: name)
    let model = try reading.read()
    try refuse(model, files)
    let vocabulary = try SentencePieceVocabulary(model, files: files, name: name)
    guard files.has("tokenizer_config.json") || files.has("config.json") else {
      try refuseTables(model, files)
      return alone(model, vocabulary)
    }
    let configuration = try files.optionalJSON("tokenizer_config.json")
    switch try LlamaTokenizerClass.namedClass(files, configuration) {
    case LlamaTokenizerClass.name?:
      return try asLlama(model, vocabulary, files, configuration)
    case nil, "TokenizersBackend"?, "PreTrainedTokenizer"?:
      try refuseTables(model, files)
      return try general(model, vocabulary, files, configuration)
    case let other?:
      throw files.unsupported(
        "tokenizer_config.json", "tokenizer_class", other.quoted,
        "LlamaTokenizer, TokenizersBackend and PreTrainedTokenizerFast with tokenizer.model; "
          + "others with tokenizer.json")
    }
  }

  private static func refuse(_ model: SentencePieceModel, _ files: TokenizerFiles) throws {
    guard model.algorithm == 2 else {
      let names = ["unigram", "BPE", "words", "characters"]
      let place = Int(clamping: model.algorithm) - 1
      throw files.unsupported(
        name, "trainer_spec.model_type",
        names.indices.contains(place) ? names[place] : "\(model.algorithm)", "BPE")
    }
    if model.marksWordEnds {
      throw files.unsupported(name, "trainer_spec.treat_whitespace_as_suffix", "true", "false")
    }
    if !model.escapesSpaces {
      throw files.unsupported(name, "normalizer_spec.escape_whitespaces", "false", "true")
    }
  }

  /// Refuses tables of characters; the reference's `LlamaTokenizer` reads none.
  private static func refuseTables(_ model: SentencePieceModel, _ files: TokenizerFiles) throws {
    if model.hasCharacterTable {
      throw files.unsupported(
        name, "normalizer_spec.precompiled_charsmap",
        "the table of \(model.normalizerName.quoted)", "'identity', which has none")
    }
    if model.hasOutputTable {
      throw files.unsupported(
        name, "denormalizer_spec.precompiled_charsmap", "a table", "none")
    }
  }

  private static func asLlama(
    _ model: SentencePieceModel, _ vocabulary: SentencePieceVocabulary, _ files: TokenizerFiles,
    _ configuration: JSON
  ) throws -> FileTokenizer {
    let (named, roles) = try OlderFiles.special(
      files, configuration, vocabulary.tokens,
      [(.unknown, "<unk>"), (.beginning, "<s>"), (.end, "</s>")])
    var steps = PipelineSteps(decoder: .steps([]))
    try LlamaTokenizerClass.replace(&steps, files, configuration, roles)
    let tokens = vocabulary.tokens
    // From this file alone the class takes the order of the ids, in which two spaces become one token
    // before any word does; a `tokenizer.json` beside it lists the merges by score.
    let order: SentencePieceVocabulary.Order =
      files.has("tokenizer.json") ? .byScoreThenID : .byID
    let encoding = BytePairEncoding(
      tokens: tokens, merges: .listed(vocabulary.merges(order)),
      symbols: .characters(
        of: tokens, fallsBackToBytes: true, unknown: nil, fusesUnknown: true))
    return FileTokenizer(
      steps, model: .bytePairs(encoding), added: vocabulary.added(named, [.control, .userDefined]),
      roles: roles)
  }

  private static func general(
    _ model: SentencePieceModel, _ vocabulary: SentencePieceVocabulary, _ files: TokenizerFiles,
    _ configuration: JSON
  ) throws -> FileTokenizer {
    let defaults: [(SpecialRole, Int, String)] = [
      (.beginning, model.beginID, model.beginPiece), (.end, model.endID, model.endPiece),
      (.unknown, model.unknownID, model.unknownPiece),
    ]
    var (named, roles) = try OlderFiles.special(
      files, configuration, vocabulary.tokens,
      defaults.filter { $0.1 >= 0 }.map { ($0.0, $0.2) })
    if model.addsPrefix && configuration["added_tokens_decoder"] != nil {
      for place in named.indices { named[place].isNormalized = false }
    }
    let isLegacy = try files.flag(configuration, "legacy", absent: true)
    var steps = PipelineSteps(
      decoder: .steps(
        LlamaTokenizerClass.decoder(
          stripsSpace: model.addsPrefix, hasBytes: model.fallsBackToBytes)))
    steps.normalizers =
      (model.removesExtraSpaces ? [.withoutExtraSpaces(endsAtMarks: false)] : [])
      + [.replaced(" ", by: Metaspace.mark)]
    if model.addsPrefix {
      steps.preTokenizers = [.metaspace(Metaspace(prefix: isLegacy ? .evenIfMarked : .first))]
    }
    let own = vocabulary.texts(of: .userDefined)
    if !own.isEmpty { steps.preTokenizers.append(.pieces(PieceCutter(own))) }
    steps.frame = try LlamaTokenizerClass.frame(files, configuration, roles)
    let tokens = vocabulary.tokens
    let encoding = BytePairEncoding(
      tokens: tokens, merges: .listed(vocabulary.merges(.byScoreThenID)),
      symbols: .characters(
        of: tokens, fallsBackToBytes: model.fallsBackToBytes,
        unknown: tokens.id(model.unknownPiece), fusesUnknown: true),
      wholeWords: own.isEmpty ? nil : tokens)
    return FileTokenizer(
      steps, model: .bytePairs(encoding), added: vocabulary.added(named, [.control]),
      roles: roles)
  }

  private static func alone(
    _ model: SentencePieceModel, _ vocabulary: SentencePieceVocabulary
  ) -> FileTokenizer {
    let tokens = vocabulary.tokens
    let own = vocabulary.texts(of: .userDefined)
    let spelling = SentencePieceSpelling(
      unknown: model.pieces[vocabulary.unknown].text, unknownSurface: model.unknownSurface,
      dropsFirstSpace: model.addsPrefix || model.removesExtraSpaces,
      dropsAllSpaces: model.removesExtraSpaces)
    var steps = PipelineSteps(decoder: .sentencePieces(spelling))
    if model.removesExtraSpaces { steps.normalizers = [.withoutExtraSpaces(endsAtMarks: true)] }
    steps.preTokenizers = [.metaspace(Metaspace(prefix: model.addsPrefix ? .evenIfMarked : .never))]
    if !own.isEmpty { steps.preTokenizers.append(.pieces(PieceCutter(own))) }
    let encoding = BytePairEncoding(
      tokens: tokens, merges: .listed(vocabulary.merges(.byScore)),
      symbols: .characters(
        of: tokens, fallsBackToBytes: model.fallsBackToBytes, unknown: vocabulary.unknown,
        fusesUnknown: true),
      wholeWords: own.isEmpty ? nil : vocabulary.table(of: .userDefined),
      unused: Set(vocabulary.ids(of: .unused).map(Int32.init)))
    var roles: [SpecialRole: Int] = [.unknown: vocabulary.unknown]
    for (role, id) in [
      (SpecialRole.beginning, model.beginID), (.end, model.endID), (.padding, model.padID),
    ] where id >= 0 && id < model.pieces.count { roles[role] = id }
    return FileTokenizer(
      steps, model: .bytePairs(encoding), added: vocabulary.hidden(), roles: roles)
  }
}
