extension CheckpointFolder {
  /// The files that a published tokenizer may consist of.
  public static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "qwen.tiktoken",
  ]

  /// Whether a folder with these names holds a checkpoint and nothing that would be missed: it may
  /// be replaced by another.
  public static func isOnlyCheckpoint(_ names: [String]) -> Bool {
    names.contains("config.json")
      && names.allSatisfy { name in
        tokenizerFiles.contains(name)
          || name.hasSuffix(".safetensors") || name.hasSuffix(".index.json")
          || name.hasSuffix("config.json") || name.hasSuffix(".jinja")
      }
  }
}
