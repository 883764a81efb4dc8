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
  ///
  /// Where nobody looks at what lies between, many rows are taken in parts: each row is mapped alone, so the
  /// bits are the same, and the hidden channels of all rows are never held at once.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    let count = x.shape[0]
    guard count > Self.partCount, !isWatched(by: trace) else {
      return trace.pass(mapped(x, trace: &trace), Self.output, at: address)
    }
    var parts: [Tensor] = []
    for start in stride(from: 0, to: count, by: Self.partCount) {
      parts.append(mapped(x.rows(start..<min(count, start + Self.partCount)), trace: &trace))
    }
    return trace.pass(Tensor.concatenated(parts), Self.output, at: address)
  }

  /// Rows that are mapped at once; of gates, hidden channels and their product each has as many.
  private static let partCount = 1024

  /// Whether somebody keeps or changes what passes inside.
  private func isWatched(by trace: Trace) -> Bool {
    func isWatched(_ tap: Tap, _ place: Address) -> Bool {
      trace.keeps(tap, at: place) || trace.changes(tap, at: place)
    }
    return isWatched(Self.activated, address) || isWatched(Self.gated, address)
      || [up, gate, down].compactMap { $0?.address }.contains { isWatched(Linear.output, $0) }
  }

  private func mapped(_ x: Tensor, trace: inout Trace) -> Tensor {
    var hidden = trace.pass(
      (gate ?? up)(x, activation: activation, trace: &trace), Self.activated, at: address)
    if gate != nil {
      hidden = trace.pass(hidden * up(x, trace: &trace), Self.gated, at: address)
    }
    return down(hidden, trace: &trace)
  }
}
