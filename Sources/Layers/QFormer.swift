public import Checkpoints
public import Tensors
public import Tracing

/// The querying transformer: learned queries look at the picture's tokens and gather from them.
public struct QFormer: Sendable, Tapped {
  /// `[L, D]`: words and positions of a text, added up.
  public static let text = Tap(
    "output", .token, .channel, says: "The text's words with their positions added.")
  /// The Q-Former's own taps.
  public static let taps = [text]

  /// The table of words and positions that a retrieval checkpoint reads text with.
  struct TextEmbedding: Sendable {
    let words: StoredTensor  // [V, D]
    let positions: StoredTensor  // [L, D]
  }

  /// What a querying transformer is like.
  public struct Shape: Sendable, Equatable {
    /// Channels of a query.
    public var width: Int
    /// Channels inside an MLP.
    public var hiddenWidth: Int
    /// How many blocks there are.
    public var blockCount: Int
    /// Heads of each attention.
    public var headCount: Int
    /// Every so many blocks, from the first on, the queries look at the picture.
    public var crossAttentionFrequency: Int
    /// Rows of the text embedding table, where the checkpoint has one.
    public var vocabularySize: Int
    /// Rows of the text position table, where the checkpoint has one.
    public var positionCount: Int
    /// Whether it reads text.
    public var readsText: Bool
    /// What layer normalisation adds to the variance.
    public var epsilon: Float
    /// The function inside an MLP.
    public var activation: Activation

    /// Takes the sizes.
    public init(
      width: Int, hiddenWidth: Int, blockCount: Int, headCount: Int,
      crossAttentionFrequency: Int, vocabularySize: Int, positionCount: Int, readsText: Bool,
      epsilon: Float, activation: Activation
    ) {
      (self.width, self.hiddenWidth) = (width, hiddenWidth)
      (self.blockCount, self.headCount) = (blockCount, headCount)
      self.crossAttentionFrequency = crossAttentionFrequency
      (self.vocabularySize, self.positionCount) = (vocabularySize, positionCount)
      (self.readsText, self.epsilon, self.activation) = (readsText, epsilon, activation)
    }

    /// Whether the queries of block `index` look at the picture.
    public func looksAtImage(block index: Int) -> Bool {
      index.isMultiple(of: crossAttentionFrequency)
    }
  }

  /// What it is like.
  public let shape: Shape
  /// `[Q, D]`: the learned queries, the same for every picture.
  public let queries: Tensor
  /// What normalises queries and words before the first block.
  public let norm: Norm
  /// The blocks, in the order of a run.
  public let blocks: [QFormerBlock]
  let textEmbedding: TextEmbedding?

  /// Reads it below the address `qformer`.
  ///
  /// - Precondition: the sizes were validated.
  public init(
    from weights: inout WeightReader, _ shape: Shape, queryCount: Int,
    imageWidth: Int
  ) throws(CheckpointError) {
    self.shape = shape
    let root = Address("qformer")
    let width = shape.width
    queries = try weights.take(root / "queries", shape: [1, queryCount, width]).tensor
      .reshaped(queryCount, width)
    norm = try Norm(
      from: &weights, at: root / "norm", width: width, epsilon: shape.epsilon)
    if shape.readsText {
      textEmbedding = TextEmbedding(
        words: try weights.take(
          root / "text" / "words" / "weight", shape: [shape.vocabularySize, width]),
        positions: try weights.take(
          root / "text" / "positions" / "weight", shape: [shape.positionCount, width]))
    } else {
      textEmbedding = nil
    }
    var blocks: [QFormerBlock] = []
    for index in 0..<shape.blockCount {
      blocks.append(
        try QFormerBlock(
          from: &weights, at: root / "blocks" / index, shape, imageWidth: imageWidth,
          looksAtImage: shape.looksAtImage(block: index)))
    }
    self.blocks = blocks
  }

  /// The queries look at `image` `[T, S]`: `[Q, D]`.
  public func query(_ image: Tensor, trace: inout Trace) throws(Cancelled) -> Tensor {
    try run(
      norm(queries, trace: &trace), queryCount: queries.shape[0], image: image,
      mask: nil, trace: &trace)
  }

  /// Queries and text together, the queries looking at `image` `[T, S]`: `[Q + L, D]`.
  ///
  /// - Precondition: the checkpoint reads text; ids and length were checked.
  public func queryWithText(
    _ image: Tensor, ids: [Int], padding: [Bool], trace: inout Trace
  ) throws(Cancelled) -> Tensor {
    let embedded = Tensor.concatenated([queries, embed(ids, trace: &trace)])
    let joined = trace.pass(embedded, Self.text, at: Address("qformer.text"))
    let mask = Self.mask(visible: [Bool](repeating: true, count: queries.shape[0]) + padding)
    return try run(
      norm(joined, trace: &trace), queryCount: queries.shape[0], image: image, mask: mask,
      trace: &trace)
  }

  /// Text alone: `[L, D]`.
  ///
  /// - Precondition: the checkpoint reads text; ids and length were checked.
  public func read(ids: [Int], padding: [Bool], trace: inout Trace) throws(Cancelled) -> Tensor {
    let embedded = trace.pass(
      embed(ids, trace: &trace), Self.text, at: Address("qformer.text"))
    return try run(
      norm(embedded, trace: &trace), queryCount: 0, image: nil, mask: Self.mask(visible: padding),
      trace: &trace)
  }

  private func run(
    _ start: Tensor, queryCount: Int, image: Tensor?, mask: Tensor?, trace: inout Trace
  ) throws(Cancelled) -> Tensor {
    var x = start
    for block in blocks {
      try trace.checkCancellation()
      x = block(x, queryCount: queryCount, image: image, mask: mask, trace: &trace)
    }
    return x
  }

  private func embed(_ ids: [Int], trace: inout Trace) -> Tensor {
    guard let textEmbedding else {
      preconditionFailure("text was given to a Q-Former that reads none")
    }
    let words = trace.pass(
      textEmbedding.words.rows(ids), Linear.output, at: Address("qformer.text.words"))
    let positions = trace.pass(
      textEmbedding.positions.rows(Array(ids.indices)), Linear.output,
      at: Address("qformer.text.positions"))
    return words + positions  // [L, D]
  }

  /// `[1, T]`: every query may look where `visible` is true.
  private static func mask(visible: [Bool]) -> Tensor? {
    if visible.allSatisfy({ $0 }) { return nil }
    return Tensor(visible.map { $0 ? 0 : -.infinity }, shape: [1, visible.count])
  }
}
