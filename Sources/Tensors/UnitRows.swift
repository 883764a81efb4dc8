extension Tensor {
  /// Each row of a matrix divided by its length, as `torch.nn.functional.normalize` does; a row of
  /// zeros stays one.
  public func unitRows() -> Tensor {
    let squares = (self * self).sum(axis: 1)  // [R]
    let lengths = squares.map { max($0.squareRoot(), 1e-12) }
    return self / lengths.reshaped(shape[0], 1)
  }
}
