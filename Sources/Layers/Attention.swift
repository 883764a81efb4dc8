public import Checkpoints
public import Tensors
public import Tracing

/// Multi-head attention: every query gathers from the keys' values.
///
/// Vaswani et al. 2017, arXiv:1706.03762.
///
/// Queries are `[Q, D]` and what they look at is `[T, S]`; the result is `[Q, D]`. In
/// self-attention both are the same tokens. `K = D / H` channels belong to each of `H` heads.
public struct Attention: Sendable, Tapped {
  /// `[H, Q, T]`, before softmax, masked entries at negative infinity.
  public static let scores = Tap(
    "scores", .head, .query, .key, says: "How well each query matches each key.")
  /// `[H, Q, T]`, each row sums to 1.
  public static let pattern = Tap(
    "pattern", .head, .query, .key, says: "Where each query looks: softmax of the scores.")
  /// `[Q, D]`: the values gathered by the pattern, heads side by side.
  public static let mixed = Tap(
    "mixed", .token, .channel, says: "The values that each query gathered.")
  /// `[Q, D]`: what the layer gives.
  public static let output = Tap("output", .token, .channel, says: "The layer's result.")
  /// The taps, in the order a run passes them.
  public static let taps = [scores, pattern, mixed, output]

  /// How queries, keys and values are made.
  enum Projections: Sendable {
    case separate(query: Linear, key: Linear, value: Linear)
    case fused(Linear)
  }

  let address: Address
  let projections: Projections
  let outputProjection: Linear
  /// How many heads share the channels.
  public let headCount: Int
  let width: Int

  /// Reads `query`, `key`, `value` (or one `qkv`) and `output_projection` below `address`.
  ///
  /// - Parameters:
  ///   - sourceWidth: channels of what is looked at; nil for self-attention.
  ///   - isFused: whether queries, keys and values are made by one layer.
  ///   - hasInputBias: whether the layers that make them have biases.
  /// - Precondition: `headCount` divides `width`; the configuration was validated.
  public init(
    from weights: inout WeightReader, at address: Address, width: Int, headCount: Int,
    sourceWidth: Int? = nil, isFused: Bool = false, hasInputBias: Bool = true
  ) throws(CheckpointError) {
    precondition(width.isMultiple(of: headCount), "\(address): \(width) / \(headCount) heads")
    (self.address, self.width, self.headCount) = (address, width, headCount)
    if isFused {
      projections = .fused(
        try Linear(
          from: &weights, at: address / "qkv", inputs: width, outputs: 3 * width,
          hasBias: hasInputBias))
    } else {
      let source = sourceWidth ?? width
      projections = .separate(
        query: try Linear(
          from: &weights, at: address / "query", inputs: width, outputs: width,
          hasBias: hasInputBias),
        key: try Linear(
          from: &weights, at: address / "key", inputs: source, outputs: width,
          hasBias: hasInputBias),
        value: try Linear(
          from: &weights, at: address / "value", inputs: source, outputs: width,
          hasBias: hasInputBias))
    }
    outputProjection = try Linear(
      from: &weights, at: address / "output_projection", inputs: width, outputs: width)
  }

  /// Runs the layer: `tokens` `[Q, D]` look at `source` `[T, S]`, or at themselves.
  ///
  /// - Parameters:
  ///   - mask: `[Q, T]`, added to the scores: 0 where a query may look, negative infinity elsewhere.
  ///   - cache: keys and values of earlier tokens; the new ones are added to it.
  public func callAsFunction(
    _ tokens: Tensor, source: Tensor? = nil, mask: Tensor? = nil, cache: inout KeyValues?,
    trace: inout Trace
  ) -> Tensor {
    let q, k, v: Channels  // [Q, D] and [T, D]
    switch projections {
    case .fused(let qkv):
      let all = qkv(tokens, trace: &trace)  // [Q, 3D]
      q = Channels(all, channels: 0..<width)
      k = Channels(all, channels: width..<2 * width)
      v = Channels(all, channels: 2 * width..<3 * width)
    case .separate(let query, let key, let value):
      q = Channels(query(tokens, trace: &trace))
      k = Channels(key(source ?? tokens, trace: &trace))
      v = Channels(value(source ?? tokens, trace: &trace))
    }
    let scale = 1 / Float(width / headCount).squareRoot()
    cache?.append(keys: k, values: v)
    let heads =
      cache.map {
        HeadAttention(queries: q, cache: $0, headCount: headCount, scale: scale, mask: mask)
      }
      ?? HeadAttention(
        queries: q, keys: k, values: v, headCount: headCount, scale: scale, mask: mask)
    let mixed = trace.pass(
      gathered(by: heads, trace: &trace), Self.mixed, at: address)  // [Q, D]
    return trace.pass(outputProjection(mixed, trace: &trace), Self.output, at: address)
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
      headCount: headCount, headWidth: width / headCount, type: isRounded ? .bfloat16 : .float32)
  }

  /// `[Q, T]`: the last `queryCount` of `tokenCount` tokens see themselves and what came before.
  public static func causalMask(queryCount: Int, tokenCount: Int) -> Tensor {
    let offset = tokenCount - queryCount
    var mask = [Float](repeating: 0, count: queryCount * tokenCount)
    for query in 0..<queryCount {
      for token in (offset + query + 1)..<max(tokenCount, offset + query + 1) {
        mask[query * tokenCount + token] = -.infinity
      }
    }
    return Tensor(mask, shape: [queryCount, tokenCount])
  }
}
