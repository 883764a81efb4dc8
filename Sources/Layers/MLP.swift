public import Checkpoints
public import Tensors
public import Tracing

/// Two linear layers with an activation between: each token alone, `[T, D]` in and out.
public struct MLP: Sendable, Tapped {
  /// `[T, F]`: after the activation.
  public static let activated = Tap(
    "activated", .token, .channel, says: "The hidden channels after the activation.")
  /// `[T, D]`: what the layer gives.
  public static let output = Tap("output", .token, .channel, says: "The layer's result.")
  /// The taps, in the order a run passes them.
  public static let taps = [activated, output]

  let address: Address
  /// Widens `[T, D]` to `[T, F]`.
  public let up: Linear
  /// Narrows `[T, F]` to `[T, D]`.
  public let down: Linear
  let activation: Activation

  /// Reads `up` and `down` below `address`.
  public init(
    from weights: inout WeightReader, at address: Address, width: Int, hiddenWidth: Int,
    activation: Activation
  ) throws(CheckpointError) {
    (self.address, self.activation) = (address, activation)
    up = try Linear(from: &weights, at: address / "up", inputs: width, outputs: hiddenWidth)
    down = try Linear(from: &weights, at: address / "down", inputs: hiddenWidth, outputs: width)
  }

  /// Maps each row of `x`.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    let hidden = trace.pass(
      up(x, activation: activation, trace: &trace), Self.activated, at: address)
    return trace.pass(down(hidden, trace: &trace), Self.output, at: address)
  }
}
