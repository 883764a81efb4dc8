internal import Checkpoints
internal import Layers
public import Tensors
public import Tracing

extension BLIP2 {
  /// The vision transformer: patches `[P, 3·p·p]` to tokens `[T, D]`, `T = P + 1`, class first.
  public struct VisionEncoder: Sendable, Tapped {
    /// `[T, D]`: patches, class token and positions added up, before the first block.
    public static let embedded = Tap(
      "output", .token, .channel, says: "Class token and patches with their positions added.")
    /// The encoder's own taps, in the order a run passes them.
    public static let taps = [embedded]

    let configuration: Configuration.Vision
    let patch: Linear
    let classToken: Tensor  // [1, D]
    /// `[T, D]`: what is added to each token for where it is, the class token first.
    public let positions: Tensor
    let blocks: [TransformerBlock]
    let norm: LayerNorm

    init(from weights: inout WeightReader, _ configuration: Configuration.Vision)
      throws(CheckpointError)
    {
      self.configuration = configuration
      let width = configuration.width
      let size = configuration.patchSize
      let root = Address("vision")
      let embedding = root / "embedding"
      let kernel = try weights.takeWeight(
        embedding / "patch" / "weight", shape: [width, 3, size, size])
      patch = Linear(
        weight: kernel.reshaped(to: [width, 3 * size * size]),
        bias: try weights.take(embedding / "patch" / "bias", shape: [width]).tensor,
        at: embedding / "patch")
      classToken = try weights.take(embedding / "class_token", shape: [1, 1, width]).tensor
        .reshaped(1, width)
      positions = try weights.take(
        embedding / "positions", shape: [1, configuration.tokenCount, width]
      ).tensor.reshaped(configuration.tokenCount, width)
      var blocks: [TransformerBlock] = []
      for index in 0..<configuration.blockCount {
        blocks.append(
          try TransformerBlock(
            from: &weights, at: root / "blocks" / index, width: width,
            hiddenWidth: configuration.hiddenWidth, headCount: configuration.headCount,
            activation: configuration.activation, epsilon: configuration.epsilon, isFused: true,
            hasInputBias: configuration.hasQKVBias))
      }
      self.blocks = blocks
      norm = try LayerNorm(
        from: &weights, at: root / "norm", width: width, epsilon: configuration.epsilon)
    }

    /// Patches `[P, 3·p·p]` to tokens `[T, D]`: one linear map, a class token, positions.
    public func embed(_ patches: Tensor, trace: inout Trace) -> Tensor {
      let embedded = patch(patches, trace: &trace)  // [P, D]
      let tokens = Tensor.concatenated([classToken, embedded]) + positions  // [T, D]
      return trace.pass(tokens, Self.embedded, at: Address("vision.embedding"))
    }

    /// Tokens `[T, D]` through all blocks and the last norm.
    public func encode(_ tokens: Tensor, trace: inout Trace) throws(Cancelled) -> Tensor {
      var x = tokens
      for block in blocks {
        try trace.checkCancellation()
        x = block(x, trace: &trace)
      }
      return norm(x, trace: &trace)
    }
  }
}
