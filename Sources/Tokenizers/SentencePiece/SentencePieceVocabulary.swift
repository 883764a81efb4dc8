internal import Files

/// A SentencePiece file's pieces as tokens, and what merges they stand for.
///
/// The file lists no merges: a piece can be made of any two pieces that spell it.
struct SentencePieceVocabulary {
  /// In which order pieces are made.
  enum Order {
    /// SentencePiece's own: the highest score first, of equals the leftmost in the text.
    case byScore
    /// By score, then by id, then by the length of the left part.
    case byScoreThenID
    /// By id, then by the length of the left part.
    case byID
  }

  let tokens: TokenTable
  /// The id of the piece for what no piece spells.
  let unknown: Int
  private let pieces: [SentencePieceModel.Piece]

  init(_ model: SentencePieceModel, files: TokenizerFiles, name: String) throws {
    var tokens = TokenTable()
    tokens.reserve(model.pieces.count)
    var unknown: Int?
    for (id, piece) in model.pieces.enumerated() {
      try tokens.insert(piece.text, id: id, files, name, "pieces")
      guard piece.kind == .unknown else { continue }
      if let unknown {
        throw files.wrong(
          name, "pieces[\(id)].type", "unknown, as is pieces[\(unknown)]", "one unknown piece")
      }
      unknown = id
    }
    guard let unknown else {
      throw files.wrong(name, "pieces", "none of type unknown", "one unknown piece")
    }
    if model.fallsBackToBytes {
      for byte in 0...255 where tokens.id(ByteToken.name(of: byte)) == nil {
        throw files.wrong(
          name, "pieces", "no \(ByteToken.name(of: byte).quoted)",
          "a piece for each byte, as trainer_spec.byte_fallback asks")
      }
    }
    for (id, piece) in model.pieces.enumerated() where piece.kind == .byte {
      guard ByteToken.byte(of: piece.text) != nil else {
        throw files.wrong(
          name, "pieces[\(id)].piece", piece.text.quoted, "a byte such as '<0x41>'")
      }
    }
    (self.tokens, self.unknown, pieces) = (tokens, unknown, model.pieces)
  }

  func ids(of kind: SentencePieceModel.PieceKind) -> [Int] {
    pieces.indices.filter { pieces[$0].kind == kind }
  }

  func texts(of kind: SentencePieceModel.PieceKind) -> [String] {
    ids(of: kind).map { pieces[$0].text }
  }

  /// The pieces of one kind alone.
  func table(of kind: SentencePieceModel.PieceKind) -> TokenTable {
    var table = TokenTable()
    // They were all inserted before, each once.
    for id in ids(of: kind) { try? table.insert(pieces[id].text, id: id) }
    return table
  }

  /// The folder's special tokens, and of the file's those of some kinds that are not among them.
  func added(
    _ named: [AddedToken], _ kinds: [SentencePieceModel.PieceKind]
  ) -> [AddedToken] {
    let known = Set(named.map(\.content))
    return named.filter { !$0.content.isEmpty }
      + pieces.enumerated().filter {
        kinds.contains($0.element.kind) && !known.contains($0.element.text)
      }
      .map {
        AddedToken(id: $0.offset, content: $0.element.text, isSpecial: $0.element.kind == .control)
      }
  }

  /// The file's control pieces, which no text holds: decoding leaves them out.
  func hidden() -> [AddedToken] {
    ids(of: .control).map {
      AddedToken(id: $0, content: pieces[$0].text, isInTexts: false, isSpecial: true)
    }
  }

  /// The merges, as ordered.
  func merges(_ order: Order) -> MergeTable {
    var places = pieces.indices.filter { merges($0, order) }
    if order != .byID {
      places.sort { (-pieces[$0].score, $0) < (-pieces[$1].score, $1) }
    }
    var found: [(left: Int, right: Int, result: Int, rank: Int)] = []
    found.reserveCapacity(pieces.count * 2)
    var rank = -1
    var lastScore: Float?
    for place in places {
      let piece = pieces[place]
      if order != .byScore || lastScore != piece.score { rank += 1 }
      lastScore = piece.score
      eachSplit(of: place, order) { left, right in
        if order != .byScore && found.last?.rank == rank { rank += 1 }
        found.append((left, right, place, rank))
      }
    }
    var table = MergeTable(capacity: found.count)
    for merge in found {
      table.append(merge.left, merge.right, makes: merge.result, rank: merge.rank)
    }
    return table
  }

  /// Calls `body` with each two pieces that spell one, the shortest left one first.
  private func eachSplit(of id: Int, _ order: Order, _ body: (Int, Int) -> Void) {
    guard let bytes = tokens.bytes(id), bytes.count > 1 else { return }
    bytes.withUnsafeBufferPointer { bytes in
      var hash = TokenTable.emptyHash
      for place in 1..<bytes.count {
        hash = TokenTable.hash(hash, then: bytes[place - 1])
        guard bytes[place] & 0xC0 != 0x80,
          let left = tokens.id(UnsafeBufferPointer(rebasing: bytes[..<place]), hash: hash),
          merges(left, order),
          let right = tokens.id(UnsafeBufferPointer(rebasing: bytes[place...])),
          merges(right, order)
        else { continue }
        body(left, right)
      }
    }
  }

  private func merges(_ id: Int, _ order: Order) -> Bool {
    pieces[id].kind == .normal || order != .byScoreThenID && pieces[id].kind == .unused
  }
}
