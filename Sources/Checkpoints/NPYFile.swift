internal import Files
public import FoundationEssentials
public import Tensors

/// One array in NumPy's own format, read whole.
///
/// Format: NEP 1, versions 1 to 3. Floats of 16, 32 and 64 bits, integers and truth values of either
/// byte order, in C or Fortran order. Pickled objects are refused.
public struct NPYFile: Sendable {
  /// The length of each axis, outermost first.
  public let shape: [Int]
  /// The number format.
  public let type: StoredType
  /// The elements, row-major and little-endian.
  let bytes: [UInt8]

  /// Reads a file.
  ///
  /// - Throws: `.file` or `.malformed`.
  public init(_ url: URL) throws(CheckpointError) {
    let content: [UInt8]
    do { content = try WholeFile.read(url, limit: 1 << 33) } catch { throw .file(error) }
    try self.init(parsing: content, named: url.path(percentEncoded: false))
  }

  /// Reads the bytes of a file that errors call `name`.
  public init(parsing content: [UInt8], named name: String) throws(CheckpointError) {
    let header = try NPYHeader(content, path: name)
    try header.requireRead()
    let data = content[header.dataStart...]
    try header.check(byteCount: data.count)
    (shape, type) = (header.shape, header.type)
    var elements = Array(data)
    if header.isBigEndian { Self.swap(&elements, size: type.size) }
    bytes = header.isFortran ? Self.rowMajor(elements, size: type.size, shape: shape) : elements
  }

  /// The numbers as float32; integers above 2^24 and float64 are rounded.
  public var tensor: Tensor { Tensor(RawNumbers.floats(bytes, type), shape: shape) }

  /// The integers; nil for other types and for numbers above `Int.max`.
  public var integers: [Int]? { RawNumbers.integers(bytes, type) }

  /// Writes a float32 array, whole or not at all.
  public static func write(_ tensor: Tensor, to url: URL) throws(CheckpointError) {
    try tensor.elements.withUnsafeBufferPointer { (elements) throws(CheckpointError) in
      try write(UnsafeRawBufferPointer(elements), "<f4", tensor.shape, to: url)
    }
  }

  /// Writes 64-bit integers that fill `shape`, whole or not at all.
  public static func write(
    _ integers: [Int], shape: [Int], to url: URL
  ) throws(CheckpointError) {
    precondition(integers.count == shape.reduce(1, *), "\(integers.count) do not fill \(shape)")
    try integers.withUnsafeBufferPointer { (elements) throws(CheckpointError) in
      try write(UnsafeRawBufferPointer(elements), "<i8", shape, to: url)
    }
  }

  private static func write(
    _ elements: UnsafeRawBufferPointer, _ type: String, _ shape: [Int], to url: URL
  ) throws(CheckpointError) {
    do {
      var file = try Replacement(url.path(percentEncoded: false))
      try file.write(NPYHeader.bytes(type: type, shape: shape))
      try file.write(elements)
      try file.finish()
    } catch { throw .file(error) }
  }

  private static func swap(_ bytes: inout [UInt8], size: Int) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: bytes.count, by: size) {
      for i in 0..<size / 2 { bytes.swapAt(start + i, start + size - 1 - i) }
    }
  }

  /// The elements in C order, of elements whose first axis varies fastest.
  private static func rowMajor(_ bytes: [UInt8], size: Int, shape: [Int]) -> [UInt8] {
    let layout = TensorLayout(fortran: shape, elementSize: size, start: 0)
    guard !layout.isContiguous else { return bytes }
    return bytes.withUnsafeBytes { bytes in
      [UInt8](unsafeUninitializedCapacity: bytes.count) { out, done in
        if let base = bytes.baseAddress, let out = out.baseAddress {
          layout.gather(from: base, into: out)
        }
        done = bytes.count
      }
    }
  }
}
