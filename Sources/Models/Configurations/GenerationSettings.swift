internal import Checkpoints
internal import Files
public import Foundation
public import Generation
internal import Tokenizers

/// How a model's answers are written, from `generation_config.json`, with where each value came from.
///
/// The third part of a checkpoint, beside tokenizer and weights: it can be exchanged without them.
public struct GenerationSettings: Sendable, Equatable {
  /// A value, and the file that says so, or why it is what it is.
  public struct Setting<Value: Sendable & Equatable>: Sendable, Equatable {
    /// What is in force.
    public var value: Value
    /// Where it came from.
    public var source: String

    /// A value from somewhere.
    public init(_ value: Value, _ source: String) { (self.value, self.source) = (value, source) }
  }

  /// How a conversation is laid out as one text.
  public enum ChatFormat: String, Sendable, CaseIterable {
    /// Turns between `<|im_start|>` and `<|im_end|>`, each headed by who speaks.
    case chatml
    /// The last thing that was said, as it is.
    case raw
    /// `Question: … Answer:` and the answer, again and again, as LAVIS asks a BLIP-2 with OPT.
    case questionAnswer = "question-answer"
    /// The begin token, then `<human>:…`, a line break, `<bot>:…`, and a line break before the next.
    case humanBot = "human-bot"
    /// The same without the begin token.
    case humanBotWithoutBegin = "human-bot-no-bos"
    /// As the published chat template lays it out.
    case template
  }

  /// How a conversation is laid out, of a model that knows several ways.
  public var chatFormat: Setting<ChatFormat>
  /// How many tokens a system's turn and the history may have together.
  public var maxWindowSize: Setting<Int>
  /// The most tokens of an answer.
  public var maxNewTokens: Setting<Int>
  /// Whether tokens are drawn.
  public var doSample: Setting<Bool>
  /// Logits are divided by it before drawing.
  public var temperature: Setting<Double>
  /// Draw among so many of the most likely tokens; 0 for all.
  public var topK: Setting<Int>
  /// Draw among the most likely tokens that together have this probability.
  public var topP: Setting<Double>
  /// Tokens that occurred before have their logits divided by it.
  public var repetitionPenalty: Setting<Double>
  /// Token ids that end an answer.
  public var endTokens: Setting<[Int]>
  /// Sequences of token ids that end an answer, beside those of the chat format.
  public var stopWords: Setting<[[Int]]>
  /// What to know of the file.
  public let notes: [String]

  /// The file's name in a model's folder.
  public static let fileName = "generation_config.json"

  /// Reads the file in a model's folder; a folder without one, or a file that says nothing, gets the
  /// published library's defaults.
  ///
  /// - Parameters:
  ///   - fallback: what ends an answer where the file says nothing.
  ///   - rows: tokens of the vocabulary: an id that it does not have could never end an answer.
  ///   - formats: the layouts of a conversation that the model knows, the usual one first.
  ///   - chats: whether the model converses, and so does by itself what the file asks for.
  init(
    _ folder: CheckpointFolder, default fallback: [Int], below rows: Int,
    formats: [ChatFormat] = ChatFormat.allCases, chats: Bool = false
  ) throws {
    try self.init(
      json: try folder.jsonIfPresent(Self.fileName),
      file: folder.url.appending(path: Self.fileName).path, default: fallback, below: rows,
      formats: formats, chats: chats)
  }

