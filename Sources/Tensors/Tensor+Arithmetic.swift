internal import Budget

extension Tensor {
  /// The shape two shapes broadcast to by NumPy's rule, or nil where they do not fit.
  public static func broadcast(_ a: [Int], _ b: [Int]) -> [Int]? {
    let rank = max(a.count, b.count)
    var shape = [Int](repeating: 1, count: rank)
    for axis in 0..<rank {
      let x = axis < rank - a.count ? 1 : a[axis - (rank - a.count)]
      let y = axis < rank - b.count ? 1 : b[axis - (rank - b.count)]
      guard x == y || x == 1 || y == 1 else { return nil }
      shape[axis] = x == 1 ? y : x
    }
    return shape
  }

  /// The tensor repeated along axes of length 1 (and new leading ones) until it has `shape`.
  ///
  /// - Precondition: `shape` is what the tensor's shape broadcasts to.
  public func broadcast(to shape: [Int]) -> Tensor {
    if shape == self.shape { return self }
    let missing = shape.count - rank
    let own = rowMajorStrides
    let strides = shape.indices.map { axis in
      axis < missing || self.shape[axis - missing] == 1 ? 0 : own[axis - missing]
    }
    return Tensor(gather(shape: shape, strides: strides), shape: shape)
  }

  /// Combines two tensors element by element, broadcasting by NumPy's rule.
  ///
  /// - Precondition: the shapes broadcast.
  public func combined(
    with other: Tensor, _ operation: (Float, Float) -> Float
  ) -> Tensor {
    guard let shape = Tensor.broadcast(shape, other.shape) else {
      preconditionFailure("shapes \(self.shape) and \(other.shape) do not broadcast")
    }
    if isOutline || other.isOutline { return Tensor([], shape: shape) }
    // A single number is not repeated.
    if other.count == 1, shape == self.shape {
      let number = other.elements[0]
      return map { operation($0, number) }
    }
    if count == 1, shape == other.shape {
      let number = elements[0]
      return other.map { operation(number, $0) }
    }
    let a = broadcast(to: shape)
    let b = other.broadcast(to: shape)
    return Tensor.filled(shape) { out in
      a.elements.withUnsafeBufferPointer { x in
        b.elements.withUnsafeBufferPointer { y in
          Stop.parts(of: x.count) { part in
            for i in part { out[i] = operation(x[i], y[i]) }
          }
        }
      }
    }
  }

  /// Applies `operation` to every element.
  public func map(_ operation: (Float) -> Float) -> Tensor {
    Tensor.filled(shape) { out in
      elements.withUnsafeBufferPointer { x in
        Stop.parts(of: x.count) { part in
          for i in part { out[i] = operation(x[i]) }
        }
      }
    }
  }

  /// The sum, element by element.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    a.shape == b.shape ? a.added(to: b) : a.combined(with: b, +)
  }
  /// The difference, element by element.
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.combined(with: b, -) }
  /// The product, element by element.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    a.shape == b.shape ? a.multiplied(by: b) : a.combined(with: b, *)
  }
  /// The quotient, element by element.
  public static func / (a: Tensor, b: Tensor) -> Tensor { a.combined(with: b, /) }
  /// Every element times `factor`.
  public static func * (a: Tensor, factor: Float) -> Tensor { a.map { $0 * factor } }
  /// Every element with its sign changed.
  public static prefix func - (a: Tensor) -> Tensor { a.map { -$0 } }
}
