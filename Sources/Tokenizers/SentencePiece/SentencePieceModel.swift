/// What a `tokenizer.model` says: its pieces and how texts were handled when it was trained.
struct SentencePieceModel {
  /// What a piece is for; the raw values are the file's.
  enum PieceKind: UInt64 {
    case normal = 1
    case unknown = 2
    /// Never found in a text: the start and the end of one.
    case control = 3
    /// Found as a whole, whatever the merges say.
    case userDefined = 4
    /// Made while merging and taken apart again.
    case unused = 5
    case byte = 6
  }

  /// A piece; its place in the list is its id.
  struct Piece {
    var text = ""
    /// The higher, the sooner it is made.
    var score: Float = 0
    var kind = PieceKind.normal
  }

  var pieces: [Piece] = []

  // The trainer's part.
  /// 1 is unigram, 2 byte pair encoding, 3 words, 4 characters.
  var algorithm: UInt64 = 1
  /// Whether characters that no piece spells become pieces of their bytes.
  var fallsBackToBytes = false
  var marksWordEnds = false
  /// The ids of the special tokens; below 0 for none.
  var unknownID = 0
  var beginID = 1
  var endID = 2
  var padID = -1
  var unknownPiece = "<unk>"
  var beginPiece = "<s>"
  var endPiece = "</s>"
  var padPiece = "<pad>"
  /// What an unknown piece is decoded to.
  var unknownSurface = " \u{2047} "

  // The normaliser's part.
  var normalizerName = ""
  /// Whether characters are replaced by a table.
  var hasCharacterTable = false
  var addsPrefix = true
  var removesExtraSpaces = true
  var escapesSpaces = true
  /// Whether decoded texts are changed by a table.
  var hasOutputTable = false
}

/// Reads `tokenizer.model`.
struct SentencePieceReading {
  let files: TokenizerFiles
  let name: String

  /// Texts longer than this are refused; published pieces have up to 64 bytes.
  static let longestPiece = 1024

  func read() throws -> SentencePieceModel {
    var message = ProtocolMessage(try files.bytes(name))
    var model = SentencePieceModel()
    while let (number, value) = try next(&message, "a SentencePiece model") {
      switch number {
      case 1:
        let key = "pieces[\(model.pieces.count)]"
        guard model.pieces.count < TokenTable.idLimit else {
          throw files.wrong(name, key, "more pieces", "at most \(TokenTable.idLimit)")
        }
        model.pieces.append(try piece(try inner(value, message, key), key))
      case 2: try readTrainer(try inner(value, message, "trainer_spec"), &model)
      case 3: try readNormalizer(try inner(value, message, "normalizer_spec"), &model)
      case 5:
        var inner = try inner(value, message, "denormalizer_spec")
        while let (number, value) = try next(&inner, "denormalizer_spec") {
          guard number == 2 else { continue }
          let key = "denormalizer_spec.precompiled_charsmap"
          model.hasOutputTable = !(try range(value, key).isEmpty)
        }
      // 4 is the trainer's own test; from 200 on others may add what they like.
      case 4, 200...: continue
      default:
        throw files.wrong(name, "a SentencePiece model", "field \(number)", "fields 1 to 5")
      }
    }
    guard !model.pieces.isEmpty else {
      throw files.wrong(name, "pieces", "none", "a SentencePiece model's pieces")
    }
    return model
  }

  private func piece(
    _ message: ProtocolMessage, _ key: String
  ) throws -> SentencePieceModel.Piece {
    var message = message
    var piece = SentencePieceModel.Piece()
    while let (number, value) = try next(&message, key) {
      switch number {
      case 1: piece.text = try text(value, message, "\(key).piece")
      case 2:
        guard case .fourBytes(let bits) = value else {
          throw files.wrong(name, "\(key).score", "another kind of field", "a float")
        }
        piece.score = Float(bitPattern: bits)
        guard piece.score.isFinite else {
          throw files.wrong(name, "\(key).score", "\(piece.score)", "a finite number")
        }
      case 3:
        let raw = try integer(value, "\(key).type")
        guard let kind = SentencePieceModel.PieceKind(rawValue: raw) else {
          throw files.wrong(name, "\(key).type", "\(raw)", "from 1 to 6")
        }
        piece.kind = kind
      default: continue
      }
    }
    guard !piece.text.isEmpty else {
      throw files.wrong(name, "\(key).piece", "no text", "the piece's text")
    }
    guard piece.text.utf8.count <= Self.longestPiece else {
      throw files.wrong(
        name, "\(key).piece", "\(piece.text.utf8.count) bytes", "at most \(Self.longestPiece)")
    }
    return piece
  }

