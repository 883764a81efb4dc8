/// WordPiece: a word is cut into the longest tokens from its start on (Wu et al., 2016).
struct WordPiece: Sendable {
  let tokens: TokenTable
  /// What a token that continues a word starts with, `##`.
  let continuation: String
  private let unknown: Int
  private let longestWord: Int
  private let continuationHash: UInt64

  /// Puts the parts together.
  ///
  /// - Parameters:
  ///   - unknown: stands for a word that tokens cannot spell.
  ///   - longestWord: a word of more characters is unknown.
  init(tokens: TokenTable, continuation: String, unknown: Int, longestWord: Int) {
    (self.tokens, self.continuation) = (tokens, continuation)
    (self.unknown, self.longestWord) = (unknown, longestWord)
    continuationHash = continuation.utf8.reduce(TokenTable.emptyHash) {
      TokenTable.hash($0, then: $1)
    }
  }

  /// Appends the ids of one word.
  ///
  /// A piece costs its longest candidate: each candidate's hash comes from that of the one before.
  func encode(_ word: ArraySlice<UInt8>, into ids: inout [Int]) {
    // A character starts with a byte that is not 10xxxxxx.
    let characterCount = word.reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    guard characterCount <= longestWord else {
      ids.append(unknown)
      return
    }
    let prefix = Array(continuation.utf8)
    let before = ids.count
    var start = word.startIndex
    while start < word.endIndex {
      let isFirst = start == word.startIndex
      let candidate = (isFirst ? [] : prefix) + word[start...].prefix(tokens.longest)
      let piece = candidate.withUnsafeBufferPointer {
        longestToken($0, from: isFirst ? 0 : prefix.count)
      }
      guard let piece else {
        ids.removeSubrange(before...)
        ids.append(unknown)
        return
      }
      ids.append(piece.id)
      start += piece.length
    }
  }

  /// The longest token that `bytes` start with, and how long it is from `start` on.
  private func longestToken(
    _ bytes: UnsafeBufferPointer<UInt8>, from start: Int
  ) -> (id: Int, length: Int)? {
    var hashes: [UInt64] = []
    var hash = start == 0 ? TokenTable.emptyHash : continuationHash
    for byte in bytes[start...] {
      hash = TokenTable.hash(hash, then: byte)
      hashes.append(hash)
    }
    for length in stride(from: hashes.count, to: 0, by: -1) {
      let candidate = UnsafeBufferPointer(rebasing: bytes[..<(start + length)])
      if let id = tokens.id(candidate, hash: hashes[length - 1]) { return (id, length) }
    }
    return nil
  }
}