  /// Reads another file, or the folder of one, for a model that converses.
  ///
  /// - Throws: where there is no such file, or a value makes no sense.
  public init(at url: URL, for model: any ChatModel) throws {
    let isFolder = (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
    let file = isFolder ? url.appending(path: Self.fileName) : url
    let folder = try CheckpointFolder(file.deletingLastPathComponent())
    guard let json = try folder.jsonIfPresent(file.lastPathComponent) else {
      throw FileFailure(file.path, .missing)
    }
    try self.init(
      json: json, file: file.path, default: model.settings.endTokens.value,
      below: model.tokenizer.vocabularySize, formats: model.chatFormats, chats: true)
  }

  /// Reads what a file says.
  ///
  /// - Parameter json: nil where there is no file.
  init(
    json: JSON?, file: String, default fallback: [Int], below rows: Int, formats: [ChatFormat],
    chats: Bool
  ) throws {
    let reader = ConfigurationReader(file: file, path: "", json: json)
    if let json, json.object == nil {
      throw ModelError.noSettings(file: file, found: json.kindName)
    }
    let name = URL(fileURLWithPath: file).lastPathComponent
    func setting<Value>(_ key: String, _ value: Value) -> Setting<Value> {
      let isGiven = json?[key].map { !$0.isNull } ?? false
      return Setting(value, isGiven ? name : "default")
    }
    let usual = formats.first ?? .chatml
    let given = json?["chat_format"] ?? .null
    try reader.require(
      given.isNull || formats.contains { $0.rawValue == given.text }, "chat_format",
      formats.map { "'\($0.rawValue)'" }.joined(separator: " or ") + " for this model")
    chatFormat = setting("chat_format", given.text.flatMap(ChatFormat.init) ?? usual)
    maxWindowSize = setting(
      "max_window_size", try reader.count("max_window_size", default: 6144, least: 0))
    maxNewTokens = setting(
      "max_new_tokens", try reader.count("max_new_tokens", default: 20, takesNull: true))
    doSample = setting(
      "do_sample",
      chats ? try reader.flag("do_sample", default: false) : json?["do_sample"]?.bool ?? false)
    temperature = setting(
      "temperature", chats ? try reader.number("temperature", default: 1, takesNull: true) : 1)
    topK = setting(
      "top_k", chats ? try reader.count("top_k", default: 50, least: 0, takesNull: true) : 50)
    topP = setting("top_p", chats ? try reader.number("top_p", default: 1, takesNull: true) : 1)
    repetitionPenalty = setting(
      "repetition_penalty",
      chats ? try reader.number("repetition_penalty", default: 1, takesNull: true) : 1)
    endTokens = setting(
      "eos_token_id", try reader.tokens("eos_token_id", default: fallback, below: rows))
    stopWords = setting("stop_words_ids", try reader.tokenSequences("stop_words_ids", below: rows))
    let unknown = try ConfigurationKeys.generationConfig.unknownKeys(in: reader)
    notes =
      [Self.asked(json, file: name, chats: chats), ConfigurationKeys.note(unknown, file: name)]
      .compactMap { $0 }
    if chats {
      var options = GenerationOptions(endTokens: [])
      apply(to: &options)
      do { try options.validate() } catch {
        throw reader.bad(error.option, json?[error.option] ?? .null, error.expected)
      }
    }
  }

  /// Writes answers as the settings say.
  public func apply(to options: inout GenerationOptions) {
    (options.maxNewTokens, options.doSample) = (maxNewTokens.value, doSample.value)
    (options.temperature, options.topK) = (temperature.value, topK.value)
    (options.topP, options.repetitionPenalty) = (topP.value, repetitionPenalty.value)
  }

  /// Each setting by the name in the file, what is in force, and where it came from.
  public var list: [(name: String, value: String, source: String)] {
    [
      ("chat_format", chatFormat.value.rawValue, chatFormat.source),
      ("max_window_size", "\(maxWindowSize.value)", maxWindowSize.source),
      ("max_new_tokens", "\(maxNewTokens.value)", maxNewTokens.source),
      ("do_sample", doSample.value ? "True" : "False", doSample.source),
      ("temperature", "\(temperature.value)", temperature.source),
      ("top_k", "\(topK.value)", topK.source), ("top_p", "\(topP.value)", topP.source),
      ("repetition_penalty", "\(repetitionPenalty.value)", repetitionPenalty.source),
      (
        "eos_token_id", endTokens.value.map(String.init).joined(separator: ", "),
        endTokens.source
      ),
    ]
  }

  /// Greedy, as many tokens as the settings say, ending at some tokens.
  func greedy(endingAt tokens: [Int]) -> GenerationOptions {
    var options = GenerationOptions(endTokens: tokens)
    options.maxNewTokens = maxNewTokens.value
    return options
  }

  /// The settings in a line.
  var fact: Fact {
    let drawn =
      doSample.value
      ? "drawn (temperature \(temperature.value), top_k \(topK.value), top_p \(topP.value))"
      : "greedy"
    return Fact(
      "chat",
      "\(chatFormat.value.rawValue), history up to \(maxWindowSize.value) tokens, answers up to "
        + "\(maxNewTokens.value), \(drawn); \(doSample.source)")
  }

  /// What the reference takes from the file when it writes, and `decode` only when it is told.
  private static func asked(_ json: JSON?, file: String, chats: Bool) -> String? {
    let asked = neutral.compactMap { key, neutral -> String? in
      guard let value = json?[key], !value.isNull, value != neutral,
        value.double == nil || value.double != neutral.double
      else { return nil }
      return chats && chatKeys.contains(key) ? nil : "\(key) \(value.written().prefix(40))"
    }
    guard !asked.isEmpty else { return nil }
    return "\(file) sets \(asked.joined(separator: ", ")), which transformers takes by itself; "
      + "here decode is greedy unless it is told otherwise"
  }

  /// What `chat` does by itself.
  private static let chatKeys: Set = [
    "do_sample", "temperature", "top_k", "top_p", "repetition_penalty",
  ]

  /// What each setting is where it changes nothing.
  private static let neutral: KeyValuePairs<String, JSON> = [
    "do_sample": false, "num_beams": 1, "temperature": 1, "top_k": 50, "top_p": 1,
    "repetition_penalty": 1, "length_penalty": 1, "no_repeat_ngram_size": 0, "min_length": 0,
    "min_new_tokens": 0, "max_length": 20, "early_stopping": false, "num_return_sequences": 1,
    "typical_p": 1, "min_p": 0, "epsilon_cutoff": 0, "eta_cutoff": 0, "diversity_penalty": 0,
    "num_beam_groups": 1, "encoder_repetition_penalty": 1, "encoder_no_repeat_ngram_size": 0,
    "bad_words_ids": [], "suppress_tokens": [], "begin_suppress_tokens": [],
    "forced_bos_token_id": .null, "forced_eos_token_id": .null, "sequence_bias": .null,
    "guidance_scale": 1, "exponential_decay_length_penalty": .null, "stop_strings": .null,
    "penalty_alpha": .null, "top_h": .null, "dola_layers": .null, "constraints": .null,
    "force_words_ids": .null, "watermarking_config": .null, "renormalize_logits": false,
    "remove_invalid_values": false,
  ]

  /// The names of `neutral`.
  static var askedKeys: [String] { neutral.map(\.key) }
}

extension ConfigurationReader {
  /// A token id or a list of them, each one of a vocabulary of `rows`.
  func tokens(_ key: String, default fallback: [Int], below rows: Int) throws(ModelError) -> [Int] {
    guard let value = json?[key], !value.isNull else { return fallback }
    let ids = value.int.map { [$0] } ?? value.array?.compactMap(\.int) ?? []
    guard !ids.isEmpty, ids.allSatisfy({ $0 >= 0 && $0 < rows }),
      ids.count == value.array?.count ?? 1
    else { throw bad(key, value, "a token id from 0 to \(rows - 1) or a list of them") }
    return ids
  }

  /// A list of sequences of token ids, each id one of a vocabulary of `rows`; none where the key is absent.
  func tokenSequences(_ key: String, below rows: Int) throws(ModelError) -> [[Int]] {
    guard let value = json?[key], !value.isNull else { return [] }
    let sequences = value.array?.map { entry in
      let ids = entry.array?.map { $0.int ?? -1 } ?? []
      return ids.allSatisfy { $0 >= 0 && $0 < rows } ? ids : []
    }
    guard let sequences, !sequences.contains([]) else {
      throw bad(key, value, "a list of lists of token ids from 0 to \(rows - 1), as in [[3, 4]]")
    }
    return sequences
  }
}
