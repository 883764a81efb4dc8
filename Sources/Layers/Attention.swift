public import Checkpoints
public import Tensors
public import Tracing

/// Multi-head attention: every query gathers from the keys' values.
///
/// Vaswani et al. 2017, arXiv:1706.03762.
///
/// Queries are `[Q, D]` and what they look at is `[T, S]`; the result is `[Q, D]`. In
/// self-attention both are the same tokens. `K` channels belong to each of `H` heads, of which
/// several may share one of `G` key heads (Ainslie et al. 2023, arXiv:2305.13245).
public struct Attention: Sendable, Tapped {
  /// `[H, Q, K]`: what each head asks with, turned by its position where there are rotary ones.
  public static let queries = Tap(
    "queries", .head, .token, .channel, says: "What each token asks for, by head.")
  /// `[G, T, K]`: what it is compared with, turned as well.
  public static let keys = Tap(
    "keys", .head, .token, .channel, says: "What each token is found by, by head.")
  /// `[G, T, K]`: what is gathered.
  public static let values = Tap(
    "values", .head, .token, .channel, says: "What each token has to give, by head.")
  /// `[H, Q, T]`, before softmax, masked entries at negative infinity.
  public static let scores = Tap(
    "scores", .head, .query, .key, says: "How well each query matches each key.")
  /// `[H, Q, T]`, each row sums to 1.
  public static let pattern = Tap(
    "pattern", .head, .query, .key, says: "Where each query looks: softmax of the scores.")
  /// `[Q, H·K]`: the values gathered by the pattern, heads side by side.
  public static let mixed = Tap(
    "mixed", .token, .channel, says: "The values that each query gathered.")
  /// `[Q, D]`: what the layer gives.
  public static let output = Tap("output", .token, .channel, says: "The layer's result.")
  /// The taps, in the order a run passes them.
  public static let taps = [queries, keys, values, scores, pattern, mixed, output]

  /// What an attention layer is like.
  public struct Shape: Sendable, Equatable {
    /// Channels of a token, `D`.
    public var width: Int
    /// Channels of what is looked at, `S`.
    public var sourceWidth: Int
    /// How many heads ask, `H`.
    public var headCount: Int
    /// How many heads are looked at, `G`, which divides `H`.
    public var keyHeadCount: Int
    /// Channels a head, `K`.
    public var headWidth: Int
    /// Whether the layers that make queries, keys and values have biases.
    public var hasInputBias = true
    /// Whether the layer that ends it has one.
    public var hasOutputBias = true
    /// Which layers make queries, keys and values.
    public var projections = Projections.separate

    /// Which layers make queries, keys and values.
    public enum Projections: Sendable {
      /// Three: `query`, `key` and `value`.
      case separate
      /// One, `qkv`: first all queries, then all keys, then all values.
      case fused
      /// One, `qkv`: head by head its query, its key and its value.
      case fusedByHead
    }

    /// Self-attention whose heads share the channels, each with keys of its own.
    public init(width: Int, headCount: Int) {
      (self.width, sourceWidth) = (width, width)
      (self.headCount, keyHeadCount) = (headCount, headCount)
      headWidth = width / headCount
    }

    /// Channels of all queries, `H·K`.
    public var queryWidth: Int { headCount * headWidth }
    /// Channels of all keys, `G·K`.
    public var keyWidth: Int { keyHeadCount * headWidth }
  }

  /// How queries, keys and values are made.
  enum Projections: Sendable {
    case separate(query: Linear, key: Linear, value: Linear)
    case fused(Linear)
  }

  let address: Address
  let projections: Projections
  let outputProjection: Linear
  /// What it is like.
  public let shape: Shape

