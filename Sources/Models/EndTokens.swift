internal import Checkpoints
internal import Files

/// `generation_config.json`: which tokens end an answer.
enum EndTokens {
  /// Reads the file; a folder without one, or a file that says nothing, gets `fallback`.
  static func read(_ folder: CheckpointFolder, default fallback: Int) throws -> [Int] {
    let name = "generation_config.json"
    guard let value = try folder.jsonIfPresent(name)?["eos_token_id"], !value.isNull else {
      return [fallback]
    }
    let ids = value.int.map { [$0] } ?? value.array?.compactMap(\.int) ?? []
    guard !ids.isEmpty, ids.allSatisfy({ $0 >= 0 }), ids.count == value.array?.count ?? 1 else {
      throw ModelError.badConfiguration(
        file: name, key: "eos_token_id", found: String(value.written().prefix(80)),
        expected: "a token id or a list of them")
    }
    return ids
  }
}
