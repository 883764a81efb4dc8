internal import Files
internal import Models

extension MadeUpVocabulary {
  /// `tokenizer.json` and `tokenizer_config.json`.
  func files() -> [(name: String, json: JSON)] {
    let (tokens, merges) = made()
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
      ("tokenizer.json", tokenizer),
      ("tokenizer_config.json", .object(JSON.Object(members))),
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
