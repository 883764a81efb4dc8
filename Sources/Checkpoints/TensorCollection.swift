internal import Files
public import FoundationEssentials
public import Tensors

/// Named tensors of one or more files, or of memory, none of them copied.
public struct TensorCollection: Sendable {
  private enum Source: Sendable {
    /// A file's number, and the tensor's place in it.
    case file(Int, Int)
    case memory(StoredTensor)
  }

  /// What errors call the collection: the file, the folder, or where it was made.
  public let source: String
  /// The tensors, shard by shard, each in the order of its header.
  public let entries: [TensorEntry]
  /// The names, in the order of `entries`.
  public let names: [String]
  /// Tensors in formats that are not read here: asked for, they are refused by name.
  public let unread: [UnreadTensor]
  /// Where the files are, in the order of their names; empty for tensors in memory.
  public var files: [URL] { opened.map(\.url) }
  /// What a person should know of where the tensors come from.
  public var notes: [String]
  /// What happens to weights that are read from here.
  public var handling = WeightHandling()
  private let opened: [any TensorFile]
  private let sources: [Source]
  private let table: KeyTable
  private let aliases: [String: Int]

  /// Opens one file, by what it holds: safetensors, a PyTorch checkpoint, `.npz` or `.npy`.
  public init(_ url: URL) throws(CheckpointError) {
    try self.init([TensorFiles.open(url)], source: url.path(percentEncoded: false))
  }

  /// Joins files, which must not share a name.
  public init(_ files: [SafetensorsFile], source: String) throws(CheckpointError) {
    try self.init(files as [any TensorFile], source: source)
  }

  /// Joins files, which must not share a name.
  init(_ files: [any TensorFile], source: String) throws(CheckpointError) {
    let (names, table, sources) = try Self.joined(files)
    (self.source, opened, self.names) = (source, files, names)
    (self.sources, self.table) = (sources, table)
    entries = files.count == 1 ? files[0].entries : files.flatMap(\.entries)
    unread = files.flatMap(\.unread)
    notes = files.flatMap { file in
      (file.notes + UnreadTensor.notes(file.unread)).map {
        "\(file.path.withVisibleControls): \($0)"
      }
    }
    aliases = Self.aliases(files, names: names, table: table)
  }

  private static func joined(
    _ files: [any TensorFile]
  ) throws(CheckpointError) -> (names: [String], table: KeyTable, sources: [Source]) {
    // One large file has done this work while it was read.
    if files.count == 1, let (names, table) = files[0].nameTable {
      return (names, table, names.indices.map { .file(0, $0) })
    }
    var names: [String] = []
    var table = KeyTable()
    var sources: [Source] = []
    for (index, file) in files.enumerated() {
      for (inFile, entry) in file.entries.enumerated() {
        if let place = table.insert(entry.name, into: &names),
          case .file(let first, _) = sources[place]
        {
          throw .inTwoShards(key: entry.name, first: files[first].path, second: file.path)
        }
        sources.append(.file(index, inFile))
      }
    }
    return (names, table, sources)
  }

  /// Names that a file's writer left out because another tensor is the same, as safetensors' own
  /// `save_model` notes them: the name left out, and the one that stayed.
  private static func aliases(
    _ files: [any TensorFile], names: [String], table: KeyTable
  ) -> [String: Int] {
    var aliases: [String: Int] = [:]
    for file in files {
      for (name, kept) in file.metadata where table.find(name, in: names) == nil {
        if let place = table.find(kept, in: names) { aliases[name] = place }
      }
    }
    return aliases
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
    (self.source, self.names, opened) = (source, names, [])
    (self.entries, self.sources, self.table) = (entries, sources, table)
    (notes, aliases, unread) = ([], [:], [])
  }

  /// The tensors of both, which must not share a name; the first is what errors call them.
  func joined(with other: TensorCollection) throws(CheckpointError) -> TensorCollection {
    var joined = try TensorCollection(opened + other.opened, source: source)
    joined.notes = notes + other.notes
    return joined
  }

  /// What errors call the file of the entry at `place`.
  func source(of place: Int) -> String {
    if case .file(let index, _) = sources[place] { return opened[index].path }
    return source
  }

  /// Where the tensor called `name` stands in `entries`, be it under another name.
  func place(_ name: String) -> Int? { table.find(name, in: names) ?? aliases[name] }

  /// What the entry at `place` has in common with other names of the same tensor; nil where nothing
  /// is known of that.
  func identity(at place: Int) -> [Int]? {
    guard case .file(let index, let inFile) = sources[place] else { return nil }
    return opened[index].identity(inFile).map { [index] + $0 }
  }

