internal import Files
internal import Glibc
public import Tensors
public import Tracing

/// Hands out a checkpoint's tensors by address and remembers which were taken.
///
/// It cannot be copied, so no layer can read from a stale one. A tensor that is missing is reported
/// by `finish`, together with the unused tensor that may be it under another name; until then zeros
/// stand in for it. A model is complete when `finish` has returned, and not before.
public struct WeightReader: ~Copyable, Sendable {
  private let tensors: TensorCollection
  private let names: @Sendable (Address) -> [String]
  private var isTaken: [Bool]
  private var missing: [(key: String, shape: [Int])] = []
  private var wideCount = 0
  /// The tensors, read as they are.
  private let bare: TensorCollection

  /// Reads from `tensors`.
  ///
  /// - Parameter names: the file's names of an address, the preferred first; older published names
  ///   may follow. The first that the file has counts.
  public init(
    _ tensors: TensorCollection, names: @escaping @Sendable (Address) -> [String]
  ) {
    (self.tensors, self.names) = (tensors, names)
    isTaken = [Bool](repeating: false, count: tensors.entries.count)
    var bare = tensors
    bare.handling = WeightHandling()
    self.bare = bare
  }

  /// Reads from `tensors` by a table of names.
  public init(_ tensors: TensorCollection, names: [Address: [String]]) {
    self.init(tensors) { names[$0] ?? [$0.description] }
  }

  /// The shape that the file has at `address`; nil where it has nothing.
  public func shape(of address: Address) -> [Int]? {
    let candidates = names(address)
    return place(candidates).map { tensors.entries[$0].shape }
      ?? packed(candidates)?.shape
  }

  /// The tensor at `address`, which must have `shape`; it may be taken again.
  ///
  /// - Throws: `.wrongShape` or `.wrongType`. A missing tensor is reported by `finish`.
  public mutating func take(
    _ address: Address, shape: [Int]
  ) throws(CheckpointError) -> StoredTensor {
    try take(address, shape: shape, isProduct: false, isTransposed: false)
  }

  /// The weight of a matrix product at `address`, which must have `shape`: `[outputs, inputs]`, or
  /// a convolution's kernel, whose axes after the first are its inputs.
  ///
  /// - Parameter isTransposed: whether the file has it as `[inputs, outputs]`; it is turned before it
  ///   gets its precision.
  /// - Throws: `.wrongShape` or `.wrongType`. A missing tensor is reported by `finish`.
  public mutating func takeWeight(
    _ address: Address, shape: [Int], isTransposed: Bool = false
  ) throws(CheckpointError) -> StoredTensor {
    try take(address, shape: shape, isProduct: true, isTransposed: isTransposed)
  }

  private mutating func take(
    _ address: Address, shape: [Int], isProduct: Bool, isTransposed: Bool
  ) throws(CheckpointError) -> StoredTensor {
    let fileShape = isTransposed ? shape.reversed() : shape
    let key = names(address).first ?? address.description
    if tensors.handling.declaresOnly {
      guard let zeros = Zeros(shape, atMost: .max) else {
        throw .missing(
          source: tensors.source, keys: [key], closest: nil, unread: [], areAll: false)
      }
      func declared(_ shape: [Int]) -> StoredTensor {
        StoredTensor(shape: shape, type: .float32, start: zeros.start, owner: zeros)
      }
      return handled(
        declared(fileShape), turned: isTransposed ? declared(shape) : nil, address, name: key,
        isProduct: isProduct)
    }
    if let tensor = try found(address, shape: fileShape) {
      let name = names(address).first { tensors[$0] != nil } ?? key
      let turned = isTransposed ? tensor.transposed() : nil
      let kept = handled(tensor, turned: turned, address, name: name, isProduct: isProduct)
      guard tensors.handling.converts, isProduct, let precision = precision(of: address),
        precision.kept(turned ?? tensor) != nil
      else { return kept }
      tensors.release(name)
      guard tensors.handling.onConversion(tensor.byteCount) else {
        throw .stopped(source: tensors.source)
      }
      return kept
    }
    missing.append((key, fileShape))
    guard missing.count < 10_000, let zeros = Zeros(shape, atMost: tensors.byteCount) else {
      // What was not looked for is neither missing nor unused.
      throw .missing(
        source: tensors.source, keys: missing.map(\.key), closest: nil, unread: [], areAll: false)
    }
    return StoredTensor(shape: shape, type: .float32, start: zeros.start, owner: zeros)
  }

