internal import Files
public import FoundationEssentials
public import Tensors

/// Named tensors of one or more files, or of memory, none of them copied.
public struct TensorCollection: Sendable {
  private enum Source: Sendable {
    case file(Int)
    case memory(StoredTensor)
  }

  /// What errors call the collection: the file, the folder, or where it was made.
  public let source: String
  /// The tensors, shard by shard, each in the order of its header.
  public let entries: [TensorEntry]
  /// The names, in the order of `entries`.
  public let names: [String]
  /// The files, in the order of their names; empty for tensors in memory.
  public let files: [SafetensorsFile]
  /// What happens to weights that are read from here.
  public var handling = WeightHandling()
  private let sources: [Source]
  private let table: KeyTable

  /// Opens one file.
  public init(_ url: URL) throws(CheckpointError) {
    try self.init([SafetensorsFile(url)], source: url.path(percentEncoded: false))
  }

  /// Joins files, which must not share a name.
  public init(_ files: [SafetensorsFile], source: String) throws(CheckpointError) {
    var names: [String] = []
    var table = KeyTable()
    var entries: [TensorEntry] = []
    var sources: [Source] = []
    for (index, file) in files.enumerated() {
      for entry in file.entries {
        if let place = table.insert(entry.name, into: &names),
          case .file(let first) = sources[place]
        {
          throw .inTwoShards(
            key: entry.name, first: files[first].url.path(percentEncoded: false),
            second: file.url.path(percentEncoded: false))
        }
        entries.append(entry)
        sources.append(.file(index))
      }
    }
    (self.source, self.files, self.names) = (source, files, names)
    (self.entries, self.sources, self.table) = (entries, sources, table)
  }

  /// Wraps tensors that are in memory; of two with one name the first counts.
  public init(_ tensors: [(name: String, tensor: Tensor)], source: String = "memory") {
    self.init(tensors.map { ($0.name, StoredTensor($0.tensor)) }, source: source)
  }

  /// Wraps stored tensors; of two with one name the first counts.
  public init(_ tensors: [(name: String, tensor: StoredTensor)], source: String = "memory") {
    var names: [String] = []
    var table = KeyTable()
    var entries: [TensorEntry] = []
    var sources: [Source] = []
    for (name, tensor) in tensors where table.insert(name, into: &names) == nil {
      entries.append(
        TensorEntry(
          name: name, type: StoredType(tensor.type), shape: tensor.shape,
          bytes: 0..<tensor.count * tensor.type.size))
      sources.append(.memory(tensor))
    }
    (self.source, self.names, files) = (source, names, [])
    (self.entries, self.sources, self.table) = (entries, sources, table)
  }

  /// What errors call the file of the entry at `place`.
  func source(of place: Int) -> String {
    if case .file(let index) = sources[place] {
      return files[index].url.path(percentEncoded: false)
    }
    return source
  }

  /// Where the tensor called `name` stands in `entries`.
  func place(_ name: String) -> Int? { table.find(name, in: names) }

  /// Gives the memory back that the file's pages of a tensor take; they are read again when they are
  /// looked at again.
  public func release(_ name: String) {
    guard let place = place(name), case .file(let index) = sources[place] else { return }
    files[index].release(entries[place])
  }

  /// How many bytes all tensors take.
  public var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

  /// What is known of the tensor called `name`, if there is one.
  public subscript(_ name: String) -> TensorEntry? { place(name).map { entries[$0] } }

  /// All text that the files carry beside their tensors; a later file's counts.
  public var metadata: [String: String] {
    files.reduce(into: [:]) { $0.merge($1.metadata) { _, later in later } }
  }

  /// The weights called `name`, in the type they were stored in.
  ///
  /// - Throws: `.noTensor`, or `.wrongType` for integers and float64.
  public func tensor(_ name: String) throws(CheckpointError) -> StoredTensor {
    let place = try required(name)
    switch sources[place] {
    case .memory(let tensor): return tensor
    case .file(let index):
      let entry = entries[place]
      guard let type = entry.type.elementType else {
        throw .wrongType(
          source: source(of: place), key: name, expected: "F32, F16 or BF16",
          found: entry.type.rawValue)
      }
      return StoredTensor(
        shape: entry.shape, type: type, start: files[index].start(of: entry),
        owner: files[index].owner)
    }
  }

  /// Where the bytes of the entry at `place` lie; nil for tensors in memory.
  func bytes(at place: Int) -> StoredBytes? {
    guard case .file(let index) = sources[place] else { return nil }
    return StoredBytes(
      start: files[index].start(of: entries[place]), count: entries[place].byteCount,
      owner: files[index].owner)
  }

  /// The bytes of the tensor called `name` as they lie in the file.
  package func rawBytes(_ name: String) throws(CheckpointError) -> [UInt8] {
    let place = try required(name)
    switch sources[place] {
    case .file(let index): return try files[index].bytes(of: entries[place])
    case .memory(let tensor): return tensor.bytes(from: 0, count: tensor.count, as: tensor.type)
    }
  }

  /// The integers called `name`, of any integer type, and their shape.
  ///
  /// - Throws: `.noTensor`, or `.wrongType` for other numbers and for ones above `Int.max`.
  public func integers(
    _ name: String
  ) throws(CheckpointError) -> (shape: [Int], elements: [Int]) {
    let place = try required(name)
    let entry = entries[place]
    guard case .file(let index) = sources[place],
      let elements = RawNumbers.integers(try files[index].bytes(of: entry), entry.type)
    else {
      throw .wrongType(
        source: source(of: place), key: name, expected: "an integer type within 64 bits with sign",
        found: entry.type.rawValue)
    }
    return (entry.shape, elements)
  }

  /// The numbers called `name` as float32, whatever type they have; for looking, not for weights.
  ///
  /// Integers above 2^24 and float64 are rounded.
  public func floats(_ name: String) throws(CheckpointError) -> Tensor {
    let place = try required(name)
    let entry = entries[place]
    if entry.type.elementType != nil { return try tensor(name).tensor }
    guard case .file(let index) = sources[place] else { return try tensor(name).tensor }
    return Tensor(
      RawNumbers.floats(try files[index].bytes(of: entry), entry.type), shape: entry.shape)
  }

  private func required(_ name: String) throws(CheckpointError) -> Int {
    guard let place = place(name) else {
      let closest = closestName(to: name, shape: nil, among: entries)
      throw .noTensor(source: source, key: name, closest: closest)
    }
    return place
  }
}
