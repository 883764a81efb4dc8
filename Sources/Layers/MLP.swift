public import Checkpoints
public import Tensors
public import Tracing

/// Two linear layers with an activation between: each token alone, `[T, D]` in and out.
///
/// In the gated kind a third layer goes through the activation, and what the first gives is multiplied
/// by it (Shazeer 2020, arXiv:2002.05202).
public struct MLP: Sendable, Tapped {
  /// `[T, F]`: after the activation.
  public static let activated = Tap(
    "activated", .token, .channel, says: "The hidden channels after the activation.")
  /// `[T, F]`, of the gated kind: what is narrowed.
  public static let gated = Tap(
    "gated", .token, .channel, says: "The hidden channels times their gates.")
  /// `[T, D]`: what the layer gives.
  public static let output = Tap("output", .token, .channel, says: "The layer's result.")
  /// The taps, in the order a run passes them.
  public static let taps = [activated, gated, output]

  /// What an MLP is like.
  public struct Shape: Sendable, Equatable {
    /// Channels of a token.
    public var width: Int
    /// Channels inside.
    public var hiddenWidth: Int
    /// Channels that come out; nil for as many as go in.
    public var outputWidth: Int?
    /// The function inside.
    public var activation: Activation
    /// Whether a third layer makes gates.
    public var isGated = false
    /// Whether the layers have biases.
    public var hasBias = true

    /// A plain MLP with biases.
    public init(width: Int, hiddenWidth: Int, activation: Activation) {
      (self.width, self.hiddenWidth, self.activation) = (width, hiddenWidth, activation)
    }
  }

  let address: Address
  /// Widens `[T, D]` to `[T, F]`.
  public let up: Linear
  /// Makes the gates, `[T, D]` to `[T, F]`; nil in the plain kind.
  let gate: Linear?
  /// Narrows `[T, F]` to `[T, D]`.
  public let down: Linear
  let activation: Activation

  /// Reads `up`, `down` and, where it is gated, `gate` below `address`.
  public init(
    from weights: inout WeightReader, at address: Address, _ shape: Shape
  ) throws(CheckpointError) {
    (self.address, activation) = (address, shape.activation)
    gate =
      shape.isGated
      ? try Linear(
        from: &weights, at: address / "gate", inputs: shape.width, outputs: shape.hiddenWidth,
        hasBias: shape.hasBias) : nil
    up = try Linear(
      from: &weights, at: address / "up", inputs: shape.width, outputs: shape.hiddenWidth,
      hasBias: shape.hasBias)
    down = try Linear(
      from: &weights, at: address / "down", inputs: shape.hiddenWidth,
      outputs: shape.outputWidth ?? shape.width,
      hasBias: shape.hasBias)
  }

  /// Maps each row of `x`.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    var hidden = trace.pass(
      (gate ?? up)(x, activation: activation, trace: &trace), Self.activated, at: address)
    if gate != nil {
      hidden = trace.pass(hidden * up(x, trace: &trace), Self.gated, at: address)
    }
    return trace.pass(down(hidden, trace: &trace), Self.output, at: address)
  }
}
