internal import Budget
public import Checkpoints
public import Tensors
public import Tracing

/// A vision transformer: patches `[P, 3·p·p]` to tokens `[T, D]`: the class token, where there is one,
/// then the patches'.
///
/// Dosovitskiy et al. 2020, arXiv:2010.11929. What differs between families is a switch in `Sizes`.
public struct VisionTransformer: Sendable, Tapped {
  /// `[T, D]`: patches, class token and positions added up.
  public static let embedded = Tap(
    "output", .token, .channel, says: "Class token and patches with their positions added.")
  /// The tower's own taps, in the order a run passes them.
  public static let taps = [embedded]

  /// How large it is, and which of the published variants.
  public struct Sizes: Sendable, Equatable {
    /// Channels of a token.
    public var width: Int
    /// Channels inside an MLP.
    public var hiddenWidth: Int
    /// How many blocks there are.
    public var blockCount: Int
    /// Heads of each attention.
    public var headCount: Int
    /// Width and height of the picture, in pixels.
    public var imageSize: Int
    /// Width and height of a patch, in pixels.
    public var patchSize: Int
    /// What layer normalisation adds to the variance.
    public var epsilon: Float
    /// The function inside an MLP.
    public var activation: Activation
    /// Whether queries, keys and values have biases.
    public var hasInputBias = true
    /// Which layers make queries, keys and values.
    public var projections = Attention.Shape.Projections.separate
    /// Whether a norm stands before the first block.
    ///
    /// In that variant patches have no bias, positions
    /// are a module of their own, and the last norm is left to who takes the class token.
    public var hasFirstNorm = false
    /// Whether a norm stands behind the last block.
    public var hasLastNorm = true
    /// Whether a class token goes before the patches.
    public var hasClassToken = true
    /// Patches in a row of the grid whose positions are stored, where they are interpolated; nil where
    /// it is the picture's own.
    public var storedGridSize: Int?

    /// Takes the sizes.
    public init(
      width: Int, hiddenWidth: Int, blockCount: Int, headCount: Int, imageSize: Int,
      patchSize: Int, epsilon: Float, activation: Activation
    ) {
      (self.width, self.hiddenWidth) = (width, hiddenWidth)
      (self.blockCount, self.headCount) = (blockCount, headCount)
      (self.imageSize, self.patchSize) = (imageSize, patchSize)
      (self.epsilon, self.activation) = (epsilon, activation)
    }

    /// What a block is like.
    var block: TransformerBlock.Shape {
      var attention = Attention.Shape(width: width, headCount: headCount)
      (attention.hasInputBias, attention.projections) = (hasInputBias, projections)
      return TransformerBlock.Shape(
        attention: attention,
        mlp: MLP.Shape(width: width, hiddenWidth: hiddenWidth, activation: activation),
        epsilon: epsilon)
    }

    /// Patches in a row, and rows of patches.
    public var gridSize: Int { imageSize / patchSize }
    /// How many tokens stand before that of the first patch.
    public var leadingTokenCount: Int { hasClassToken ? 1 : 0 }
    /// The class token, where there is one, and the patches.
    public var tokenCount: Int { gridSize * gridSize + leadingTokenCount }
  }

  /// How large it is.
  public let sizes: Sizes
  let patch: Linear
  let classToken: Tensor?  // [1, D]
  /// `[T, D]`: what is added to each token for where it is, the class token's first.
  public let positions: Tensor
  /// The same as stored, for the size of pictures that the checkpoint is made for.
  private let storedPositions: Tensor
  let firstNorm: Norm?
  /// The blocks, in the order of a run.
  public let blocks: [TransformerBlock]
  /// The norm after the last block; of all tokens, or, where a norm stands first, of the class token alone.
  ///
  /// Nil in a tower that leaves it to what follows.
  public let norm: Norm?

  private static let root = Address("vision")
  private static var embedding: Address { root / "embedding" }

