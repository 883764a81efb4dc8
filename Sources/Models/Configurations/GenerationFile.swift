internal import Checkpoints
internal import Files
internal import Foundation

/// `generation_config.json`: which tokens end an answer, how many there are at most, and what the
/// reference would do by itself when it writes.
struct GenerationFile {
  /// Token ids that end an answer.
  let endTokens: [Int]
  /// The most tokens of an answer; 20 where the file says nothing, as in transformers.
  let maxNewTokens: Int
  /// What the file asks for that a command has to be told.
  let notes: [String]

  private static let name = "generation_config.json"

  /// Reads the file; a folder without one, or a file that says nothing, gets `fallback`.
  ///
  /// An id that the vocabulary of `rows` tokens does not have could never end an answer.
  init(_ folder: CheckpointFolder, default fallback: [Int], below rows: Int) throws {
    let json = try folder.jsonIfPresent(Self.name)
    let reader = ConfigurationReader(
      file: folder.url.appending(path: Self.name).path, path: "", json: json)
    endTokens = try reader.tokens("eos_token_id", default: fallback, below: rows)
    maxNewTokens = try reader.count("max_new_tokens", default: 20, takesNull: true)
    let unknown = try ConfigurationKeys.generationConfig.unknownKeys(in: reader)
    notes =
      [Self.asked(json, file: Self.name), ConfigurationKeys.note(unknown, file: Self.name)]
      .compactMap { $0 }
  }

  /// What the reference takes from the file when it writes, and `decode` only when it is told.
  private static func asked(_ json: JSON?, file: String) -> String? {
    let asked = neutral.compactMap { key, neutral -> String? in
      guard let value = json?[key], !value.isNull, value != neutral,
        value.double == nil || value.double != neutral.double
      else { return nil }
      return "\(key) \(value.written().prefix(40))"
    }
    guard !asked.isEmpty else { return nil }
    return "\(file) sets \(asked.joined(separator: ", ")), which transformers takes by itself; "
      + "here decode is greedy unless it is told otherwise"
  }

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
}
