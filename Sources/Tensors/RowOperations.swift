internal import CKernels

extension Tensor {
  /// Softmax over the last axis; a row of nothing but negative infinity becomes zeros.
  public func softmax() -> Tensor {
    let columns = shape.last ?? 1
    let kernel = Arithmetic.override == .float64 ? ck_softmax_double : ck_softmax
    return rowwise { x, out in kernel(x, out, count / max(1, columns), columns) }
  }

  /// Layer normalisation of the last axis, with the biased variance (Ba, Kiros, Hinton 2016).
  ///
  /// - Precondition: `scale` and `shift` have the last axis' length.
  public func layerNormalised(scale: Tensor, shift: Tensor, epsilon: Float) -> Tensor {
    let columns = shape.last ?? 1
    precondition(scale.count == columns && shift.count == columns)
    let kernel = Arithmetic.override == .float64 ? ck_layer_norm_double : ck_layer_norm
    return rowwise { x, out in
      kernel(
        x, scale.elements, shift.elements, epsilon, out, count / max(1, columns), columns)
    }
  }

  /// The exact Gaussian error linear unit, `x/2 · (1 + erf(x/√2))` (Hendrycks, Gimpel 2016).
  public func gelu() -> Tensor {
    let kernel = Arithmetic.override == .float64 ? ck_gelu_double : ck_gelu
    return rowwise { x, out in kernel(x, out, count) }
  }

  /// The quick approximation of it, `x · σ(1.702 x)`, that CLIP was trained with.
  public func quickGELU() -> Tensor {
    let kernel = Arithmetic.override == .float64 ? ck_quick_gelu_double : ck_quick_gelu
    return rowwise { x, out in kernel(x, out, count) }
  }

  /// Negative elements become 0; a NaN stays one.
  public func relu() -> Tensor { rowwise { x, out in ck_relu(x, out, count) } }

  private func rowwise(
    _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
  ) -> Tensor {
    let result = [Float](unsafeUninitializedCapacity: count) { out, initialised in
      elements.withUnsafeBufferPointer { x in
        if let x = x.baseAddress, let out = out.baseAddress, count > 0 { body(x, out) }
      }
      initialised = count
    }
    return Tensor(result, shape: shape)
  }
}
