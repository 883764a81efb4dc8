internal import CKernels

extension Tensor {
  /// Softmax over the last axis; a row of nothing but negative infinity becomes zeros.
  public func softmax() -> Tensor {
    let columns = shape.last ?? 1
    let isDouble = Arithmetic.override == .float64
    return banded(width: columns) { x, out, rows in
      isDouble ? ck_softmax_double(x, out, rows, columns) : ck_softmax(x, out, rows, columns)
    }
  }

  /// Layer normalisation of the last axis, with the biased variance (Ba, Kiros, Hinton 2016).
  ///
  /// - Precondition: `scale` and `shift` have the last axis' length.
  public func layerNormalised(scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
    let columns = shape.last ?? 1
    precondition(scale.count == columns && shift.count == columns)
    let isDouble = Arithmetic.override == .float64
    return banded(width: columns) { x, out, rows in
      let (scale, shift) = (scale.elements, shift.elements)
      if isDouble {
        ck_layer_norm_double(x, scale, shift, epsilon, out, rows, columns)
      } else {
        ck_layer_norm(x, scale, shift, epsilon, out, rows, columns)
      }
    }
  }

  /// Root mean square normalisation of the last axis (Zhang, Sennrich 2019, arXiv:1910.07467).
  ///
  /// - Precondition: `scale` has the last axis' length.
  public func rootMeanSquareNormalised(scale: Tensor, epsilon: Float) -> Tensor {
    let columns = shape.last ?? 1
    precondition(scale.count == columns)
    let isDouble = Arithmetic.override == .float64
    return banded(width: columns) { x, out, rows in
      isDouble
        ? ck_rms_norm_double(x, scale.elements, epsilon, out, rows, columns)
        : ck_rms_norm(x, scale.elements, epsilon, out, rows, columns)
    }
  }

  /// The exact Gaussian error linear unit, `x/2 · (1 + erf(x/√2))` (Hendrycks, Gimpel 2016).
  public func gelu() -> Tensor {
    let isDouble = Arithmetic.override == .float64
    return banded(width: 1) { x, out, count in
      isDouble ? ck_gelu_double(x, out, count) : ck_gelu(x, out, count)
    }
  }

  /// The quick approximation of it, `x · σ(1.702 x)`, that CLIP was trained with.
  public func quickGELU() -> Tensor {
    let isDouble = Arithmetic.override == .float64
    return banded(width: 1) { x, out, count in
      isDouble ? ck_quick_gelu_double(x, out, count) : ck_quick_gelu(x, out, count)
    }
  }

  /// The sigmoid linear unit, `x · σ(x)`, also called swish (Elfwing, Uchibe, Doya 2017).
  public func silu() -> Tensor {
    let isDouble = Arithmetic.override == .float64
    return banded(width: 1) { x, out, count in
      isDouble ? ck_silu_double(x, out, count) : ck_silu(x, out, count)
    }
  }

  /// The Gaussian error linear unit by a hyperbolic tangent,
  /// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
  public func tanhGELU() -> Tensor {
    let isDouble = Arithmetic.override == .float64
    return banded(width: 1) { x, out, count in
      isDouble ? ck_gelu_tanh_double(x, out, count) : ck_gelu_tanh(x, out, count)
    }
  }

  /// Negative elements become 0; a NaN stays one.
  public func relu() -> Tensor {
    banded(width: 1) { x, out, count in ck_relu(x, out, count) }
  }

  /// The sum of two tensors of one shape, element by element.
  func added(to other: Tensor) -> Tensor {
    precondition(shape == other.shape)
    return other.elements.withUnsafeBufferPointer { y in
      guard let y = y.baseAddress else { return self }
      let shared = Shared(pointer: y)
      return banded(width: 1) { x, out, count, first in
        ck_add(x, shared.pointer + first, out, count)
      }
    }
  }

  /// The product of two tensors of one shape, element by element.
  func multiplied(by other: Tensor) -> Tensor {
    precondition(shape == other.shape)
    return other.elements.withUnsafeBufferPointer { y in
      guard let y = y.baseAddress else { return self }
      let shared = Shared(pointer: y)
      return banded(width: 1) { x, out, count, first in
        ck_multiply_elements(x, shared.pointer + first, out, count)
      }
    }
  }

  private func banded(
    width: Int,
    _ body: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ rows: Int) -> Void
  ) -> Tensor {
    banded(width: width) { x, out, rows, _ in body(x, out, rows) }
  }

  /// Lets `body` write bands of rows of `width` elements, on several threads; it also gets the
  /// number of each band's first row.
  private func banded(
    width: Int,
    _ body:
      @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, _ rows: Int, _ first: Int) ->
      Void
  ) -> Tensor {
    let rows = count / max(1, width)
    // About as much as is worth waking a thread for.
    let band = max(1, 16384 / max(1, width))
    return Tensor.filled(shape) { out in
      elements.withUnsafeBufferPointer { x in
        guard let x = x.baseAddress else { return }
        let shared = Shared(pointer: (x, out))
        Parallelism.forEach((rows + band - 1) / band) { index in
          let (x, out) = shared.pointer
          let first = index * band
          body(x + first * width, out + first * width, min(band, rows - first), first)
        }
      }
    }
  }
}
