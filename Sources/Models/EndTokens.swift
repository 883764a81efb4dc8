internal import Checkpoints
internal import Files
internal import Foundation

/// `generation_config.json`: which tokens end an answer.
enum EndTokens {
  /// Reads the file; a folder without one, or a file that says nothing, gets `fallback`.
  ///
  /// An id that the vocabulary of `rows` tokens does not have could never end an answer.
  static func read(
    _ folder: CheckpointFolder, default fallback: [Int], below rows: Int
  ) throws -> [Int] {
    let name = "generation_config.json"
    guard let value = try folder.jsonIfPresent(name)?["eos_token_id"], !value.isNull else {
      return fallback
    }
    return try ids(value, file: folder.url.appending(path: name).path, below: rows)
  }

  /// The ids that `eos_token_id` of a file gives: one, or a list of them.
  static func ids(_ value: JSON, file: String, below rows: Int) throws(ModelError) -> [Int] {
    let ids = value.int.map { [$0] } ?? value.array?.compactMap(\.int) ?? []
    guard !ids.isEmpty, ids.allSatisfy({ $0 >= 0 && $0 < rows }),
      ids.count == value.array?.count ?? 1
    else {
      throw ModelError.badConfiguration(
        file: file, key: "eos_token_id",
        found: String(value.written().prefix(80)),
        expected: "a token id from 0 to \(rows - 1) or a list of them")
    }
    return ids
  }
}
