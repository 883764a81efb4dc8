public import Tensors

/// The function between the two halves of an MLP, under the name configurations give it.
public enum Activation: String, Sendable, CaseIterable {
  /// `x/2 · (1 + erf(x/√2))`.
  case gelu
  /// The same by a hyperbolic tangent.
  case tanhGELU = "gelu_pytorch_tanh"
  /// `x · σ(1.702 x)`, an approximation of the other.
  case quickGELU = "quick_gelu"
  /// `max(x, 0)`.
  case relu
  /// `x · σ(x)`.
  case silu

  /// Applies the function to every element.
  public func callAsFunction(_ x: Tensor) -> Tensor { pointwise(x) }

  /// The function as a product applies it.
  var pointwise: Pointwise {
    switch self {
    case .gelu: .gelu
    case .tanhGELU: .tanhGELU
    case .quickGELU: .quickGELU
    case .relu: .relu
    case .silu: .silu
    }
  }
}
