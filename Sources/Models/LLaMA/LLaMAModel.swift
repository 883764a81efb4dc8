public import Checkpoints
internal import Foundation
public import Generation
internal import Layers
public import Tensors
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
      let names: @Sendable (Address) -> [String] = { address in
        [LLaMA.names.key(address) ?? address.description]
      }
      var weights = WeightReader(try folder.tensors(), names: names)
      decoder = try Decoder(from: &weights, configuration.decoder)
      // Old files hold the frequencies, which follow from the configuration.
      weights.ignore("model.layers.*.self_attn.rotary_emb.inv_freq")
      try weights.finish()
      let generation = try GenerationFile(
        folder, default: configuration.endTokens, below: configuration.decoder.vocabularySize)
      (endTokens, maxNewTokens) = (generation.endTokens, generation.maxNewTokens)
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

    /// The embeddings of what a run starts from, `[T, E]`.
    ///
    /// - Throws: for a picture, which it cannot read; for no token at all.
    public func sequence(_ inputs: RunInputs, trace: inout Trace) throws -> Tensor {
      guard inputs.image == nil, inputs.pixels == nil else {
        throw ModelError.missingPart(wanted: "look at a picture", has: "it is \(kind)")
      }
      return try decoder.embed(try ids(of: inputs), trace: &trace)
    }

    /// The token ids that a run reads.
    func ids(of inputs: RunInputs) throws -> [Int] {
      let ids = try inputs.tokenIDs ?? promptIDs(inputs.prompt)
      guard !ids.isEmpty else { throw ModelError.emptyPrompt }
      let limit = configuration.decoder.positionCount
      guard ids.count <= limit else {
        throw ModelError.promptTooLong(tokens: ids.count, limit: limit)
      }
      return ids
    }

    /// Reads a sequence `[T, E]` and writes what follows.
    public func write(
      after sequence: Tensor, promptIDs: [Int], options: GenerationOptions, trace: Trace,
      onStep: (GenerationStep) throws -> Void
    ) throws -> WrittenAnswer {
      var trace = trace
      let generated = try decoder.write(
        after: sequence, promptIDs: promptIDs, options: options, trace: &trace, onStep: onStep)
      let text = tokenizer.decode(generated.tokens, skipSpecialTokens: true)
      return WrittenAnswer(text: text, generated: generated, trace: trace)
    }

    /// Bytes of the keys and values of so many tokens in the decoder's cache.
    public func cacheByteCount(tokenCount: Int) -> Int {
      decoder.cacheByteCount(tokenCount: tokenCount)
    }

    /// The logits after a sequence and after each of `tokens` that follow it, `[N + 1, V]`.
    public func logits(
      after sequence: Tensor, tokens: [Int], isCancelled: @escaping @Sendable () -> Bool
    ) throws -> Tensor {
      try decoder.logits(after: sequence, tokens: tokens, isCancelled: isCancelled)
    }
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
      Tower(
        "language", blockCount: shape.blockCount, headCount: shape.block.attention.headCount,
        width: shape.width,
        attentions: [
          AttentionPlace(
            "language", at: "language.blocks.#.attention.pattern",
            blocks: Array(0..<shape.blockCount), queries: .text(after: 0), keys: .text(after: 0))
        ])
    ]
  }

  /// The two stages of a text.
  public var stages: [Stage] {
    let shape = configuration.decoder
    let sequence = "[T, \(shape.width)]"
    return [
      Stage(
        "assemble", "Cuts the text into tokens and looks each up in the embedding table.",
        from: "a text of T tokens", to: sequence, branch: .text
      ) { input, trace in
        try self.sequence(RunInputs(prompt: input.text), trace: &trace)
      },
      Stage(
        "decode", "Reads the sequence and gives the next token's logits, again and again.",
        from: sequence, to: "[1, \(shape.vocabularySize)]", branch: .text
      ) { input, trace in
        var state = decoder.start
        return try decoder.read(
          try input.tensor([nil, shape.width], for: "decode"), after: &state, trace: &trace)
      },
    ]
  }

  /// The module paths of transformers whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    LLaMA.publishedPlaces(of: address)
  }
}
