internal import Budget
internal import CKernels
internal import Glibc

/// A number format that weights are stored in.
public enum ElementType: String, Sendable, CaseIterable {
  /// IEEE 754 single precision.
  case float32
  /// IEEE 754 half precision.
  case float16
  /// The upper half of a float32.
  case bfloat16

  /// Bytes an element.
  public var size: Int { self == .float32 ? 4 : 2 }

  /// The type that a person means by a word, in any case: its name here, its short name (`fp16`, `f16`,
  /// `bf16`), or the one that C and PyTorch have for it (`half`, `float`), also behind `torch.`; nil
  /// for any other.
  public init?(word: String) {
    let word = word.lowercased()
    let bare = word.hasPrefix("torch.") ? String(word.dropFirst(6)) : word
    switch bare {
    case "float32", "fp32", "f32", "float", "single": self = .float32
    case "float16", "fp16", "f16", "half": self = .float16
    case "bfloat16", "bf16": self = .bfloat16
    default: return nil
    }
  }
}

/// A tensor as it lies in a file or in memory, in the type it was stored in.
///
/// Nothing is converted until it is used; the bytes live as long as their owner, which this holds.
/// A quantized matrix is one too: small integers with scales, that read as float32.
public struct StoredTensor: Sendable {
  /// The length of each axis, outermost first.
  public let shape: [Int]
  /// The type of each element; float32 for a quantized matrix, which is read as that.
  public let type: ElementType
  /// How products with these weights are computed.
  public private(set) var arithmetic = Arithmetic.float32
  /// The integers and scales of a quantized matrix.
  package let quantized: QuantizedMatrix?
  private let owner: any AnyObject & Sendable
  /// Where the elements start; immutable for as long as `owner` lives, hence safe to share.
  nonisolated(unsafe) private let start: UnsafeRawPointer

  /// Wraps elements that start at `start` in memory that `owner` keeps alive and unchanged.
  ///
  /// - Precondition: `shape.reduce(1, *) * type.size` bytes are readable there.
  package init(
    shape: [Int], type: ElementType, start: UnsafeRawPointer, owner: any AnyObject & Sendable
  ) {
    (self.shape, self.type, self.start, self.owner) = (shape, type, start, owner)
    quantized = nil
  }

  /// Wraps elements that lie one after another in `bytes`.
  ///
  /// - Precondition: they are as many as `shape` holds.
  package init(shape: [Int], type: ElementType, bytes: StoredBytes) {
    precondition(bytes.count == shape.reduce(type.size, *), "\(bytes.count) do not fill \(shape)")
    self.init(shape: shape, type: type, start: bytes.start, owner: bytes.owner)
  }

  /// Wraps a quantized matrix.
  package init(_ matrix: QuantizedMatrix) {
    self.init(matrix, shape: [matrix.outputs, matrix.inputs])
  }

  private init(_ matrix: QuantizedMatrix, shape: [Int]) {
    let nothing = OwnedElements([])
    (self.shape, type, quantized) = (shape, .float32, matrix)
    (start, owner) = (UnsafeRawPointer(nothing.start), nothing)
  }

  /// Wraps a tensor that is in memory already.
  public init(_ tensor: Tensor) {
    let copy = OwnedElements(tensor.elements)
    self.init(
      shape: tensor.shape, type: .float32, start: UnsafeRawPointer(copy.start), owner: copy)
  }

  /// How many elements there are.
  public var count: Int { shape.reduce(1, *) }
  /// Whether it is a matrix of small integers with scales.
  public var isQuantized: Bool { quantized != nil }
  /// How the elements are written down.
  public var encoding: Encoding { quantized?.encoding ?? .plain(type) }
  /// How many bytes they take, with scales and zero points.
  public var byteCount: Int { quantized?.byteCount ?? count * type.size }

  /// All elements as float32.
  public var tensor: Tensor {
    Tensor(floats(from: 0, count: count), shape: shape)
  }

