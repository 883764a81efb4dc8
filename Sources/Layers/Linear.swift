public import Checkpoints
public import Tensors
public import Tracing

/// A matrix product plus a bias: `[T, inputs]` in, `[T, outputs]` out.
///
/// The weight keeps the type it was stored in, and its place in the file.
public struct Linear: Sendable, Tapped {
  /// `[T, outputs]`: what the layer gives.
  public static let output = Tap("output", .token, .channel, says: "The layer's result.")
  /// The layer's one tap.
  public static let taps = [output]

  let address: Address
  /// `[outputs, inputs]`, as in the file.
  public let weight: StoredTensor
  /// `[outputs]`, if the layer has one.
  public let bias: Tensor?

  /// Reads `weight` `[outputs, inputs]` and, unless told otherwise, `bias` `[outputs]`.
  public init(
    from weights: inout WeightReader, at address: Address, inputs: Int, outputs: Int,
    hasBias: Bool = true
  ) throws(CheckpointError) {
    self.address = address
    weight = try weights.takeWeight(address / "weight", shape: [outputs, inputs])
    bias = hasBias ? try weights.take(address / "bias", shape: [outputs]).tensor : nil
  }

  /// A layer of weights that are read already, such as a convolution's or a tied table.
  public init(weight: StoredTensor, bias: Tensor?, at address: Address) {
    (self.weight, self.bias, self.address) = (weight, bias, address)
  }

  /// Maps each row of `x`.
  public func callAsFunction(_ x: Tensor, trace: inout Trace) -> Tensor {
    trace.pass(
      x.matmulTransposed(weight, bias: bias), Self.output, at: address, weight: weight)
  }

  /// Maps each row of `x` to some of the outputs alone, `[T, outputs.count]`; no tap is passed.
  func callAsFunction(_ x: Tensor, outputs: Range<Int>) -> Tensor {
    let part = bias.map { Tensor(Array($0.elements[outputs]), shape: [outputs.count]) }
    // Of weights in groups the rows do not lie one after the other.
    guard let rows = weight.rows(outputs) else {
      return x.matmulTransposed(weight, bias: bias).columns(outputs)
    }
    return x.matmulTransposed(rows, bias: part)
  }

  /// Maps each row of `x` and applies `activation` to the result; in one go, to the same bits,
  /// where nobody looks at what lies between.
  func callAsFunction(_ x: Tensor, activation: Activation, trace: inout Trace) -> Tensor {
    guard !trace.keeps(Self.output, at: address),
      !trace.changes(Self.output, at: address)
    else { return activation(self(x, trace: &trace)) }
    return x.matmulTransposed(weight, bias: bias, activation: activation.pointwise)
  }
}
