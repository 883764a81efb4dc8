internal import Files
internal import Foundation
internal import Models

extension MadeUpVocabulary {
  /// `tokenizer.json`, or the file of ranks, and `tokenizer_config.json`.
  func files() -> [(name: String, text: String)] {
    let (tokens, merges) = made()
    if style == .ranks { return rankFiles(tokens) }
    let isCLIP = style == .clip
    let tokenizer: JSON = [
      "version": "1.0", "truncation": .null, "padding": .null,
      "added_tokens": .array(
        special.map { id in
          [
            "id": .integer(id), "content": .string(tokens[id]), "single_word": false,
            "lstrip": false, "rstrip": false, "normalized": false, "special": true,
          ]
        }),
      "normalizer": isCLIP ? Self.clipNormalizer : .null,
      "pre_tokenizer": isCLIP ? Self.clipWords : Self.byteLevel,
      "post_processor": isCLIP ? bothEnds(tokens) : beginOnly(tokens),
      "decoder": Self.byteLevel,
      "model": [
        "type": "BPE", "dropout": .null,
        "unk_token": isCLIP ? .string(tokens[end]) : .null, "continuing_subword_prefix": "",
        "end_of_word_suffix": .string(isCLIP ? Self.wordEnd : ""), "fuse_unk": false,
        "byte_fallback": false,
        "vocab": .object(
          JSON.Object(tokens.enumerated().map { ($0.element, .integer($0.offset)) })),
        "merges": .array(merges.map { [.string($0.0), .string($0.1)] }),
      ],
    ]
    var members: [(String, JSON)] = [
      ("tokenizer_class", isCLIP ? "CLIPTokenizer" : "GPT2Tokenizer"),
      ("bos_token", .string(tokens[begin])), ("eos_token", .string(tokens[end])),
      ("unk_token", .string(tokens[end])), ("pad_token", .string(tokens[pad])),
      ("clean_up_tokenization_spaces", false), ("add_prefix_space", false),
    ]
    members.append(isCLIP ? ("model_max_length", 77) : ("add_bos_token", true))
    return [
      ("tokenizer.json", tokenizer.written() + "\n"),
      ("tokenizer_config.json", JSON.object(JSON.Object(members)).written(indented: true) + "\n"),
    ]
  }

  /// A line for each token, in base64 with its rank, and the settings that stand beside it.
  private func rankFiles(_ tokens: [String]) -> [(name: String, text: String)] {
    let settings: JSON = [
      "model_max_length": 8192, "tokenizer_class": "QWenTokenizer",
      "auto_map": ["AutoTokenizer": ["tokenization_qwen.QWenTokenizer", .null]],
    ]
    let lines = tokens.enumerated().map { rank, token in
      Data(ByteLetters.bytes(of: token)).base64EncodedString() + " \(rank)\n"
    }
    return [
      ("qwen.tiktoken", lines.joined()),
      ("tokenizer_config.json", settings.written(indented: true) + "\n"),
    ]
  }

  private static let byteLevel: JSON = [
    "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true,
  ]

  private static let clipNormalizer: JSON = [
    "type": "Sequence",
    "normalizers": [
      ["type": "NFC"],
      ["type": "Replace", "pattern": ["Regex": #"\s+"#], "content": " "],
      ["type": "Lowercase"],
    ],
  ]

  private static let clipWords: JSON = [
    "type": "Sequence",
    "pretokenizers": [
      [
        "type": "Split", "behavior": "Removed", "invert": true,
        "pattern": [
          "Regex": .string(
            #"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|"#
              + #"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#)
        ],
      ],
      byteLevel,
    ],
  ]

  private func bothEnds(_ tokens: [String]) -> JSON {
    [
      "type": "RobertaProcessing", "sep": [.string(tokens[end]), .integer(end)],
      "cls": [.string(tokens[begin]), .integer(begin)], "trim_offsets": false,
      "add_prefix_space": false,
    ]
  }

  private func beginOnly(_ tokens: [String]) -> JSON {
    func sequence(_ name: String) -> JSON { ["Sequence": ["id": .string(name), "type_id": 0]] }
    let name = JSON.string(tokens[begin])
    let token: JSON = ["SpecialToken": ["id": name, "type_id": 0]]
    let ids: JSON = ["id": name, "ids": [.integer(begin)], "tokens": [name]]
    return [
      "type": "TemplateProcessing", "single": [token, sequence("A")],
      "pair": [token, sequence("A"), sequence("B")],
      "special_tokens": .object(JSON.Object([(tokens[begin], ids)])),
    ]
  }
}
