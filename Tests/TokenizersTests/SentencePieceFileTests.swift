import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// `tokenizer.model` files that are damaged, contradict themselves or ask for what is not built.
@Suite struct SentencePieceFileTests {
  /// A field with its length before it.
  private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(bytes.count)] + bytes
  }

  private static func piece(_ text: String, _ kind: UInt8 = 1) -> [UInt8] {
    field(1, field(1, Array(text.utf8)) + [2 << 3 | 5, 0, 0, 0, 0] + [3 << 3, kind])
  }

  /// `<unk>`, `▁`, `a` and `▁a`.
  private static let pieces =
    piece("<unk>", 2) + piece("\u{2581}") + piece("a") + piece("\u{2581}a")
  /// Byte pair encoding.
  private static let trainer = field(2, [3 << 3, 2])

  private static func failure(_ bytes: [UInt8], settings: String? = nil) throws -> String {
    let folder = try TemporaryFolder()
    try Data(bytes).write(to: folder.url.appending(path: "tokenizer.model"))
    if let settings { try folder.write("tokenizer_config.json", settings) }
    return folder.failure()
  }

  @Test func aSmallFileIsRead() throws {
    let folder = try TemporaryFolder()
    try Data(Self.pieces + Self.trainer).write(to: folder.url.appending(path: "tokenizer.model"))
    let tokenizer = try TokenizerFolder.read(folder.url)
    #expect(tokenizer.encode("  a  aq ") == [3, 3, 0])
    #expect(tokenizer.decode([3, 3, 0]) == "a a \u{2047} ")
    #expect(tokenizer.vocabularySize == 4)
  }

  /// What stands after the pieces, or the whole file, and what is said about it.
  private struct Case: Sendable {
    let bytes: [UInt8]
    let says: String

    /// A file with the four pieces and some fields after them.
    init(after fields: [UInt8]..., says: String) {
      (bytes, self.says) = (SentencePieceFileTests.pieces + Array(fields.joined()), says)
    }

    init(whole fields: [UInt8]..., says: String) {
      (bytes, self.says) = (Array(fields.joined()), says)
    }
  }

  private static let table = field(1, Array("nmt_nfkc".utf8)) + field(2, [1, 2, 3])
  private static let cases: [Case] = [
    Case(after: [], says: "trainer_spec.model_type: unigram is not supported; supported: BPE"),
    Case(
      after: field(2, [3 << 3, 2, 0xC0, 1, 1]),
      says: "trainer_spec.treat_whitespace_as_suffix: true is not supported; supported: false"),
    Case(
      after: trainer, field(3, table),
      says: "normalizer_spec.precompiled_charsmap: the table of 'nmt_nfkc' is not supported; "
        + "supported: 'identity', which has none"),
    Case(
      after: trainer, field(3, [5 << 3, 0]),
      says: "normalizer_spec.escape_whitespaces: false is not supported; supported: true"),
    Case(
      after: piece("<u>", 2), trainer,
      says: "pieces[4].type: found unknown, as is pieces[0], expected one unknown piece"),
    Case(
      whole: piece("a"), trainer,
      says: "pieces: found none of type unknown, expected one unknown piece"),
    Case(
      after: piece("a"), trainer,
      says: "pieces['a']: found ids 2 and 4, expected the token once"),
    Case(
      after: piece("b", 9), trainer, says: "pieces[4].type: found 9, expected from 1 to 6"),
    Case(
      after: piece(""), trainer,
      says: "pieces[4].piece: found no text, expected the piece's text"),
    Case(
      after: piece("b", 6), trainer,
      says: "pieces[4].piece: found 'b', expected a byte such as '<0x41>'"),
    Case(
      after: field(2, [3 << 3, 2, 0x98, 2, 1]),
      says: "pieces: found no '<0x00>', expected a piece for each byte, "
        + "as trainer_spec.byte_fallback asks"),
    Case(
      after: field(1, field(1, [0xFF])), trainer,
      says: "pieces[4].piece: found bytes that are no UTF-8, expected text"),
    Case(
      after: field(1, [2 << 3 | 5, 0, 0, 0x80, 0x7F]), trainer,
      says: "pieces[4].score: found inf, expected a finite number"),
    Case(
      after: [1 << 3 | 2, 100],
      says: "a SentencePiece model, byte \(pieces.count + 2): found 0 bytes to the end, "
        + "expected 100 bytes"),
    Case(whole: [], says: "pieces: found none, expected a SentencePiece model's pieces"),
  ]

  @Test(arguments: cases.indices)
  func whatIsWrongIsNamed(_ place: Int) throws {
    let wrong = Self.cases[place]
    #expect(try Self.failure(wrong.bytes) == "'tokenizer.model', \(wrong.says)")
  }

  @Test func classesThatMakeOtherStepsAreRefusedByName() throws {
    let says = try Self.failure(
      Self.pieces + Self.trainer, settings: #"{"tokenizer_class": "T5Tokenizer"}"#)
    #expect(
      says.hasPrefix("'tokenizer_config.json', tokenizer_class: 'T5Tokenizer' is not supported"))
    let text = Array("IQ== 0\nIg== 1\n".utf8)
    #expect(
      try Self.failure(text)
        == "'tokenizer.model', a SentencePiece model: found field 9, expected fields 1 to 5")
  }

  @Test func damagedModelsFailAndNeverCrash() throws {
    let whole = [UInt8](
      try Data(contentsOf: GoldenVectorTests.goldens.appending(path: "pieces/tokenizer.model")))
    let folder = try TemporaryFolder()
    var random = Numbers(state: 5)
    var refused = 0
    for _ in 0..<2000 {
      var bytes = whole
      for _ in 0...random.next() % 3 {
        let place = Int(random.next() % UInt64(bytes.count))
        switch random.next() % 4 {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
        case 2: bytes.insert(contentsOf: [UInt8(random.next() & 0xFF), 0xFF, 0xFF], at: place)
        default: bytes.removeLast(min(bytes.count - 1, Int(random.next() % 64)))
        }
      }
      try Data(bytes).write(to: folder.url.appending(path: "tokenizer.model"))
      do {
        let tokenizer = try TokenizerFolder.read(folder.url)
        _ = tokenizer.decode(tokenizer.encode("The boat isn't 12 metres. 猫"))
      } catch {
        #expect(error is TokenizerError)
        // Each names a field of the file.
        #expect(
          "\(error)".contains(#/pieces|_spec|a SentencePiece model/#), "\(error)")
        refused += 1
      }
    }
    #expect(refused > 1000)
  }
}
