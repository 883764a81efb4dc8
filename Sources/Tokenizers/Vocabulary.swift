internal import Files

/// Tokens by id and ids by token.
struct Vocabulary: Sendable {
  private let tokens: [String?]
  /// The tokens in the file's order, and their ids. Found by their UTF-8 bytes: two spellings of
  /// one character are two tokens, though Swift's strings hold them equal.
  private let names: [String]
  private let ids: [Int32]
  private let table: KeyTable

  /// - Throws: an id that is negative, enormous or given twice.
  init(_ members: [(token: String, id: Int)], file: String) throws(TokenizerError) {
    let limit = 1 << 22
    var names: [String] = []
    var ids: [Int32] = []
    var table = KeyTable()
    names.reserveCapacity(members.count)
    ids.reserveCapacity(members.count)
    var tokens = [String?](repeating: nil, count: members.count)
    for (token, id) in members {
      guard id >= 0, id < limit else {
        throw TokenizerError(
          file: file, place: "vocab, token '\(token)'", found: "id \(id)",
          expected: "an id from 0 to \(limit - 1)")
      }
      if id >= tokens.count {
        tokens += [String?](repeating: nil, count: id + 1 - tokens.count)
      }
      if let other = tokens[id] {
        throw TokenizerError(
          file: file, place: "vocab, token '\(token)'", found: "id \(id), which '\(other)' has",
          expected: "one id for each token")
      }
      tokens[id] = token
      if table.insert(token, into: &names) != nil {
        throw TokenizerError(
          file: file, place: "vocab", found: "token '\(token)' twice", expected: "each token once")
      }
      ids.append(Int32(id))
    }
    guard !members.isEmpty else {
      throw TokenizerError(file: file, place: "vocab", found: "no tokens", expected: "some")
    }
    (self.tokens, self.names, self.ids, self.table) = (tokens, names, ids, table)
  }

  func token(_ id: Int) -> String? { tokens.indices.contains(id) ? tokens[id] : nil }
  func id(_ token: String) -> Int? { table.find(token, in: names).map { Int(ids[$0]) } }
  func size(with added: AddedTokens) -> Int {
    max(tokens.count, (added.entries.map(\.id).max() ?? -1) + 1)
  }
}

/// The special tokens that are put around a text.
struct Surroundings: Sendable {
  var prefix: [Int] = []
  var suffix: [Int] = []
}
