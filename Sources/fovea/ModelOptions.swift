internal import ArgumentParser
internal import Commands
internal import Files
internal import Foundation
internal import Terminal

/// The model that a subcommand works with, and how its weights are kept: the same options wherever
/// a model is read, and the same words as `load` takes.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The model's folder, the id of one that was downloaded (owner/name, owner/name@revision), or "
        + "small-clip or small-qwen-vl for the CLIP and the Qwen-VL that ship; where none is given, "
        + "the small BLIP-2 that ships, of chat that Qwen-VL.",
      valueName: "model"))
  var model: String?
  @Option(
    help: ArgumentHelp(
      "The folder or id of its language model, of a BLIP-2 that is published in two, as "
        + "Ziya-BLIP2-14B-Visual is.", valueName: "model"))
  var language: String?
  @Option(
    help: ArgumentHelp(
      "A value in place of one in the model's config.json, as perceiver_config.rms_norm_eps=1e-5; may be "
        + "given again.", valueName: "key=value"))
  var config: [String] = []
  @Option(
    help: ArgumentHelp(
      "Of a downloaded model: a branch, a tag, a commit or its beginning.", valueName: "name"))
  var revision: String?
  @Option(
    help: ArgumentHelp(
      "How weights are kept and multiplied: float32, float16, bfloat16, int8 or int4; or by part: "
        + "vision=bfloat16,language=int4.", valueName: "precision"))
  var dtype: String?
  @Option(
    help: ArgumentHelp(
      "Keep the weights of all layers as integers, int8 or int4, or of some parts: language=int4. "
        + "--dtype says how those are multiplied and how the others are kept.",
      valueName: "precision"))
  var quantize: String?

  func validate() throws {
    for setting in config where setting.split(separator: "=", maxSplits: 1).count != 2 {
      throw ValidationError("--config must be KEY=VALUE, not '\(setting)'.")
    }
    if let revision, model == nil {
      throw ValidationError(
        "--revision \(revision) is a revision of a downloaded model; name that with --model owner/name."
      )
    }
  }

  /// What was chosen.
  ///
  /// - Throws: where the folder is missing, or has no such part.
  func choice() throws -> ModelChoice {
    var choice = ModelChoice(
      folder: try model.map { try SessionOptions.modelFolder($0, revision: revision) },
      dtype: dtype, quantize: quantize)
    choice.language = try language.map { try SessionOptions.modelFolder($0) }
    choice.revision = revision
    choice.config = config.map { setting in
      let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
      return (parts[0], parts[1])
    }
    choice.notes = .init { try? Output.standardError.write($0 + "\n") }
    try choice.check()
    return choice
  }
}

/// The most memory that loads and runs may take.
struct MemoryOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The most memory that loads and runs may take, such as 4GB, or any; what can be had where "
        + "none is given.", valueName: "size"))
  var memory: MemorySize?
}

/// A number of bytes, or `any`.
struct MemorySize: ExpressibleByArgument {
  let count: Int

  init?(argument: String) {
    guard let count = MemoryLimit.bytes(argument) else { return nil }
    self.count = count
  }
}