  /// Reads the tower below the address `vision`.
  ///
  /// - Precondition: the sizes were validated.
  public init(from weights: inout WeightReader, _ sizes: Sizes) throws(CheckpointError) {
    self.sizes = sizes
    let (width, size, embedding) = (sizes.width, sizes.patchSize, Self.embedding)
    let kernel = try weights.takeWeight(
      embedding / "patch" / "weight", shape: [width, 3, size, size])
    patch = Linear(
      weight: kernel.reshaped(to: [width, 3 * size * size]),
      bias: sizes.hasFirstNorm
        ? nil : try weights.take(embedding / "patch" / "bias", shape: [width]).tensor,
      at: embedding / "patch")
    let isModule = sizes.hasFirstNorm && sizes.hasClassToken
    classToken =
      sizes.hasClassToken
      ? try weights.take(
        embedding / "class_token", shape: isModule ? [width] : [1, 1, width]
      ).tensor.reshaped(1, width) : nil
    if let side = sizes.storedGridSize {
      let rows = side * side + sizes.leadingTokenCount
      storedPositions = try weights.take(embedding / "positions", shape: [rows, width]).tensor
    } else if isModule {
      storedPositions = try weights.take(
        embedding / "positions" / "weight", shape: [sizes.tokenCount, width]
      ).tensor
    } else {
      storedPositions = try weights.take(
        embedding / "positions", shape: [1, sizes.tokenCount, width]
      ).tensor.reshaped(sizes.tokenCount, width)
    }
    positions = storedPositions.positionTable(
      side: sizes.gridSize, leading: sizes.leadingTokenCount)
    firstNorm =
      sizes.hasFirstNorm
      ? try Norm(
        from: &weights, at: Self.root / "first_norm", width: width, epsilon: sizes.epsilon) : nil
    blocks = try TransformerBlock.read(
      sizes.blockCount, from: &weights, below: Self.root / "blocks", sizes.block)
    norm =
      sizes.hasLastNorm
      ? try Norm(from: &weights, at: Self.root / "norm", width: width, epsilon: sizes.epsilon) : nil
  }

  /// The same tower for pictures of another size: its stored positions are interpolated.
  ///
  /// - Precondition: `imageSize` holds at least one patch.
  public init(_ tower: VisionTransformer, imageSize: Int) {
    var sizes = tower.sizes
    sizes.imageSize = imageSize
    self.sizes = sizes
    (patch, classToken, firstNorm) = (tower.patch, tower.classToken, tower.firstNorm)
    (blocks, norm) = (tower.blocks, tower.norm)
    storedPositions = tower.storedPositions
    positions = storedPositions.positionTable(
      side: sizes.gridSize, leading: sizes.leadingTokenCount)
  }

  /// Patches `[P, 3·p·p]` to tokens `[T, D]`: one linear map, a class token, positions.
  ///
  /// - Parameter places: the row of the table of positions of each token; nil for all of them in order.
  public func embed(_ patches: Tensor, at places: [Int]? = nil, trace: inout Trace) -> Tensor {
    let embedded = patch(patches, trace: &trace)  // [P, D]
    // A module of their own in these variants, and a bare parameter elsewhere.
    let isModule = places != nil || (sizes.hasFirstNorm && sizes.hasClassToken)
    let own = places.map { self.positions(at: $0) } ?? self.positions
    let positions =
      isModule ? trace.pass(own, Linear.output, at: Self.embedding / "positions") : own
    let tokens = placed(embedded, on: positions)  // [T, D]
    let placed = trace.pass(tokens, Self.embedded, at: Self.embedding)
    return firstNorm?(placed, trace: &trace) ?? placed
  }

  /// `[P, D]`: some rows of the table of positions.
  public func positions(at places: [Int]) -> Tensor {
    let width = sizes.width
    return unsafe Tensor.filled([places.count, width]) { out in
      for (row, place) in places.enumerated() {
        for channel in 0..<width {
          unsafe out[row * width + channel] = positions.elements[place * width + channel]
        }
      }
    }
  }

  /// The class token, where there is one, and patches `[P, D]`, each with its position added.
  private func placed(_ patches: Tensor, on positions: Tensor) -> Tensor {
    (classToken.map { Tensor.concatenated([$0, patches]) } ?? patches) + positions
  }

  /// Several pictures' patches, `[N·P, 3·p·p]`, to all their tokens, `[N·T, D]`.
  ///
  /// Each linear layer takes the rows of all in one product. No tap is passed.
  ///
  /// - Parameter isCancelled: asked between blocks; the run stops where it answers true.
  public func encode(
    batch patches: Tensor, count: Int, isCancelled: () -> Bool = { false }
  ) throws(Cancelled) -> Tensor {
    var trace = Trace.nothing
    let tokenCount = sizes.tokenCount
    let patchCount = tokenCount - sizes.leadingTokenCount
    let embedded = patch(patches, trace: &trace)  // [N·P, D]
    let tokens = (0..<count).map { index in
      placed(embedded.rows(index * patchCount..<(index + 1) * patchCount), on: positions)
    }
    var x = Tensor.concatenated(tokens)  // [N·T, D]
    if let firstNorm { x = firstNorm(x, trace: &trace) }
    let counts = [Int](repeating: tokenCount, count: count)
    for block in blocks {
      if isCancelled() || Stop.isRequested { throw Cancelled() }
      x = block(batch: x, counts: counts)
    }
    let seen = sizes.hasFirstNorm ? x : norm?(x, trace: &trace) ?? x
    if isCancelled() || Stop.isRequested { throw Cancelled() }
    return seen
  }
}
