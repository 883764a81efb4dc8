internal import ArgumentParser
internal import Commands
internal import Files
internal import Foundation

/// The model that a subcommand works with, and how its weights are kept: the same options wherever
/// a model is read, and the same words as `load` takes.
struct ModelOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The model's folder; the model that ships where none is given.", valueName: "folder"))
  var model: String?
  @Option(
    help: ArgumentHelp(
      "How weights are kept and multiplied: float32, float16, bfloat16, int8 or int4; or by part: "
        + "vision=bfloat16,decoder=int4.", valueName: "precision"))
  var dtype: String?
  @Option(
    help: ArgumentHelp(
      "Keep the weights of all layers as integers: int8 or int4.", valueName: "precision"))
  var quantize: String?

  func validate() throws {
    if dtype != nil, quantize != nil {
      throw ValidationError(
        "--dtype and --quantize both say how weights are kept; to mix precisions, give --dtype by "
          + "part, such as vision=bfloat16,decoder=int4")
    }
    if let quantize, !["int8", "int4"].contains(quantize) {
      throw ValidationError("--quantize takes int8 or int4, not '\(quantize)'")
    }
  }

  /// What was chosen.
  ///
  /// - Throws: where the folder is missing, or has no such part.
  func choice() throws -> ModelChoice {
    if let model {
      guard FileManager.default.fileExists(atPath: model) else {
        throw MissingInput(path: model, what: "the model's folder")
      }
    }
    let choice = ModelChoice(
      folder: model.map { SessionOptions.folder($0) }, dtype: dtype, quantize: quantize)
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
