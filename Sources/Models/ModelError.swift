public import Files

/// Why a model cannot be read or cannot do what it was asked.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  /// A file's chat template is no text, or a list of what is none.
  case badChatTemplate(file: String, found: String)
  /// A folder has no chat template.
  case noChatTemplateFile(folder: String)
  /// A conversation has no last message that could be gone on with.
  case nothingToContinue(reason: String)
  /// None of a folder's chat templates has the name.
  case noChatTemplate(name: String, known: [String])
  /// The configuration names a family that is not known here, or none.
  case unknownFamily(file: String, found: String?, known: [String])
  /// A value of the configuration is missing, of the wrong kind or out of range.
  case badConfiguration(file: String, key: String, found: String, expected: String)
  /// A file of settings holds something else than an object.
  case noSettings(file: String, found: String)
  /// The prompt and what goes before it do not fit the positions the model was trained with.
  case promptTooLong(tokens: Int, limit: Int)
  /// A text of no tokens, where there is nothing else to go on from.
  case emptyPrompt
  /// A picture size that cannot be cut into whole patches, or into too many.
  case badSize(found: Int, patchSize: Int)
  /// A text takes more tokens than the text tower has positions.
  case textTooLong(text: String, tokens: Int, limit: Int)
  /// The prompt's own words hold the token that stands for the picture's queries.
  case imageTokenInPrompt(token: String)
  /// Words hold a tag that stands around a picture's path.
  case pictureTagInWords(tag: String)
  /// A picture's name has more bytes than the model reads.
  case pictureNameTooLong(name: String, bytes: Int, limit: Int)
  /// A token id that the embedding table has no row for.
  case unknownToken(id: Int, rows: Int)
  /// Token ids that were given as numbers, and are not what the model reads.
  case badTokenIDs(found: String, expected: String)
  /// A folder has what sees, and no language model, and none was named.
  case noLanguageModel(folder: String)
  /// A setting that was given in place of one of `config.json` is none.
  case unknownSetting(String, reason: String)
  /// A folder of a language model was named beside a model that takes none.
  case languageNotTaken(folder: String, reason: String)
  /// The projection of what sees ends in other channels than the language model reads.
  case languageDoesNotFit(visual: String, projection: Int, language: String, width: Int)
  /// Two folders of one model have tokenizers that give an id to different tokens.
  case tokenizersDisagree(
    visual: String, language: String, id: Int, first: String, second: String)
  /// The model has no part for this.
  case missingPart(wanted: String, has: String)
  /// Tokens of a picture of which nobody knows how many stand in a row, for a model that takes pictures
  /// of any size.
  case unknownGrid(model: String)
  /// The tags that stand for pictures and the pictures are not as many.
  case pictureTags(found: Int, tag: String, pictures: Int)
  /// Words hold a token that marks turns or pictures.
  case markInWords(mark: String)
  /// A stage was given numbers of another shape.
  case wrongShape(stage: String, found: [Int], expected: String)

  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .badChatTemplate(let file, let found):
      "\(file): the chat template is \(found), but it must be a text, or a list of objects with 'name' and "
        + "'template'"
    case .noChatTemplateFile(let folder):
      "\(folder): there is no chat template, in chat_template.jinja, chat_template.json, processor_config.json or "
        + "tokenizer_config.json; give one with chat_template="
    case .nothingToContinue(let reason): "the last message cannot be continued: \(reason)"
    case .noChatTemplate(let name, let known):
      "there is no chat template '\(name)' in the model's folder; it has "
        + known.map { "'\($0)'" }.joined(separator: ", ")
    case .unknownFamily(let file, let found, let known):
      "\(file): " + (found.map { "model_type is '\($0)'" } ?? "has no model_type")
        + "; Fovea reads \(known.joined(separator: ", "))"
    case .badConfiguration(let file, let key, let found, let expected):
      "\(file): '\(key)' is \(found), but it must be \(expected)"
    case .noSettings(let file, let found):
      "\(file): the file holds \(found), but it must hold an object of settings"
    case .promptTooLong(let tokens, let limit):
      "the prompt, with what stands for a picture, takes \(tokens) tokens, but this model has room for \(limit); "
        + "shorten the prompt"
    case .emptyPrompt: "the prompt has no tokens; this model needs some words to go on from"
    case .badSize(let found, let patch) where found > 64 * patch:
      "a picture of \(found) pixels is too large; at most \(64 * patch) are read, 64 patches of "
        + "\(patch) a side"
    case .badSize(let found, let patch):
      "a picture of \(found) pixels cannot be cut into patches of \(patch); the size must be a "
        + "multiple of \(patch), and at most \(64 * patch)"
    case .textTooLong(let text, let tokens, let limit):
      "'\(text.prefix(40))\(text.count > 40 ? "…" : "")' takes \(tokens) tokens, but this model "
        + "reads \(limit); shorten it, or have it cut with truncate=True, in the shell --truncate"
    case .imageTokenInPrompt(let token):
      "the prompt holds '\(token)', which stands for the picture itself; leave it out, the "
        + "picture's queries come first anyway"
    case .pictureTagInWords(let tag):
      "the words hold '\(tag)', which stands around a picture's path; give the picture itself, or the "
        + "text to chat, which opens the file between <img> and </img>"
    case .pictureNameTooLong(let name, let bytes, let limit):
      "the path '\(name.prefix(40))…' has \(bytes) bytes, but this model reads at most \(limit); use a "
        + "shorter one, for instance by a link"
    case .unknownToken(let id, let rows):
      "the tokenizer gave token id \(id), but the embedding table has \(rows) rows, 0 to "
        + "\(rows - 1); the tokenizer is another model's"
    case .badTokenIDs(let found, let expected):
      "the token ids \(found), but this model reads \(expected)"
    case .noLanguageModel(let folder):
      "\(folder): has the visual part of a BLIP-2 and no language model; name its folder too, with "
        + "language=\"FOLDER\", in the shell --language FOLDER"
    case .unknownSetting(let path, let reason):
      "config names '\(path)', but \(reason); the path of a key is expected, as "
        + "perceiver_config.rms_norm_eps"
    case .languageNotTaken(let folder, let reason):
      "\(folder): no language model can be put beside it: it \(reason); leave language out"
    case .languageDoesNotFit(let visual, let projection, let language, let width):
      "\(language): the language model reads \(width) channels, but what \(visual) projects has "
        + "\(projection); name the language model that it was trained with"
    case .tokenizersDisagree(let visual, let language, let id, let first, let second):
      "\(visual): token \(id) of its tokenizer is \(first), but \(second) of that in \(language), "
        + "which the language model was trained with; remove the first one's files if they are stale"
    case .missingPart(let wanted, let has):
      "this model cannot \(wanted): \(has)"
    case .unknownGrid(let model):
      "how many patches stand in a row is not known: it depends on the picture for \(model); give what "
        + "the stage before gave, which knows its picture, and not a tensor alone"
    case .pictureTags(let found, let tag, let pictures):
      "the words hold \(found) '\(tag)', but \(pictures) \(pictures == 1 ? "picture goes" : "pictures go") "
        + "with them; give a picture for each, or leave the tags out and the pictures stand where they "
        + "are given"
    case .markInWords(let mark):
      "the words hold '\(mark)', which marks turns and pictures for this model; leave it out"
    case .wrongShape(let stage, let found, let expected):
      "\(stage): the input has shape \(found), but this stage takes \(expected)"
    }
  }
}

extension ModelError: HasExitCode {
  /// Bad data where a file is at fault; else a command that failed.
  public var exitCode: Int32 {
    switch self {
    case .unknownFamily, .badConfiguration, .noSettings, .unknownToken, .noLanguageModel,
      .languageNotTaken, .languageDoesNotFit, .tokenizersDisagree, .badChatTemplate:
      ExitCode.badData
    case .pictureTagInWords, .pictureNameTooLong, .unknownSetting,
      .promptTooLong, .emptyPrompt, .badSize, .textTooLong, .imageTokenInPrompt, .badTokenIDs,
      .missingPart, .nothingToContinue, .noChatTemplate, .noChatTemplateFile, .unknownGrid,
      .pictureTags, .markInWords,
      .wrongShape:
      ExitCode.failure
    }
  }
}