  /// Reads `query`, `key`, `value` (or one `qkv`) and `output_projection` below `address`.
  ///
  /// - Precondition: key heads divide the heads; the configuration was validated.
  public init(
    from weights: inout WeightReader, at address: Address, _ shape: Shape
  ) throws(CheckpointError) {
    precondition(
      shape.headCount.isMultiple(of: shape.keyHeadCount),
      "\(address): \(shape.headCount) heads, \(shape.keyHeadCount) of keys")
    (self.address, self.shape) = (address, shape)
    func linear(
      _ name: String, _ inputs: Int, _ outputs: Int
    ) throws(CheckpointError) -> Linear {
      try Linear(
        from: &weights, at: address / name, inputs: inputs, outputs: outputs,
        hasBias: shape.hasInputBias)
    }
    projections =
      shape.projections == .separate
      ? .separate(
        query: try linear("query", shape.width, shape.queryWidth),
        key: try linear("key", shape.sourceWidth, shape.keyWidth),
        value: try linear("value", shape.sourceWidth, shape.keyWidth))
      : .fused(try linear("qkv", shape.width, shape.queryWidth + 2 * shape.keyWidth))
    outputProjection = try Linear(
      from: &weights, at: address / "output_projection", inputs: shape.queryWidth,
      outputs: shape.width, hasBias: shape.hasOutputBias)
  }

  /// Scores are divided by the root of a head's channels.
  var scale: Float { 1 / Float(shape.headWidth).squareRoot() }

  /// Runs the layer: `tokens` `[Q, D]` look at `source` `[T, S]`, or at themselves.
  ///
  /// - Parameters:
  ///   - values: `[T, S]`, what is gathered; `source`, unless it is something else than what is looked at.
  ///   - mask: `[Q, T]`, added to the scores: 0 where a query may look, negative infinity elsewhere.
  ///   - rotation: turns queries and keys, a row a token.
  ///   - cache: keys and values of earlier tokens; the new ones are added to it.
  public func callAsFunction(
    _ tokens: Tensor, source: Tensor? = nil, values: Tensor? = nil, mask: Tensor? = nil,
    rotation: Rotation? = nil, cache: inout KeyValues?, trace: inout Trace
  ) -> Tensor {
    var (q, k, v) = projected(tokens, source: source, values: values, trace: &trace)
    if let rotation {
      let turned = rotation(q, headCount: shape.headCount)
      q = Channels(rotation.queryGrowth.map { turned * $0 } ?? turned)
      k = Channels(rotation(k, headCount: shape.keyHeadCount))
    }
    q = pass(q, Self.queries, headCount: shape.headCount, trace: &trace)
    k = pass(k, Self.keys, headCount: shape.keyHeadCount, trace: &trace)
    v = pass(v, Self.values, headCount: shape.keyHeadCount, trace: &trace)
    cache?.append(keys: k, values: v)
    let heads =
      cache.map {
        HeadAttention(queries: q, cache: $0, headCount: shape.headCount, scale: scale, mask: mask)
      }
      ?? HeadAttention(
        queries: q, keys: k, values: v, headCount: shape.headCount,
        keyHeadCount: shape.keyHeadCount, scale: scale, mask: mask)
    let mixed = trace.pass(
      gathered(by: heads, trace: &trace), Self.mixed, at: address)  // [Q, H·K]
    return trace.pass(outputProjection(mixed, trace: &trace), Self.output, at: address)
  }

  /// Queries `[Q, H·K]`, keys and values `[T, G·K]`, where the layers put them.
  func projected(
    _ tokens: Tensor, source: Tensor? = nil, values: Tensor? = nil, trace: inout Trace
  ) -> (Channels, Channels, Channels) {
    let (q, k) = (shape.queryWidth, shape.keyWidth)
    let parts = [0..<q, q..<q + k, q + k..<q + 2 * k]
    switch projections {
    case .fused(let qkv):
      if let source {
        return (
          Channels(qkv(tokens, outputs: parts[0])), Channels(qkv(source, outputs: parts[1])),
          Channels(qkv(values ?? source, outputs: parts[2]))
        )
      }
      var all = qkv(tokens, trace: &trace)  // [Q, (H + 2G)·K]
      if shape.projections == .fusedByHead { all = gatheredByKind(all) }
      return (
        Channels(all, channels: parts[0]), Channels(all, channels: parts[1]),
        Channels(all, channels: parts[2])
      )
    case .separate(let query, let key, let value):
      let source = source ?? tokens
      return (
        Channels(query(tokens, trace: &trace)), Channels(key(source, trace: &trace)),
        Channels(value(values ?? source, trace: &trace))
      )
    }
  }

