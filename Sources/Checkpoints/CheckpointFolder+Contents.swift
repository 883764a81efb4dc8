extension CheckpointFolder {
  /// The files that a published tokenizer may consist of.
  public static let tokenizerFiles = [
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "qwen.tiktoken",
  ]

  /// The names that OpenCLIP gives the one file of weights.
  public static let openCLIPWeights = [
    "open_clip_model.safetensors", "open_clip_pytorch_model.bin",
  ]

  /// Whether a file of this name is part of a published checkpoint.
  public static func isPartOfCheckpoint(_ name: String) -> Bool {
    tokenizerFiles.contains(name)
      || ["modules.json", "chat_template.json", "LICENSE", "README.md"].contains(name)
      || QuantizationRecord.quantoMapNames.contains(name)
      || [".safetensors", ".index.json", "config.json", "_qmap.json", ".jinja"]
        .contains { name.hasSuffix($0) }
  }

  /// Whether a file of this name holds weights as a pickle, or lists such files.
  public static func isTorchWeights(_ name: String) -> Bool {
    name.hasPrefix("pytorch_model") && (name.hasSuffix(".bin") || name.hasSuffix(".bin.index.json"))
      || openCLIPWeights.contains(name) && name.hasSuffix(".bin")
  }

  /// The names of what lies beside the weights: files of the checkpoint, and those that are none.
  package var filesBesideWeights: (ofCheckpoint: [String], others: [String]) {
    let names = listing().filter {
      !$0.hasSuffix(".safetensors") && !$0.hasSuffix(".safetensors.index.json")
        && !Self.isTorchWeights($0)
    }
    return (
      names.filter(Self.isPartOfCheckpoint), names.filter { !Self.isPartOfCheckpoint($0) }
    )
  }

  /// Whether there are weights as a pickle, which a conversion leaves behind.
  public var hasTorchWeights: Bool { listing().contains(where: Self.isTorchWeights) }

  /// Whether a folder with these names holds a checkpoint and nothing that would be missed: it may
  /// be replaced by another.
  public static func isOnlyCheckpoint(_ names: [String]) -> Bool {
    names.contains { $0.hasSuffix("config.json") } && names.allSatisfy(isPartOfCheckpoint)
  }
}
