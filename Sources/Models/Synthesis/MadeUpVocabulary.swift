internal import Files

/// A byte-level vocabulary of a given size with syllables that no language has, for checkpoints
/// with random weights: every text can be cut, every token be read.
///
/// Ids that matter to a model keep their published places; the rest are the 256 bytes, then pairs
/// of letters, then longer pieces with and without a blank before them.
struct MadeUpVocabulary: Sendable {
  /// How many tokens there are.
  let count: Int
  /// Tokens with a place of their own.
  let fixed: [Int: String]
  /// Those of them that stand for no text.
  let special: [Int]
  /// What goes before each text, what may end one, what fills up.
  let begin, end, pad: Int
  /// The line break, which ends an answer, and what stands for a picture's queries.
  let newline, image: Int

  /// The tokens in the order of their ids, and the merges that make the longer ones.
  func made() -> (tokens: [String], merges: [(String, String)]) {
    let reserved = Set(fixed.values)
    var pieces: [String] = ByteLetters.all.map { String($0) }.filter { !reserved.contains($0) }
    var merges: [(String, String)] = []
    let room = count - fixed.count
    let letters = "etaoinsrhldcumfpgwybvkxjqz".map { String($0) }
    func add(_ first: [String], _ second: [String]) {
      for start in first {
        for rest in second where pieces.count < room {
          merges.append((start, rest))
          pieces.append(start + rest)
        }
      }
    }
    let pairs = letters.flatMap { first in letters.map { first + $0 } }
    add(letters, letters)
    add(["Ġ"], pairs)
    add(pairs, letters)
    add(["Ġ"], pairs.flatMap { pair in letters.map { pair + $0 } })
    add(pairs, pairs)
    var next = pieces.makeIterator()
    let tokens = (0..<count).map { fixed[$0] ?? next.next() ?? "<unused \($0)>" }
    return (tokens, merges)
  }

  /// `tokenizer.json` and `tokenizer_config.json`.
  func files() -> [(name: String, json: JSON)] {
    let (tokens, merges) = made()
    let byteLevel: JSON = [
      "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
    ]
    func sequence(_ name: String) -> JSON { ["Sequence": ["id": .string(name), "type_id": 0]] }
    let beginToken: JSON = ["SpecialToken": ["id": .string(tokens[begin]), "type_id": 0]]
    let tokenizer: JSON = [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(
        special.map { id in
          [
            "id": .integer(id), "content": .string(tokens[id]), "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false, "special": true,
          ]
        }),
      "normalizer": .null, "pre_tokenizer": byteLevel,
      "post_processor": [
        "type": "TemplateProcessing", "single": [beginToken, sequence("A")],
        "pair": [beginToken, sequence("A"), sequence("B")],
        "special_tokens": .object(
          JSON.Object([
            (
              tokens[begin],
              [
                "id": .string(tokens[begin]), "ids": [.integer(begin)],
                "tokens": [.string(tokens[begin])],
              ]
            )
          ])),
      ],
      "decoder": byteLevel,
      "model": [
        "type": "BPE", "dropout": .null, "unk_token": .null, "continuing_subword_prefix": "",
        "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
        "vocab": .object(
          JSON.Object(tokens.enumerated().map { ($0.element, .integer($0.offset)) })),
        "merges": .array(merges.map { [.string($0.0), .string($0.1)] }),
      ],
    ]
    let configuration: JSON = [
      "tokenizer_class": "GPT2Tokenizer", "add_bos_token": true, "add_prefix_space": false,
      "bos_token": .string(tokens[begin]), "eos_token": .string(tokens[end]),
      "unk_token": .string(tokens[end]), "pad_token": .string(tokens[pad]),
      "clean_up_tokenization_spaces": false,
    ]
    return [("tokenizer.json", tokenizer), ("tokenizer_config.json", configuration)]
  }
}

/// The letters that stand for bytes in byte-level vocabularies, as in GPT-2.
private enum ByteLetters {
  /// One a byte, from 0 to 255: itself where it can be seen, else a letter from U+0100 on.
  static let all: [Unicode.Scalar] = {
    var next: UInt32 = 0x100
    return (0..<256).map { byte in
      let isSeen = (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE
      let value = isSeen ? UInt32(byte) : next
      if !isSeen { next += 1 }
      return Unicode.Scalar(value) ?? "?"
    }
  }()
}