  /// Rows `[Q, H·3·K]`, head by head, with all queries first, then all keys, then all values.
  private func gatheredByKind(_ rows: Tensor) -> Tensor {
    let (count, heads, width) = (rows.shape[0], shape.headCount, shape.headWidth)
    return rows.reshaped(count, heads, 3, width).permuted(0, 2, 1, 3)
      .reshaped(count, 3 * heads * width)
  }

  /// Hands rows `[T, heads·K]` on by head, where somebody looks at them.
  private func pass(
    _ rows: Channels, _ tap: Tap, headCount: Int, trace: inout Trace
  ) -> Channels {
    let isChanged = trace.changes(tap, at: address)
    guard isChanged || trace.keeps(tap, at: address) else { return rows }
    let passed = trace.pass(rows.byHead(headCount), tap, at: address)  // [heads, T, K]
    guard isChanged else { return rows }
    return Channels(
      passed.permuted(1, 0, 2).reshaped(passed.shape[1], passed.shape[0] * passed.shape[2]))
  }

  /// What the heads gather: at once, or step by step where somebody changes a step.
  private func gathered(by heads: HeadAttention, trace: inout Trace) -> Tensor {
    if trace.changes(Self.scores, at: address) || trace.changes(Self.pattern, at: address) {
      let scores = trace.pass(heads.scores(), Self.scores, at: address)
      let pattern = trace.pass(scores.softmax(), Self.pattern, at: address)
      return heads.mixed(by: pattern)
    }
    let result = heads.attend(
      keepingScores: trace.keeps(Self.scores, at: address),
      keepingPattern: trace.keeps(Self.pattern, at: address))
    if let scores = result.scores { _ = trace.pass(scores, Self.scores, at: address) }
    if let pattern = result.pattern { _ = trace.pass(pattern, Self.pattern, at: address) }
    return result.mixed
  }

  /// Runs the layer without a cache.
  public func callAsFunction(
    _ tokens: Tensor, source: Tensor? = nil, mask: Tensor? = nil, trace: inout Trace
  ) -> Tensor {
    var none: KeyValues?
    return self(tokens, source: source, mask: mask, cache: &none, trace: &trace)
  }

  /// A cache of no tokens for this layer: of bfloat16 where its keys are computed in that.
  public var emptyCache: KeyValues {
    let key =
      switch projections {
      case .fused(let qkv): qkv
      case .separate(_, let key, _): key
      }
    let isRounded = Arithmetic.override == nil && key.weight.arithmetic == .bfloat16
    return KeyValues(
      headCount: shape.keyHeadCount, headWidth: shape.headWidth,
      type: isRounded ? .bfloat16 : .float32)
  }

  /// `[Q, T]`: the last `queryCount` of `tokenCount` tokens see themselves and what came before.
  ///
  /// - Parameter window: how many tokens each sees, itself included; nil for all.
  public static func causalMask(
    queryCount: Int, tokenCount: Int, window: Int? = nil
  ) -> Tensor {
    let offset = tokenCount - queryCount
    return unsafe Tensor.filled([queryCount, tokenCount]) { mask in
      unsafe mask.update(repeating: 0, count: queryCount * tokenCount)
      for query in 0..<queryCount {
        let place = offset + query
        let row = unsafe mask + query * tokenCount
        let unseen = window.map { max(0, place + 1 - $0) } ?? 0
        unsafe row.update(repeating: -.infinity, count: unseen)
        unsafe (row + place + 1).update(repeating: -.infinity, count: tokenCount - place - 1)
      }
    }
  }
}