  /// Writes a weight down, and gives it its precision where it is one of a product.
  ///
  /// - Parameter turned: the weight as the model takes it, where the file has it the other way.
  private func handled(
    _ stored: StoredTensor, turned: StoredTensor? = nil, _ address: Address, name: String,
    isProduct: Bool
  ) -> StoredTensor {
    let handling = tensors.handling
    let precision = isProduct ? precision(of: address) : nil
    let weight = turned ?? stored
    let kept = precision?.kept(weight)
    let held =
      handling.declaresOnly
      ? weight : self.held(weight, at: address, precision, isConverted: kept != nil)
    handling.log?.add(
      WeightRecord(
        address: address, name: name, isProduct: isProduct, isTransposed: turned != nil,
        stored: stored, held: held,
        kept: kept?.encoding ?? stored.encoding,
        keptByteCount: kept?.byteCount ?? stored.byteCount,
        isConverted: kept != nil || bare[name]?.type == .float64, tensors: bare))
    return held
  }

  /// A weight as the model keeps it.
  private func held(
    _ weight: StoredTensor, at address: Address, _ precision: Precision?,
    isConverted: Bool
  ) -> StoredTensor {
    let converts = tensors.handling.converts
    let rounded = converts ? self.rounded(weight, at: address) : weight
    guard let precision, converts || !isConverted else { return rounded }
    return precision.applied(to: rounded)
  }

  /// A tensor as a narrower file would have it.
  private func rounded(_ stored: StoredTensor, at address: Address) -> StoredTensor {
    guard let root = address.parts.first, let type = tensors.handling.rounding[String(root)],
      case .plain(let own) = stored.encoding, own != type, own == .float32 || type == .bfloat16
    else { return stored }
    return stored.converted(to: type)
  }

  private func precision(of address: Address) -> Precision? {
    address.parts.first.flatMap { tensors.handling.precisions[String($0)] }
  }

  /// The tensor at `address`, which must have `shape` if the file has it.
  ///
  /// Weights packed by GPTQ or quanto are read as what they stand for, and stay packed.
  public mutating func takeIfPresent(
    _ address: Address, shape: [Int]
  ) throws(CheckpointError) -> StoredTensor? {
    guard let tensor = try found(address, shape: shape) else { return nil }
    let candidates = names(address)
    let name = candidates.first { tensors[$0] != nil } ?? candidates.first ?? address.description
    return handled(tensor, address, name: name, isProduct: false)
  }

  /// Whether what lies at `address` is `tensor` once more, bit for bit; nil if nothing lies there.
  ///
  /// Where they are the same, it counts as read.
  public mutating func isCopy(
    _ address: Address, of tensor: StoredTensor
  ) throws(CheckpointError) -> Bool? {
    guard let place = place(names(address)) else {
      return packed(names(address)) == nil ? nil : false
    }
    guard !tensors.handling.declaresOnly else {
      isTaken[place] = true
      return true
    }
    let isSame = try tensors.tensor(tensors.entries[place].name).isSame(as: tensor)
    if isSame { isTaken[place] = true }
    return isSame
  }

  /// What the file calls the tensor at `address`.
  public func name(of address: Address) -> String {
    let candidates = names(address)
    return place(candidates).map { tensors.entries[$0].name } ?? candidates.first
      ?? address.description
  }

