import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// A folder that is gone when its owner is.
final class TemporaryFolder {
  let url = FileManager.default.temporaryDirectory
    .appending(path: "tokenizer-\(UUID().uuidString)")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ name: String, _ text: String) throws {
    try Data(text.utf8).write(to: url.appending(path: name))
  }

  /// What reading the folder fails with, without the folder's path.
  func failure() -> String {
    do {
      _ = try TokenizerFolder.read(url)
      return "no failure"
    } catch {
      return "\(error)".replacing(url.path + "/", with: "")
    }
  }
}

@Suite struct ContradictionTests {
  /// A small `tokenizer.json`, with one part replaced.
  static func small(_ part: String = "", _ replacement: String = "") -> String {
    let whole = """
      {"added_tokens": [{"id": 3, "content": "<e>", "single_word": false, "lstrip": false,
                         "rstrip": false, "normalized": false, "special": true}],
       "normalizer": null,
       "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true},
       "post_processor": {"type": "RobertaProcessing", "sep": ["<e>", 3], "cls": ["<e>", 3],
                          "trim_offsets": true, "add_prefix_space": false},
       "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true},
       "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}}
      """
    return part.isEmpty ? whole : whole.replacing(part, with: replacement)
  }

  /// The reference reads no key that it does not know, wherever it stands.
  @Test(arguments: ["{\"extra\": 1, ", "\"normalizer\": null, \"extra\": {},"])
  func aMemberThatNoFileHasIsRefused(_ text: String) throws {
    let folder = try TemporaryFolder()
    let isFirst = text.hasPrefix("{")
    let whole = Self.small()
    try folder.write(
      "tokenizer.json",
      isFirst
        ? text + whole.dropFirst() : whole.replacing("\"normalizer\": null,", with: text))
    #expect(folder.failure().contains("no member 'extra'; expected version, truncation"))
    try folder.write("tokenizer.json", whole.dropLast() + ", \"extra\": \"x\"}")
    #expect(folder.failure().contains("no member 'extra'"))
  }

