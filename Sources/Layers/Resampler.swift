public import Checkpoints
public import Tensors
public import Tracing

/// A resampler: learned queries, each with a place of its own in the picture, gather from a vision
/// tower's tokens in one attention layer: `[P, S]` to `[Q, D]`, whatever `P` is.
///
/// Bai et al. 2023, arXiv:2308.12966. Places are added to queries and keys and not to values; nothing is
/// added to what the attention gives.
public struct Resampler: Sendable, Tapped {
  /// `[Q, D]`: what the resampler gives.
  public static let output = Tap(
    "output", .query, .channel, says: "What each query gathered from the picture.")
  /// The resampler's own tap.
  public static let taps = [output]

  /// What a resampler is like.
  public struct Shape: Sendable, Equatable {
    /// Channels of a query.
    public var width: Int
    /// Channels of what is looked at.
    public var sourceWidth: Int
    /// Queries in a row of their grid.
    public var gridSize: Int
    /// Heads of the attention.
    public var headCount: Int
    /// What the norms add to the variance.
    public var epsilon: Float

    /// Takes the sizes.
    public init(width: Int, sourceWidth: Int, gridSize: Int, headCount: Int, epsilon: Float) {
      (self.width, self.sourceWidth) = (width, sourceWidth)
      (self.gridSize, self.headCount, self.epsilon) = (gridSize, headCount, epsilon)
    }

    /// How many queries there are.
    public var queryCount: Int { gridSize * gridSize }
  }

  /// What it is like.
  public let shape: Shape
  /// `[Q, D]`: the learned queries, the same for every picture.
  public let queries: Tensor
  /// The attention of queries on the picture's tokens.
  public let attention: Attention
  let positions: Tensor  // [Q, D]
  private var keyPositions: Tensor  // [P, D]
  let input: Linear
  let inputNorm, queryNorm: Norm

  private static let root = Address("resampler")

  /// Reads it below the address `resampler`, for pictures of `patchGridSize` patches in a row.
  public init(
    from weights: inout WeightReader, _ shape: Shape, patchGridSize: Int
  ) throws(CheckpointError) {
    self.shape = shape
    let (root, width) = (Self.root, shape.width)
    let table = [shape.queryCount, width]
    queries = try weights.take(root / "queries", shape: table).tensor
    positions = try weights.take(root / "positions", shape: table).tensor
    keyPositions = positions.positionTable(side: patchGridSize, leading: 0)
    input = try Linear(
      from: &weights, at: root / "input", inputs: shape.sourceWidth, outputs: width, hasBias: false)
    inputNorm = try Norm(
      from: &weights, at: root / "input_norm", width: width, epsilon: shape.epsilon)
    queryNorm = try Norm(
      from: &weights, at: root / "query_norm", width: width, epsilon: shape.epsilon)
    var looking = Attention.Shape(width: width, headCount: shape.headCount)
    looking.projections = .fused
    attention = try Attention(from: &weights, at: root / "attention", looking)
  }

  /// The same for pictures of another size: places are interpolated anew.
  public init(_ resampler: Resampler, patchGridSize: Int) {
    self = resampler
    keyPositions = positions.positionTable(side: patchGridSize, leading: 0)
  }

  /// The queries look at `tokens` `[P, S]`: `[Q, D]`.
  ///
  /// - Precondition: as many tokens as the grid that it was read for has patches.
  public func callAsFunction(_ tokens: Tensor, trace: inout Trace) -> Tensor {
    let seen = inputNorm(input(tokens, trace: &trace), trace: &trace)  // [P, D]
    let asked = queryNorm(queries, trace: &trace)  // [Q, D]
    var none: KeyValues?
    let gathered = attention(
      asked + positions, source: seen + keyPositions, values: seen, cache: &none, trace: &trace)
    return trace.pass(gathered, Self.output, at: Self.root)
  }
}
