internal import Checkpoints
internal import Layers
public import Tensors
public import Tracing

extension BLIP2 {
  /// The language model, OPT: a sequence of embeddings to the next token's logits.
  public struct LanguageDecoder: Sendable, Tapped {
    /// `[1, V]`: one number a token of the vocabulary, before softmax, at the last position.
    public static let logits = Tap(
      "output", .token, .vocabulary, says: "How likely each next token is, before softmax.")
    /// The decoder's own taps.
    public static let taps = [logits]

    /// What has been read so far: keys and values of every block.
    public struct State: Sendable {
      var caches: [KeyValues?]
      /// How many tokens have been read.
      public internal(set) var tokenCount: Int
    }

    let configuration: Configuration.Language
    let tokens: StoredTensor  // [V, E]
    let positions: StoredTensor  // [L + 2, E]
    let blocks: [TransformerBlock]
    let norm: LayerNorm
    let head: Linear

    /// OPT's position table starts with two rows that stand for no position.
    static let positionOffset = 2

    init(from weights: inout WeightReader, _ configuration: Configuration.Language)
      throws(CheckpointError)
    {
      self.configuration = configuration
      let root = Address("language")
      let width = configuration.width
      tokens = try weights.take(
        root / "tokens" / "weight", shape: [configuration.vocabularySize, width])
      positions = try weights.take(
        root / "positions" / "weight",
        shape: [configuration.positionCount + Self.positionOffset, width])
      var blocks: [TransformerBlock] = []
      for index in 0..<configuration.blockCount {
        blocks.append(
          try TransformerBlock(
            from: &weights, at: root / "blocks" / index, width: width,
            hiddenWidth: configuration.hiddenWidth, headCount: configuration.headCount,
            activation: configuration.activation, epsilon: 1e-5))
      }
      self.blocks = blocks
      norm = try LayerNorm(from: &weights, at: root / "norm", width: width, epsilon: 1e-5)
      // The head is the embedding table. Some files store it a second time.
      _ = try weights.takeIfPresent(
        root / "head" / "weight", shape: [configuration.vocabularySize, width])
      head = Linear(
        weight: try weights.takeWeight(
          root / "tokens" / "weight", shape: [configuration.vocabularySize, width]),
        bias: nil, at: root / "head")
    }

    /// The embeddings of token ids, `[T, E]`.
    ///
    /// - Throws: an id that the table has no row for.
    public func embed(_ ids: [Int], trace: inout Trace) throws(ModelError) -> Tensor {
      if let id = ids.first(where: { $0 < 0 || $0 >= configuration.vocabularySize }) {
        throw .unknownToken(id: id, rows: configuration.vocabularySize)
      }
      return trace.pass(tokens.rows(ids), Linear.output, at: Address("language.tokens"))
    }

    /// The state before anything was read.
    public var start: State {
      State(caches: blocks.map(\.attention.emptyCache), tokenCount: 0)
    }

    /// Reads `embeddings` `[T, E]` after what `state` has read, and gives the logits `[1, V]` that
    /// follow the last of them.
    ///
    /// - Throws: when the sequence is longer than the model has positions; when cancelled.
    public func read(
      _ embeddings: Tensor, after state: inout State, trace: inout Trace
    ) throws -> Tensor {
      let count = embeddings.shape[0]
      let total = state.tokenCount + count
      guard total <= configuration.positionCount else {
        throw ModelError.promptTooLong(tokens: total, limit: configuration.positionCount)
      }
      let places = (state.tokenCount..<total).map { $0 + Self.positionOffset }
      let positions = trace.pass(
        positions.rows(places), Linear.output, at: Address("language.positions"))
      var x = embeddings + positions  // [T, E]
      let mask = count > 1 ? Attention.causalMask(queryCount: count, tokenCount: total) : nil
      for (index, block) in blocks.enumerated() {
        try trace.checkCancellation()
        x = block(x, mask: mask, cache: &state.caches[index], trace: &trace)
      }
      state.tokenCount = total
      let last = norm(x, trace: &trace).rows(count - 1..<count)  // [1, E]
      return head(last, trace: &trace)  // [1, V]
    }
  }
}
