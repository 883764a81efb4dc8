internal import ArgumentParser
internal import Budget
internal import Characters
internal import Checkpoints
internal import Files
internal import Foundation
internal import Making
internal import Models
internal import Tensors
internal import Terminal

/// `fovea convert`: a checkpoint as safetensors, in another number format.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a checkpoint again, as safetensors and in another number format.",
    discussion: """
      --dtype rounds every floating-point tensor. --quantize makes small integers of the weights of \
      layers: int8 under the names that quanto gives them, int4 in GPTQ's packing; tables, norms, \
      biases and a head that shares the table of embeddings keep floating-point numbers. Both may \
      be given. Configuration, tokenizer and processor files are taken along.

      A checkpoint of PyTorch (pytorch_model.bin) becomes safetensors, with neither option too, and \
      one that has both is written without the pickle; float64 is kept then, and said. Of \
      tensors that share their numbers one is written, and the other names are noted in its file.

      --add makes a language model of published deltas: each weight of the source is added to that of \
      the base in float32 and kept in the source's type, as FastChat's apply_delta does. Names, shapes and \
      settings must agree; rows of a vocabulary that the base has not are the deltas' own, which is said. \
      Deltas do not tell which model they were taken from: a base of the same names, shapes and settings that is \
      not the one is added to without a word.

      A checkpoint that stands at the destination is replaced when the new one is complete, and not \
      before: if the disk fills (status 74) or the command is stopped, it is as it was. NaN or \
      infinity among the weights is written as it is, and the first said (status 65); none can \
      become a small integer.

      Examples:
        fovea convert blip2 blip2-bf16 --dtype bfloat16
        fovea convert old-clip new-clip
        fovea convert Ziya-LLaMA-13B-v1 ziya-llm --add llama-13b
        fovea convert blip2 blip2-int4 --dtype float16 --quantize language=int4,vision=int8
      """)

  @ArgumentParser.Argument(
    help: ArgumentHelp(
      "The folder of the checkpoint, or the id of a model that was downloaded.",
      valueName: "source"))
  var source: String
  @ArgumentParser.Argument(help: ArgumentHelp("The folder to write.", valueName: "destination"))
  var destination: String
  @Option(
    help: ArgumentHelp(
      "Of a downloaded model: a branch, a tag, a commit or its beginning.", valueName: "name"))
  var revision: String?
  @Option(help: "float32, float16 or bfloat16; without it, tensors keep their type.")
  var dtype: ElementType?
  @Option(
    help: ArgumentHelp(
      "int8 or int4 for all parts, or a list such as language=int4,vision=int8.",
      valueName: "precision"))
  var quantize: String?
  @Option(
    help: ArgumentHelp(
      "The folder or id of the model that the source is deltas to.", valueName: "base"))
  var add: String?
  @Option(help: "The most bytes a file of weights holds, such as 5GB or 500MB.")
  var shardSize = ByteSize(count: 5_000_000_000)

  func validate() throws {
    _ = try quantize.map { try Self.precisions($0, parts: []) }
    if add != nil, dtype != nil || quantize != nil {
      throw ValidationError(
        "--add keeps the type of the deltas; convert its result with --dtype or --quantize.")
    }
  }

  func run() throws {
    let folder = try CheckpointFolder(SessionOptions.modelFolder(source, revision: revision))
    let target = SessionOptions.folder(destination)
    guard folder.url.standardizedFileURL.path != target.standardizedFileURL.path else {
      throw ValidationError("source and destination are the same folder")
    }
    if let add { return try addDeltas(folder, to: add, target) }
    guard try dtype != nil || quantize != nil || Conversion.hasPurpose(withoutOptions: folder)
    else {
      throw ValidationError("give --dtype, --quantize or both: what should the weights become?")
    }
    let parts = try Family.find(folder).family.parts.map(\.name)
    let conversion = try Conversion(
      folder, type: dtype,
      precisions: try quantize.map { try Self.precisions($0, parts: parts) } ?? [:])
    try write(conversion.tensors, to: target, notes: conversion.notes) {
      try conversion.write(to: target, shardSize: shardSize.count, progress: $0)
    }
  }

  private func addDeltas(_ folder: CheckpointFolder, to base: String, _ target: URL) throws {
    let start = try CheckpointFolder(SessionOptions.modelFolder(base))
    guard start.url.standardizedFileURL.path != target.standardizedFileURL.path else {
      throw ValidationError("--add \(base) and the destination are the same folder")
    }
    let addition = try DeltaAddition(folder, to: start)
    try write(addition.tensors, to: target, notes: addition.notes) {
      try addition.write(to: target, shardSize: shardSize.count, progress: $0)
    }
  }

  /// Writes tensors with a bar, and says what there is to say of them.
  private func write(
    _ tensors: [PlannedTensor], to target: URL, notes: [String],
    by writing: ((Int) throws -> Void) throws -> Conversion.Outcome
  ) throws {
    let byteCount = tensors.reduce(0) { $0 + $1.byteCount }
    let job = try FileJob("writing \(byteCount.asByteCount)", total: byteCount, to: target)
    let outcome: Conversion.Outcome
    do { outcome = try writing(job.report) } catch {
      job.end()
      throw error
    }
    job.end()
    for note in notes { try Output.standardError.write("note: \(note)\n") }
    try Output.standardOutput.write(
      "wrote \(tensors.count.counted(as: "tensor")), \(byteCount.asByteCount), to "
        + "\(destination)\n")
    if !outcome.leftOut.isEmpty {
      try Output.standardError.write(
        "not taken along: \(outcome.leftOut.joined(separator: ", "))\n")
    }
    if let broken = outcome.broken { throw Display.badNumbers("\(source) has \(broken)") }
  }

  /// Reads `int4` or `language=int4,vision=int8`; the first means all `parts`.
  static func precisions(_ text: String, parts: [String]) throws -> [String: Precision] {
    guard text.contains("=") else {
      let all = try integers(Precision(word: text), text)
      return Dictionary(uniqueKeysWithValues: parts.map { ($0, all) })
    }
    do {
      return try Precision.byPart(text).mapValues { try integers($0, $0.rawValue) }
    } catch let error as PrecisionListError {
      if case .noPrecision(let word) = error { _ = try integers(nil, word) }
      throw ValidationError("--quantize \(error)")
    }
  }

  private static func integers(_ precision: Precision?, _ word: String) throws -> Precision {
    guard let precision, Precision.integers.contains(precision) else {
      throw ValidationError("--quantize takes int8 or int4, not '\(word)'")
    }
    return precision
  }
}
