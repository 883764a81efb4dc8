internal import Budget

/// A dense row-major array of 32-bit floats: a value, like an array.
public struct Tensor: Sendable, Equatable {
  /// The length of each axis, outermost first; empty for a single number.
  public let shape: [Int]
  /// Every element, the last axis varying fastest.
  public let elements: [Float]

  /// Gives `elements` a shape.
  ///
  /// - Precondition: there are exactly as many as `shape` holds.
  public init(_ elements: [Float], shape: [Int]) {
    precondition(
      elements.count == shape.reduce(1, *) || elements.isEmpty && ShapesAlone.isOn,
      "\(elements.count) elements do not fill \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// A tensor of one repeated number.
  public init(repeating number: Float, shape: [Int]) {
    self = Tensor.filled(shape) { out in
      Stop.parts(of: shape.reduce(1, *)) { part in
        (out + part.lowerBound).update(repeating: number, count: part.count)
      }
    }
  }

  /// A single number, of shape `[]`.
  public init(_ number: Float) { self.init([number], shape: []) }

  /// How many axes there are.
  public var rank: Int { shape.count }
  /// How many elements there are.
  public var count: Int { elements.isEmpty ? shape.reduce(1, *) : elements.count }

  /// The element at one index an axis; NaN where only the shape is known.
  ///
  /// - Precondition: as many indices as axes, each from 0 to below the axis' length.
  public subscript(_ indices: Int...) -> Float {
    precondition(indices.count == rank, "\(indices.count) indices for shape \(shape)")
    var offset = 0
    for (index, length) in zip(indices, shape) {
      precondition(index >= 0 && index < length, "index \(indices) outside \(shape)")
      offset = offset * length + index
    }
    return isOutline ? .nan : elements[offset]
  }

  /// The same elements under another shape of as many elements.
  public func reshaped(_ shape: Int...) -> Tensor { reshaped(to: shape) }

  /// The same elements under another shape of as many elements.
  public func reshaped(to shape: [Int]) -> Tensor { Tensor(elements, shape: shape) }

  /// Makes the axes follow in the order `axes`; `permuted(1, 0)` transposes a matrix.
  ///
  /// - Precondition: `axes` names every axis once.
  public func permuted(_ axes: Int...) -> Tensor { permuted(by: axes) }

  /// Makes the axes follow in the order `axes`.
  ///
  /// - Precondition: `axes` names every axis once.
  public func permuted(by axes: [Int]) -> Tensor {
    precondition(axes.sorted() == Array(0..<rank), "\(axes) is no order of \(rank) axes")
    let strides = rowMajorStrides
    let newShape = axes.map { shape[$0] }
    return Tensor(gather(shape: newShape, strides: axes.map { strides[$0] }), shape: newShape)
  }

  /// Swaps the last two axes.
  public func transposed() -> Tensor {
    precondition(rank >= 2, "shape \(shape) has no two axes to swap")
    return permuted(by: Array(0..<rank - 2) + [rank - 1, rank - 2])
  }

  /// The part of the first axis in `range`: rows of a matrix.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(rank >= 1 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let width = shape.dropFirst().reduce(1, *)
    return Tensor.filled([range.count] + shape.dropFirst()) { out in
      elements.withUnsafeBufferPointer {
        Self.copy($0[(range.lowerBound * width)..<(range.upperBound * width)], to: out)
      }
    }
  }

  /// Entry `index` of the first axis, without that axis.
  public func row(_ index: Int) -> Tensor {
    rows(index..<index + 1).reshaped(to: Array(shape.dropFirst()))
  }

  /// Joins tensors along the first axis.
  ///
  /// - Precondition: at least one, all alike but for the first axis.
  public static func concatenated(_ tensors: [Tensor]) -> Tensor {
    let rest = Array(tensors[0].shape.dropFirst())
    precondition(tensors.allSatisfy { Array($0.shape.dropFirst()) == rest })
    return Tensor.filled([tensors.reduce(0) { $0 + $1.shape[0] }] + rest) { out in
      var start = out
      for tensor in tensors {
        tensor.elements.withUnsafeBufferPointer { Self.copy($0[...], to: start) }
        start += tensor.count
      }
    }
  }

  /// Copies part by part, as long as nobody asks to stop.
  private static func copy(
    _ source: Slice<UnsafeBufferPointer<Float>>, to out: UnsafeMutablePointer<Float>
  ) {
    guard let start = UnsafeBufferPointer(rebasing: source).baseAddress else { return }
    Stop.parts(of: source.count) { part in
      (out + part.lowerBound).update(from: start + part.lowerBound, count: part.count)
    }
  }

  /// How far apart neighbours on each axis lie in `elements`.
  package var rowMajorStrides: [Int] {
    var strides = [Int](repeating: 1, count: rank)
    for axis in stride(from: rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * shape[axis + 1]
    }
    return strides
  }

  /// Reads `shape` elements, stepping through the storage by `strides` from `start`.
  package func gather(shape: [Int], strides: [Int], start: Int = 0) -> [Float] {
    let total = shape.reduce(1, *)
    guard total > 0, !isOutline else { return [] }
    guard let inner = shape.last, let step = strides.last else { return [elements[start]] }
    return [Float](unsafeUninitializedCapacity: total) { out, initialised in
      var index = [Int](repeating: 0, count: shape.count)
      var offset = start
      var (written, asked) = (0, 0)
      let stop = Stop.current
      elements.withUnsafeBufferPointer { source in
        while written < total {
          if inner < 1 << 18 {
            for i in 0..<inner { out[written + i] = source[offset + i * step] }
          } else {
            Stop.parts(of: inner) { part in
              for i in part { out[written + i] = source[offset + i * step] }
            }
          }
          written += inner
          if written - asked >= 1 << 18 {
            if stop?.isRequested == true { break }
            asked = written
          }
          var axis = shape.count - 2
          while axis >= 0 {
            index[axis] += 1
            offset += strides[axis]
            if index[axis] < shape[axis] { break }
            offset -= strides[axis] * shape[axis]
            index[axis] = 0
            axis -= 1
          }
        }
      }
      initialised = total
    }
  }
}
