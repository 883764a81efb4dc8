internal import Budget
internal import Checkpoints
internal import Layers
internal import Tensors
public import Tracing

extension CLIP {
  /// The text transformer: token ids to `[T, D]`; every token sees itself and those before it.
  public struct TextEncoder: Sendable, Tapped {
    /// `[T, D]`: words and positions added up.
    public static let embedded = Tap(
      "output", .token, .channel, says: "The text's tokens with their positions added.")
    /// The tower's own taps.
    public static let taps = [embedded]

    let configuration: Configuration.Text
    let tokens: StoredTensor  // [V, D]
    let positions: StoredTensor  // [L, D]
    let blocks: [TransformerBlock]
    let norm: Norm

    private static let root = Address("text")
    private static var embedding: Address { root / "embedding" }

    init(
      from weights: inout WeightReader, _ configuration: Configuration.Text,
      _ projections: Attention.Shape.Projections
    ) throws(CheckpointError) {
      self.configuration = configuration
      let width = configuration.width
      tokens = try weights.take(
        Self.embedding / "tokens" / "weight", shape: [configuration.vocabularySize, width])
      positions = try weights.take(
        Self.embedding / "positions" / "weight", shape: [configuration.positionCount, width])
      var attention = Attention.Shape(width: width, headCount: configuration.headCount)
      attention.projections = projections
      blocks = try TransformerBlock.read(
        configuration.blockCount, from: &weights, below: Self.root / "blocks",
        TransformerBlock.Shape(
          attention: attention,
          mlp: MLP.Shape(
            width: width, hiddenWidth: configuration.hiddenWidth,
            activation: configuration.activation), epsilon: configuration.epsilon))
      norm = try Norm(
        from: &weights, at: Self.root / "norm", width: width, epsilon: configuration.epsilon)
    }

    /// The tokens of ids that were checked, with their positions: `[T, D]`.
    func embed(_ ids: [Int], trace: inout Trace) -> Tensor {
      let words = trace.pass(
        tokens.rows(ids), Linear.output, at: Self.embedding / "tokens")
      let places = trace.pass(
        positions.rows(Array(ids.indices)), Linear.output, at: Self.embedding / "positions")
      return trace.pass(words + places, Self.embedded, at: Self.embedding)
    }

    /// Reads several texts, their rows under each other: `[ΣT, D]`.
    ///
    /// Each linear layer takes the rows of all in one product. No tap is passed.
    func read(batch texts: [[Int]], isCancelled: () -> Bool) throws(Cancelled) -> Tensor {
      var trace = Trace.nothing
      var x =
        tokens.rows(texts.flatMap { $0 })
        + positions.rows(texts.flatMap { Array($0.indices) })  // [ΣT, D]
      let counts = texts.map(\.count)
      for block in blocks {
        if isCancelled() || Stop.isRequested { throw Cancelled() }
        x = block(batch: x, counts: counts) { Self.mask($0, visible: $0) }
      }
      let read = norm(x, trace: &trace)
      if Stop.isRequested { throw Cancelled() }
      return read
    }

    /// The position that stands for the text.
    func pooledPosition(of ids: [Int]) -> Int {
      switch configuration.pooling {
      case .highestID: ids.indices.max { ids[$0] < ids[$1] || (ids[$0] == ids[$1] && $0 > $1) } ?? 0
      case .token(let end): ids.firstIndex(of: end) ?? 0
      }
    }

    /// `[T, T]`: each of `count` tokens sees itself and those before it, of the first `visible`: what
    /// follows only fills a batch up.
    static func mask(_ count: Int, visible: Int) -> Tensor {
      let causal = Attention.causalMask(queryCount: count, tokenCount: count)
      guard visible < count else { return causal }
      return causal
        + Tensor(
          (0..<count).map { $0 < visible ? 0 : -.infinity }, shape: [1, count])
    }
  }
}
