public import ArgumentParser
internal import Budget
internal import Characters
internal import Files
internal import Foundation
internal import Making
internal import Models
internal import Runtime
public import Tensors
internal import Terminal

/// `fovea synthesize`: a checkpoint of a published model's sizes with random weights.
struct SynthesizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "synthesize",
    abstract: "Write a checkpoint of a published model's sizes with random weights.",
    discussion: """
      Configuration, tensor names and shapes are the published ones; the numbers are random, of \
      scales that let a run stay in bounds, and the same for the same seed. Such a checkpoint says \
      nothing sensible, but it takes the time and memory that the published one takes.

      Models: \(PublishedModel.all.map(\.name).joined(separator: ", ")).
      Examples:
        fovea synthesize blip2-opt-2.7b --seed 1 --dtype bfloat16 blip2-random
        fovea synthesize ziya-blip2-14b --quantize language=int4 ziya-random
      """)

  @ArgumentParser.Argument(help: "The model.")
  var model: String
  @ArgumentParser.Argument(help: ArgumentHelp("The folder to write.", valueName: "folder"))
  var folder: String
  @Option(help: "Which random numbers.")
  var seed: UInt64 = 1
  @Option(
    help: """
      The number format of the weights: float32, float16 or bfloat16; float32 where none is given, for \
      a Qwen-VL, an Idefics2 and Ziya-BLIP2-14B that of the published files.
      """)
  var dtype: ElementType?
  @Option(
    help: ArgumentHelp(
      "int8 or int4 for the weights of all layers, or a list such as language=int4,vision=int8: the "
        + "integers are made at once, in the layout that convert writes.", valueName: "precision"))
  var quantize: String?
  @Option(
    help: ArgumentHelp(
      "Take this folder's tokenizer instead of a made-up vocabulary.", valueName: "folder"))
  var tokenizer: String?
  @Option(help: "The most bytes a file of weights holds, such as 5GB or 500MB.")
  var shardSize = ByteSize(count: 5_000_000_000)

  func validate() throws {
    guard PublishedModel.named(model) != nil else {
      let names = PublishedModel.all.map(\.name).joined(separator: ", ")
      throw ValidationError("there is no model '\(model)' to make; there are: \(names)")
    }
    if quantize != nil, PublishedModel.named(model)?.isPacked == true {
      throw ValidationError("--quantize: \(model) is of integers as it is published; leave it out")
    }
    _ = try quantize.map { try ConvertCommand.precisions($0, parts: []) }
  }

  func run() throws {
    guard let model = PublishedModel.named(model) else { return }
    let synthesis = try Synthesis(
      model, seed: seed, type: dtype,
      precisions: try quantize.map { try ConvertCommand.precisions($0, parts: model.parts) } ?? [:])
    let url = SessionOptions.folder(folder)
    let job = try FileJob(
      "writing \(synthesis.byteCount.asByteCount)", total: synthesis.byteCount, to: url)
    try synthesis.write(
      to: url,
      tokenizer: try tokenizer.map { try SessionOptions.modelFolder($0, readsWeights: false) },
      shardSize: shardSize.count,
      progress: job.report)
    job.end()
    try Output.standardOutput.write(
      "wrote \(synthesis.tensors.count.counted(as: "tensor")), "
        + "\(synthesis.byteCount.asByteCount), to \(folder)\n"
    )
  }
}

extension ElementType: ExpressibleByArgument {
  /// Reads `float16`, or one of its other names, as `fp16` and `half`.
  public init?(argument: String) { self.init(word: argument) }
}

/// A number of bytes, as `5GB`, `500MB` or `1000000`.
struct ByteSize: ExpressibleByArgument {
  let count: Int

  init(count: Int) { self.count = count }

  init?(argument: String) {
    guard let count = Int(byteCount: argument) else { return nil }
    self.init(count: count)
  }

  var defaultValueDescription: String { count.asByteCount }
}