  /// Gives the memory back that the file's pages of a tensor take; they are read again when they are
  /// looked at again.
  public func release(_ name: String) {
    guard let place = place(name), case .file(let index, let inFile) = sources[place] else {
      return
    }
    opened[index].release(inFile)
  }

  /// How many bytes all tensors take.
  public var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }

  /// What is known of the tensor called `name`, if there is one.
  public subscript(_ name: String) -> TensorEntry? { place(name).map { entries[$0] } }

  /// All text that the files carry beside their tensors; a later file's counts.
  public var metadata: [String: String] {
    opened.reduce(into: [:]) { $0.merge($1.metadata) { _, later in later } }
  }

  /// The weights called `name`, in the type they were stored in; float64 is rounded to float32, in
  /// memory of its own.
  ///
  /// - Throws: `.noTensor`, or `.wrongType` for integers.
  public func tensor(_ name: String) throws(CheckpointError) -> StoredTensor {
    let place = try required(name)
    switch sources[place] {
    case .memory(let tensor): return tensor
    case .file(let index, let inFile):
      let entry = entries[place]
      if entry.type == .float64 {
        let rounded = try floats(name)
        try checkRange(rounded, of: name, at: place)
        return StoredTensor(rounded)
      }
      guard let type = entry.type.elementType else {
        throw .wrongType(
          source: source(of: place), key: name, expected: "F64, F32, F16 or BF16",
          found: entry.type.rawValue)
      }
      return StoredTensor(
        shape: entry.shape, type: type, bytes: try opened[index].stored(inFile))
    }
  }

  /// - Throws: where rounding made a number infinite that was not.
  private func checkRange(
    _ rounded: Tensor, of name: String, at place: Int
  ) throws(CheckpointError) {
    guard rounded.elements.contains(where: \.isInfinite) else { return }
    let numbers = RawNumbers.doubles(try rawBytes(name))
    if let lost = numbers.indices.first(where: {
      numbers[$0].isFinite && rounded.elements[$0].isInfinite
    }) {
      throw .beyondFloat32(source: source(of: place), key: name, number: numbers[lost])
    }
  }

  /// Where the bytes of the entry at `place` lie; nil for tensors in memory.
  func bytes(at place: Int) throws(CheckpointError) -> StoredBytes? {
    guard case .file(let index, let inFile) = sources[place] else { return nil }
    return try opened[index].stored(inFile)
  }

  /// Calls `body` with the bytes of the entry at `place`, piece after piece, and gives the memory back
  /// that they took: at most a tensor that must be put in order first is held as a whole.
  func eachPiece(
    of place: Int, _ body: (UnsafeRawBufferPointer) throws(FileFailure) -> Void
  ) throws(CheckpointError) {
    let pieceSize = 1 << 23
    func pass(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
      for start in stride(from: 0, to: bytes.count, by: pieceSize) {
        let end = min(bytes.count, start + pieceSize)
        try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
      }
    }
    guard case .file(let index, let inFile) = sources[place],
      let mapped = opened[index].mapped(inFile)
    else {
      let bytes = try rawBytes(names[place])
      do throws(FileFailure) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
          try pass(UnsafeRawBufferPointer(bytes))
        }
      } catch { throw .file(error) }
      return
    }
    defer { opened[index].release(inFile) }
    do throws(FileFailure) {
      try mapped.withPointer { (start) throws(FileFailure) in
        try pass(UnsafeRawBufferPointer(start: start, count: mapped.count))
      }
    } catch { throw .file(error) }
  }

  /// The bytes of the tensor called `name`, as a file would have them.
  package func rawBytes(_ name: String) throws(CheckpointError) -> [UInt8] {
    let place = try required(name)
    switch sources[place] {
    case .file(let index, let inFile): return try opened[index].bytes(inFile)
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
    guard case .file(let index, let inFile) = sources[place],
      let elements = RawNumbers.integers(try opened[index].bytes(inFile), entry.type)
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
    guard case .file(let index, let inFile) = sources[place] else {
      return try tensor(name).tensor
    }
    return Tensor(
      RawNumbers.floats(try opened[index].bytes(inFile), entry.type), shape: entry.shape)
  }

  /// - Throws: `.wrongType` where one of the names is that of a tensor that is not read.
  package func refuseUnread(_ names: [String]) throws(CheckpointError) {
    guard let found = unread.first(where: { names.contains($0.name) }) else { return }
    throw .wrongType(
      source: source, key: found.name, expected: "F64, F32, F16 or BF16", found: found.type)
  }

  private func required(_ name: String) throws(CheckpointError) -> Int {
    guard let place = place(name) else {
      try refuseUnread([name])
      let closest = closestName(to: name, shape: nil, among: entries)
      throw .noTensor(source: source, key: name, closest: closest)
    }
    return place
  }
}
