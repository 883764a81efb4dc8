internal import Checkpoints
internal import Files
public import Foundation
internal import Generation
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// Writes every place of one run to a safetensors file, for comparison with other implementations.
public struct TraceTool {
  /// The names that tensors are written under.
  public enum Names: String, Sendable, CaseIterable {
    /// Fovea's addresses.
    case fovea
    /// The published module paths.
    case published
  }

  private let model: LoadedModel

  /// Reads the model in `folder`, or the one that ships.
  public init(folder: URL?) throws {
    model = try folder.map { try LoadedModel.read($0, name: nil) } ?? LoadedModel.shipped()
  }

  /// Runs the model and writes the trace.
  ///
  /// - Parameters:
  ///   - prompt: what a generating model reads after the picture.
  ///   - texts: what a retrieval model compares the picture with; empty for a generating run.
  ///   - keep: which of the written names are kept; `*` stands for anything.
  /// - Returns: how many tensors were written.
  public func write(
    image path: URL, prompt: String, texts: [String], names: Names, keep: String, to file: URL
  ) throws -> Int {
    let image = try Image(decoding: try WholeFile.read(path), named: path.lastPathComponent)
    let found =
      try texts.isEmpty
      ? generate(image, prompt: prompt, names: names)
      : match(image, texts: texts, names: names)
    var contents = found.tensors.map {
      (name: $0.name, content: Safetensors.Content.tensor($0.tensor))
    }
    contents += found.ids.map { (name: $0.name, content: .integers($0.values, shape: $0.shape)) }
    contents = contents.filter { Address($0.name).matches(keep) }.sorted { $0.name < $1.name }
    guard !contents.isEmpty else {
      throw RuntimeFailure(
        .key, "no place fits '\(keep)'",
        hint: NearestPlace.hint(keep, among: found.tensors.map(\.name)))
    }
    try Safetensors.write(
      contents,
      metadata: [
        "made_by": "fovea", "model": model.name, "image": path.lastPathComponent,
        "names": names.rawValue, "prompt": prompt, "texts": texts.joined(separator: "\n"),
        "answer": found.answer,
      ], to: file)
    return contents.count
  }

  private struct Found {
    var tensors: [PublishedTensor] = []
    var ids: [(name: String, values: [Int], shape: [Int])] = []
    var answer = ""
  }

  private func generate(_ image: Image, prompt: String, names: Names) throws -> Found {
    let model = model.model
    let pixels = try model.preprocess(image)
    var trace = Trace.everything
    let soft = try model.softPrompt(image, trace: &trace)
    let sequence = try model.assemble(soft, prompt, trace: &trace)
    let ids = try model.promptIDs(prompt)
    let answer = try model.write(
      after: sequence, promptIDs: ids, options: model.defaultOptions, trace: trace)
    return Found(
      tensors: [Self.pixels(pixels)]
        + (names == .published ? model.published(answer.trace) : answer.trace.named("")),
      ids: [
        ("inputs.input_ids", ids, [1, ids.count]),
        ("inputs.attention_mask", ids.map { _ in 1 }, [1, ids.count]),
        ("generated_ids", answer.generated.tokens, [1, answer.generated.tokens.count]),
      ], answer: answer.text)
  }

  private func match(_ image: Image, texts: [String], names: Names) throws -> Found {
    let model = model.matching
    var vision = Trace.everything
    let tokens = try model.see(image, trace: &vision)
    let run = try model.match(tokens, vision: vision, texts: texts) { .everything }
    let ids = texts.map { model.tokenizer.encode($0, addSpecialTokens: true) }
    let longest = ids.map(\.count).max() ?? 0
    let tensors =
      names == .published
      ? model.published(run)
      : run.vision.named("") + run.contrastImage.named("itc.image.")
        + texts.indices.flatMap {
          run.contrastTexts[$0].named("itc.texts.\($0).")
            + run.matching[$0].named("itm.texts.\($0).")
        }
    return Found(
      tensors: [Self.pixels(try model.preprocess(image))] + tensors,
      ids: [
        (
          "inputs.input_ids",
          ids.flatMap { $0 + [Int](repeating: 0, count: longest - $0.count) },
          [texts.count, longest]
        ),
        (
          "inputs.attention_mask",
          ids.flatMap { ids in (0..<longest).map { $0 < ids.count ? 1 : 0 } },
          [texts.count, longest]
        ),
      ],
      answer: run.matches.map { "\($0.probability)" }.joined(separator: "\n"))
  }

  private static func pixels(_ tensor: Tensor) -> PublishedTensor {
    PublishedTensor(
      name: "inputs.pixel_values", tensor: tensor.reshaped(to: [1] + tensor.shape))
  }
}

extension Trace {
  fileprivate func named(_ prefix: String) -> [PublishedTensor] {
    records.map { PublishedTensor(name: prefix + $0.address.description, tensor: $0.tensor) }
  }
}