  private mutating func found(
    _ address: Address, shape: [Int]
  ) throws(CheckpointError) -> StoredTensor? {
    let candidates = names(address)
    guard let place = place(candidates) else {
      guard let packed = packed(candidates) else {
        try tensors.refuseUnread(candidates)
        return nil
      }
      let weight = try packed.weight(shape: shape)
      for place in packed.places { isTaken[place] = true }
      return weight
    }
    let entry = tensors.entries[place]
    guard entry.shape == shape else {
      throw .wrongShape(
        source: tensors.source(of: place), key: entry.name, expected: shape, found: entry.shape)
    }
    isTaken[place] = true
    guard entry.type == .float64 else { return try tensors.tensor(entry.name) }
    wideCount += 1
    // Rounding takes memory; what only asks how large a model is goes without.
    guard !tensors.handling.converts, let zeros = Zeros(shape, atMost: tensors.byteCount) else {
      return try tensors.tensor(entry.name)
    }
    return StoredTensor(shape: shape, type: .float32, start: zeros.start, owner: zeros)
  }

  /// Says that tensors whose file name fits `pattern` need not be read; `*` stands for anything.
  public mutating func ignore(_ pattern: String) {
    for (place, name) in tensors.names.enumerated() where Address(name).matches(pattern) {
      isTaken[place] = true
    }
  }

  /// Ends the load; fails if a tensor was missing or left unread, so no half-loaded model runs.
  public consuming func finish() throws(CheckpointError) {
    if let error = missingError() { throw error }
    tensors.handling.log?.note(tensors.notes + wideNotes)
    let unread = unreadNames
    if !unread.isEmpty { throw .unread(source: tensors.source, keys: unread) }
  }

  private var wideNotes: [String] {
    guard wideCount > 0 else { return [] }
    let count = wideCount == 1 ? "1 tensor is" : "\(wideCount) tensors are"
    return [
      "\(tensors.source.withVisibleControls): \(count) stored in float64, and "
        + (tensors.handling.keepsFloat64
          ? "kept so; dtype float32 rounds it" : "rounded to float32")
    ]
  }

  private var unreadNames: [String] {
    isTaken.indices.filter { !isTaken[$0] }.map { tensors.names[$0] }
  }

  private func missingError() -> CheckpointError? {
    guard let first = missing.first else { return nil }
    let unread = isTaken.indices.filter { !isTaken[$0] }.map { tensors.entries[$0] }
    return .missing(
      source: tensors.source, keys: missing.map(\.key),
      closest: closestName(to: first.key, shape: first.shape, among: unread),
      unread: unread.map(\.name), areAll: true)
  }

  private func packed(_ candidates: [String]) -> PackedWeight? {
    for name in candidates {
      if let packed = PackedWeight(name, in: tensors) { return packed }
    }
    return nil
  }

  private func place(_ candidates: [String]) -> Int? {
    for name in candidates {
      if let place = tensors.place(name) { return place }
    }
    return nil
  }
}

/// Zeros that take no memory until somebody writes or reads them.
private final class Zeros: Sendable {
  /// Read-only, hence safe to share.
  nonisolated(unsafe) let start: UnsafeRawPointer
  private let byteCount: Int

  /// Room for float32 elements of `shape`; nil if that is more than `limit` bytes.
  init?(_ shape: [Int], atMost limit: Int) {
    var size = 4
    for length in shape {
      let (product, overflow) = size.multipliedReportingOverflow(by: max(1, length))
      guard !overflow, length >= 0 else { return nil }
      size = product
    }
    // Weights in half precision take twice their bytes here.
    guard size / 2 <= max(limit, 1 << 20) else { return nil }
    let pages = mmap(nil, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let pages, pages != MAP_FAILED else { return nil }
    (start, byteCount) = (UnsafeRawPointer(pages), size)
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: start), byteCount) }
}
