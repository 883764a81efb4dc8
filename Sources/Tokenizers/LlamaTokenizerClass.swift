internal import Files

/// What the reference's `LlamaTokenizer` puts around a vocabulary.
///
/// The class takes tokens and merges from a folder and makes the rest itself, whatever `tokenizer.json` or
/// `tokenizer.model` say about it.
enum LlamaTokenizerClass {
  static let name = "LlamaTokenizer"

  /// Kinds of models for which the reference takes no class of its own, even if a folder names one.
  private static let modelsWithoutClass: Set<String> = [
    "mistral", "mixtral", "ministral", "ministral3", "mistral3", "pixtral", "llava", "llava_next",
    "vipllava", "smolvlm", "phi3", "phi3_v", "phimoe", "granite", "olmo2", "olmo3", "stablelm",
    "persimmon", "fuyu", "nemotron", "internlm2", "internlm3", "molmo", "minicpmv", "openvla",
  ]

  /// The class that `tokenizer_config.json` names for a folder's model; nil for none.
  static func namedClass(_ files: TokenizerFiles, _ configuration: JSON) throws -> String? {
    let named = try files.optionalText(
      "tokenizer_config.json", configuration, "tokenizer_class", of: "settings")
    guard var named else { return nil }
    if named.hasSuffix("Fast") { named.removeLast(4) }
    let model = try files.optionalJSON("config.json")["model_type"]?.text
    return modelsWithoutClass.contains(model ?? "") ? nil : named
  }

  static func isNamed(by files: TokenizerFiles, _ configuration: JSON) throws -> Bool {
    try namedClass(files, configuration) == name
  }

  /// The class's own steps; the frame changes only where the folder says which tokens are added.
  static func replace(
    _ steps: inout PipelineSteps, _ files: TokenizerFiles, _ configuration: JSON,
    _ roles: [SpecialRole: Int]
  ) throws {
    func flag(_ field: String, _ absent: Bool) throws -> Bool {
      try files.flag(configuration, field, absent: absent)
    }
    let addsPrefix = try flag("add_prefix_space", true)
    let isLegacy = try flag("legacy", false)
    steps.normalizers = []
    steps.preTokenizers = [
      .metaspace(Metaspace(prefix: !addsPrefix ? .never : isLegacy ? .always : .first))
    ]
    steps.decoder = .steps(decoder(stripsSpace: addsPrefix))
    if configuration["add_bos_token"] != nil || configuration["add_eos_token"] != nil {
      steps.frame = try frame(files, configuration, roles)
    }
  }

  /// What the settings put around a text.
  static func frame(
    _ files: TokenizerFiles, _ configuration: JSON, _ roles: [SpecialRole: Int]
  ) throws -> FileTokenizer.Frame {
    func id(_ field: String, _ role: SpecialRole) throws -> [Int] {
      guard try files.flag(configuration, field, absent: false) else { return [] }
      return roles[role].map { [$0] } ?? []
    }
    return FileTokenizer.Frame(
      before: try id("add_bos_token", .beginning), after: try id("add_eos_token", .end))
  }

  /// The reference's decoder for marked spaces.
  static func decoder(stripsSpace: Bool, hasBytes: Bool = true) -> [DecodingStep] {
    [.replace(Metaspace.mark, by: " ")] + (hasBytes ? [.bytes] : []) + [.fuse]
      + (stripsSpace ? [.strip(" ", start: 1, stop: 0)] : [])
  }
}
