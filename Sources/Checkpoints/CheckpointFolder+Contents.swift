extension CheckpointFolder {
  /// The files that a published tokenizer may consist of.
  public static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "qwen.tiktoken",
  ]

  /// Whether a file of this name is part of a published checkpoint.
  public static func isPartOfCheckpoint(_ name: String) -> Bool {
    tokenizerFiles.contains(name) || ["modules.json", "LICENSE", "README.md"].contains(name)
      || [".safetensors", ".index.json", "config.json", "_qmap.json", ".jinja"]
        .contains { name.hasSuffix($0) }
  }

  /// Whether a folder with these names holds a checkpoint and nothing that would be missed: it may
  /// be replaced by another.
  public static func isOnlyCheckpoint(_ names: [String]) -> Bool {
    names.contains { $0.hasSuffix("config.json") } && names.allSatisfy(isPartOfCheckpoint)
  }
}