  private func readTrainer(
    _ message: ProtocolMessage, _ model: inout SentencePieceModel
  ) throws {
    var message = message
    let part = "trainer_spec"
    while let (number, value) = try next(&message, part) {
      func id(_ field: String) throws -> Int {
        Int(Int32(truncatingIfNeeded: try integer(value, "\(part).\(field)")))
      }
      func text(_ field: String) throws -> String {
        try self.text(value, message, "\(part).\(field)")
      }
      switch number {
      case 3: model.algorithm = try integer(value, "\(part).model_type")
      case 24: model.marksWordEnds = try flag(value, "\(part).treat_whitespace_as_suffix")
      case 35: model.fallsBackToBytes = try flag(value, "\(part).byte_fallback")
      case 40: model.unknownID = try id("unk_id")
      case 41: model.beginID = try id("bos_id")
      case 42: model.endID = try id("eos_id")
      case 43: model.padID = try id("pad_id")
      case 44: model.unknownSurface = try text("unk_surface")
      case 45: model.unknownPiece = try text("unk_piece")
      case 46: model.beginPiece = try text("bos_piece")
      case 47: model.endPiece = try text("eos_piece")
      case 48: model.padPiece = try text("pad_piece")
      default: continue
      }
    }
  }

  private func readNormalizer(
    _ message: ProtocolMessage, _ model: inout SentencePieceModel
  ) throws {
    var message = message
    let part = "normalizer_spec"
    while let (number, value) = try next(&message, part) {
      switch number {
      case 1: model.normalizerName = try text(value, message, "\(part).name")
      case 2:
        model.hasCharacterTable = !(try range(value, "\(part).precompiled_charsmap").isEmpty)
      case 3: model.addsPrefix = try flag(value, "\(part).add_dummy_prefix")
      case 4: model.removesExtraSpaces = try flag(value, "\(part).remove_extra_whitespaces")
      case 5: model.escapesSpaces = try flag(value, "\(part).escape_whitespaces")
      default: continue
      }
    }
  }

  private func next(
    _ message: inout ProtocolMessage, _ key: String
  ) throws -> (number: Int, value: ProtocolMessage.Value)? {
    do { return try message.next() } catch {
      throw files.wrong(name, "\(key), byte \(error.offset)", error.found, error.expected)
    }
  }

  private func inner(
    _ value: ProtocolMessage.Value, _ message: ProtocolMessage, _ key: String
  ) throws -> ProtocolMessage {
    ProtocolMessage(message.bytes, in: try range(value, key))
  }

  private func range(_ value: ProtocolMessage.Value, _ key: String) throws -> Range<Int> {
    guard case .bytes(let range) = value else {
      throw files.wrong(name, key, "another kind of field", "bytes with their length")
    }
    return range
  }

  private func text(
    _ value: ProtocolMessage.Value, _ message: ProtocolMessage, _ key: String
  ) throws -> String {
    let bytes = message.bytes[try range(value, key)]
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw files.wrong(name, key, "bytes that are no UTF-8", "text")
    }
    return text
  }

  private func integer(_ value: ProtocolMessage.Value, _ key: String) throws -> UInt64 {
    guard case .integer(let number) = value else {
      throw files.wrong(name, key, "another kind of field", "a whole number")
    }
    return number
  }

  private func flag(_ value: ProtocolMessage.Value, _ key: String) throws -> Bool {
    try integer(value, key) != 0
  }
}
