public import Checkpoints
internal import Foundation
public import Generation
internal import Layers
internal import Tensors
public import Tokenizers
public import Tracing

extension LLaMA {
  /// A language model read from a folder in the published layout.
  public struct Model: WritingModel {
    /// What it is like.
    public let configuration: Configuration
    /// Text to token ids.
    public let tokenizer: any Tokenizer
    /// All of the model: embeddings, blocks and head.
    public let decoder: Decoder
    /// What to know of its files.
    public let notes: [String]
    /// Token ids that end an answer.
    public let endTokens: [Int]
    private let maxNewTokens: Int

    /// Reads the checkpoint in `folder`, strictly: every tensor must be there, have its shape and
    /// be used.
    public init(_ folder: CheckpointFolder) throws {
      let json = try folder.configuration()
      let file = folder.url.appending(path: "config.json").path
      configuration = try Configuration(json, file: file)
      tokenizer = try TokenizerFolder.read(folder.url)
      decoder = try LLaMA.decoder(in: folder, configuration)
      let generation = try GenerationSettings(
        folder, default: configuration.endTokens, below: configuration.decoder.vocabularySize)
      (endTokens, maxNewTokens) = (generation.endTokens.value, generation.maxNewTokens.value)
      notes = try Configuration.notes(json, file: file) + generation.notes + decoder.notes
    }

    /// The family's name, by its variant.
    public var family: String { configuration.variant == .mistral ? "Mistral" : "LLaMA" }
    /// The paper.
    public var source: String {
      configuration.variant == .mistral ? "Jiang et al. 2023" : "Touvron et al. 2023"
    }
    /// That it reads text alone.
    public var kind: String { "a language model, which reads text alone" }

    /// Greedy, as many tokens as the model's own file says, ending at its end tokens.
    public var defaultOptions: GenerationOptions {
      var options = GenerationOptions(endTokens: endTokens)
      options.maxNewTokens = maxNewTokens
      return options
    }

    /// The ids of a text, with the token that begins one where the tokenizer says so.
    public func promptIDs(_ prompt: String) throws -> [Int] {
      tokenizer.encode(prompt, addSpecialTokens: true)
    }

    /// The token ids that a run reads.
    ///
    /// - Throws: for no token at all, and for more than it has positions.
    public func ids(of input: Input) throws -> [Int] {
      let ids = try input.tokenIDs ?? promptIDs(input.prompt)
      guard !ids.isEmpty else { throw ModelError.emptyPrompt }
      let limit = configuration.decoder.positionCount
      guard ids.count <= limit else {
        throw ModelError.promptTooLong(tokens: ids.count, limit: limit)
      }
      return ids
    }

    /// All of the model.
    public func decoder(for stage: String) -> Decoder { decoder }

    /// The text of tokens, special ones left out.
    public func text(of tokens: [Int]) -> String {
      tokenizer.decode(tokens, skipSpecialTokens: true)
    }
  }
}

extension LLaMA {
  /// Reads the weights in `folder`, strictly.
  fileprivate static func decoder(
    in folder: CheckpointFolder, _ configuration: Configuration
  ) throws -> Decoder {
    var weights = WeightReader(try folder.tensors(), names: names.keys)
    let decoder = try Decoder(from: &weights, configuration.decoder)
    // Old files hold the frequencies, which follow from the configuration.
    weights.ignore("model.layers.*.self_attn.rotary_emb.inv_freq")
    try weights.finish()
    return decoder
  }

  /// What the model in `folder` is like and every weight that it has, read as strictly as to run it; a
  /// tokenizer is not looked for.
  ///
  /// - Throws: as a load would.
  package static func weights(
    in folder: CheckpointFolder
  ) throws -> (configuration: Configuration, records: [WeightRecord]) {
    let file = folder.url.appending(path: "config.json").path
    let configuration = try Configuration(folder.configuration(), file: file)
    let log = WeightLog()
    var folder = folder
    folder.weights.log = log
    folder.weights.converts = false
    _ = try decoder(in: folder, configuration)
    return (configuration, log.records)
  }
}

extension LLaMA.Model {
  /// The sizes in one line.
  public var summary: String {
    let shape = configuration.decoder
    return "language model \(shape.blockCount) × \(shape.width), \(shape.vocabularySize) tokens"
  }

  /// The sizes, a line each.
  public var facts: [Fact] {
    let shape = configuration.decoder
    let attention = shape.block.attention
    var heads = "\(attention.headCount) heads of \(attention.headWidth) channels"
    if attention.keyHeadCount != attention.headCount {
      heads += " on \(attention.keyHeadCount) key heads"
    }
    return [
      Fact(
        "language",
        "\(shape.blockCount) blocks, \(heads), \(shape.width) channels, "
          + "\(shape.block.mlp.hiddenWidth) in each MLP"),
      Fact(
        "text",
        "\(shape.vocabularySize) tokens, \(shape.positionCount) positions"
          + (shape.window.map { ", each token sees the last \($0)" } ?? "")
          + (shape.isTied ? "; the head is the embedding table" : "")),
    ]
  }

  /// The tokenizer.
  public var textTokenizer: (any Tokenizer)? { tokenizer }
  /// This model.
  public var writing: (any WritingModel)? { self }

  /// The decoder.
  public var towers: [Tower] {
    let shape = configuration.decoder
    return [
      Tower(language: shape)
    ]
  }

  /// The two stages of a text.
  public var stages: [Stage] {
    [
      Stage(
        "assemble", "Cuts the text into tokens and looks each up in the embedding table.",
        from: "a text of T tokens", to: "[T, \(configuration.decoder.width)]", branch: .text,
        gives: .sequence, at: "language.tokens"
      ) { slots, trace in
        guard slots.input.pictures.isEmpty else {
          throw ModelError.missingPart(wanted: "look at a picture", has: "it is \(kind)")
        }
        slots[.sequence] = try decoder.embed(try ids(of: slots.input), trace: &trace)
      },
      decoder.stage(.text),
    ]
  }

  /// The module paths of transformers whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    LLaMA.publishedPlaces(of: address)
  }
}