  /// The same elements under another shape of as many elements.
  public func reshaped(to shape: [Int]) -> StoredTensor {
    precondition(shape.reduce(1, *) == count, "\(shape) does not hold \(self.shape)")
    if let quantized {
      return StoredTensor(quantized, shape: shape).computing(in: arithmetic)
    }
    return StoredTensor(shape: shape, type: type, start: start, owner: owner)
      .computing(in: arithmetic)
  }

  /// The same bytes, with products computed in another way.
  public func computing(in arithmetic: Arithmetic) -> StoredTensor {
    var copy = self
    copy.arithmetic = arithmetic
    return copy
  }

  /// Neighbouring rows of the first axis, where they lie; nil of a matrix in groups, whose rows are woven
  /// into each other.
  public func rows(_ range: Range<Int>) -> StoredTensor? {
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[0], "\(range) of \(shape)")
    let width = shape.dropFirst().reduce(1, *)
    let shape = [range.count] + shape.dropFirst()
    guard let quantized else {
      return StoredTensor(
        shape: shape, type: type, start: start + range.lowerBound * width * type.size, owner: owner
      ).computing(in: arithmetic)
    }
    return quantized.rows(range).map {
      StoredTensor($0, shape: shape).computing(in: arithmetic)
    }
  }

  /// Rows of the first axis, as float32, in the order asked for.
  ///
  /// - Precondition: at least one axis; every index is from 0 to below its length.
  public func rows(_ indices: [Int]) -> Tensor {
    let width = shape.dropFirst().reduce(1, *)
    return Tensor.filled([indices.count] + shape.dropFirst()) { out in
      Stop.parts(of: indices.count, size: 4096) { part in
        for place in part {
          let index = indices[place]
          precondition(index >= 0 && index < shape[0], "row \(index) of shape \(shape)")
          floats(from: index * width, count: width).withUnsafeBufferPointer { row in
            guard let start = row.baseAddress else { return }
            (out + place * width).update(from: start, count: width)
          }
        }
      }
    }
  }

  /// Calls `body` with the raw bytes; the pointer is valid inside it only.
  ///
  /// - Precondition: the tensor is not quantized.
  package func withUnsafeBytes<R>(_ body: (UnsafeRawPointer) throws -> R) rethrows -> R {
    precondition(quantized == nil, "a quantized matrix has no elements as they are read")
    return try withExtendedLifetime(owner) { try body(start) }
  }

  /// Whether another has the same shape, type and bytes.
  package func isSame(as other: StoredTensor) -> Bool {
    guard shape == other.shape, type == other.type, !isQuantized, !other.isQuantized else {
      return false
    }
    return withUnsafeBytes { own in
      other.withUnsafeBytes { own == $0 || memcmp(own, $0, byteCount) == 0 }
    }
  }

  private func floats(from first: Int, count: Int) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { out, initialised in
      if let out = out.baseAddress { convert(from: first, count: count, into: out) }
      initialised = count
    }
  }

  /// Writes elements from number `first` on to `out` as float32.
  package func convert(from first: Int, count: Int, into out: UnsafeMutablePointer<Float>) {
    if let quantized { return quantized.convert(from: first, count: count, into: out) }
    withUnsafeBytes { bytes in
      let source = bytes + first * type.size
      switch type {
      case .float32: UnsafeMutableRawPointer(out).copyMemory(from: source, byteCount: count * 4)
      case .float16: ck_float16_to_float32(source, out, count)
      case .bfloat16: ck_bfloat16_to_float32(source, out, count)
      }
    }
  }
}

/// Elements with a stable place in memory.
private final class OwnedElements: Sendable {
  /// Written once, in `init`, and freed in `deinit`.
  nonisolated(unsafe) let start: UnsafeMutablePointer<Float>
  init(_ elements: [Float]) {
    start = .allocate(capacity: max(1, elements.count))
    start.initialize(from: elements, count: elements.count)
  }
  deinit { start.deallocate() }
}