  @Test func theSmallFileIsRead() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", Self.small())
    let tokenizer = try TokenizerFolder.read(folder.url)
    #expect(tokenizer.encode("aab") == [3, 0, 2, 3])
    #expect(tokenizer.vocabularySize == 4)
    // No token stands for other bytes, and there is no token for unknown ones.
    #expect(tokenizer.encode("xax", addSpecialTokens: false) == [0])
  }

  @Test(arguments: [
    (
      [
        #""b": 1"#,
        #""b": 0"#,
      ], "model.vocab['b']",
      "found id 0, which is also 'a''s, "
        + "expected one token an id"
    ),
    (
      [
        #""b": 1"#,
        #""a": 1"#,
      ], "model.vocab['a']",
      "found ids 0 and 1, "
        + "expected the token once"
    ),
    (
      [
        #""b": 1"#,
        #""b": -1"#,
      ], "model.vocab['b']",
      "found id -1, "
        + "expected ids from 0 to 1048575"
    ),
    (
      [
        #""b": 1"#,
        #""b": 99999999"#,
      ], "model.vocab['b']",
      "found id 99999999, "
        + "expected ids from 0 to 1048575"
    ),
    (
      [
        #""b": 1"#,
        #""b": "1""#,
      ], "model.vocab['b']",
      "found '\"', "
        + "expected a token's id, a whole number"
    ),
    (
      [
        #""b": 1"#,
        #""b": 1.5"#,
      ], "model.vocab['b']",
      "found ',', "
        + "expected a token's id, a whole number"
    ),
    (
      [
        #"["a b"]"#,
        #"["b a"]"#,
      ], "model.merges[0]",
      "found 'b' with 'a', "
        + "expected tokens of the vocabulary, which has no 'ba'"
    ),
    (
      [
        #"["a b"]"#,
        #"["a"]"#,
      ], "model.merges[0]",
      "found 'a', "
        + "expected two tokens with a space between"
    ),
    (
      [
        #"["a b"]"#,
        #"[["a"]]"#,
      ], "model.merges[0]",
      "found 1 strings, "
        + "expected two tokens"
    ),
    (
      [
        #", "merges": ["a b"]"#,
        "",
      ], "model.type",
      "nothing is not supported; "
        + "supported: BPE, WordPiece"
    ),
    (
      [
        #""vocab": {"a": 0, "b": 1, "ab": 2}, "#,
        "",
      ], "model.vocab",
      "found nothing, "
        + "expected tokens and their ids"
    ),
    (
      [
        #""vocab": {"a": 0, "b": 1, "ab": 2}"#,
        #""vocab": {}"#,
      ], "model.vocab",
      "found no tokens, "
        + "expected one or more"
    ),
    (
      [
        #""id": 3"#,
        #""id": 1"#,
      ], "added_tokens['<e>']",
      "found id 1, "
        + "expected an id of its own; in the vocabulary it is 'b''s"
    ),
    (
      [
        #""content": "<e>""#,
        #""content": "a""#,
      ], "added_tokens['a']",
      "found id 3, "
        + "expected id 0, as in the vocabulary"
    ),
    (
      [
        #""sep": ["<e>", 3]"#,
        #""sep": ["<e>", 2]"#,
      ], "post_processor.sep",
      "found '<e>' with id 2, "
        + "expected id 3, as in the vocabulary"
    ),
    (
      [
        #"{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true}"#,
        #"{"type": "Split", "pattern": {"Regex": "(a+)+$"}, "behavior": "Isolated", "invert": false}"#,
      ], "pre_tokenizer.pattern",
      "the pattern '(a+)+$' is not supported; "
        + "supported: the patterns of GPT-2, CLIP, Llama 3, GPT-4, GPT-4o, Qwen and Tekken"
    ),
    (
      [
        #""normalizer": null"#,
        #""normalizer": {"type": "Precompiled"}"#,
      ], "normalizer",
      "'Precompiled' is not supported; "
        + "supported: BertNormalizer, NFC, Lowercase, Prepend, Strip, Replace of a text, "
        + "Replace of \"\\s+\" by a space"
    ),
    (
      [
        #""type": "BPE""#,
        #""type": "Unigram""#,
      ], "model.type",
      "'Unigram' is not supported; "
        + "supported: BPE, WordPiece"
    ),
  ])
  func contradictionsAreNamed(_ change: [String], _ key: String, _ says: String) throws {
    let folder = try TemporaryFolder()
    var text = Self.small(change[0], change[1])
    if says.hasPrefix("nothing") { text = text.replacing(#""type": "BPE", "#, with: "") }
    try folder.write("tokenizer.json", text)
    #expect(folder.failure() == "'tokenizer.json', \(key): \(says)")
  }

  @Test func missingFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    #expect(folder.failure().contains("has no tokenizer; expected tokenizer.json"))
    try folder.write("vocab.json", #"{"a": 0, "b": 1, "ab": 2}"#)
    #expect(
      folder.failure()
        == "'merges.txt', file: found nothing, expected the merges that belong to vocab.json")
    try folder.write("merges.txt", "#version: 0.2\na b\nb c\n")
    #expect(
      folder.failure()
        == "'merges.txt', merge[1]: found 'b' with 'c', expected tokens of the vocabulary, "
        + "which has no 'c'")
    try folder.write("merges.txt", "#version: 0.2\r\na b\r\n")
    let tokenizer = try TokenizerFolder.read(folder.url)
    #expect(tokenizer.encode("ab") == [2])
    try folder.write("tokenizer_config.json", #"{"tokenizer_class": "RobertaTokenizer"}"#)
    #expect(folder.failure().contains("'RobertaTokenizer' is not supported"))
  }

  @Test func aBrokenFileNamesTheLine() throws {
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", "{\"model\":\n {\"vocab\": {\"a\": 0,}}}")
    #expect(folder.failure().hasPrefix("tokenizer.json:2:20: "))
    try folder.write("tokenizer.json", "[]")
    #expect(folder.failure().contains("expected an object"))
    try folder.write("tokenizer.json", "{}")
    #expect(folder.failure().contains("model: found nothing"))
  }

  @Test func aVocabularyTextWithTwoEqualLinesIsRefused() throws {
    let folder = try TemporaryFolder()
    try folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n")
    #expect(
      folder.failure()
        == "'vocab.txt', line 7['a']: found ids 5 and 6, expected the token once")
    try folder.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n")
    #expect(try TokenizerFolder.read(folder.url).encode("AB b") == [2, 5, 6, 1, 3])
  }

  @Test func damagedFilesFailAndNeverCrash() throws {
    let folder = try TemporaryFolder()
    var random = Numbers(state: 1)
    for name in ["byte-pairs", "word-pieces"] {
      let file = GoldenVectorTests.goldens.appending(path: name).appending(path: "tokenizer.json")
      let whole = [UInt8](try Data(contentsOf: file))
      var refused = 0
      for _ in 0..<120 {
        var bytes = whole
        for _ in 0...random.next() % 3 {
          let place = Int(random.next() % UInt64(bytes.count))
          switch random.next() % 3 {
          case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
          case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
          default: bytes.insert(contentsOf: Array("0]}{[\",:9".utf8), at: place)
          }
        }
        try Data(bytes).write(to: folder.url.appending(path: "tokenizer.json"))
        do {
          let tokenizer = try TokenizerFolder.read(folder.url)
          _ = tokenizer.decode(tokenizer.encode("The boat isn't 12 metres. 猫"))
        } catch {
          #expect(error is TokenizerError)
          refused += 1
        }
      }
      #expect(refused > 60)
    }
  }
}
