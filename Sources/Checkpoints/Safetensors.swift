internal import Files
public import FoundationEssentials
public import Tensors

/// Writing safetensors files.
public enum Safetensors {
  /// What can be written under a name.
  public enum Content: Sendable {
    /// Float32 numbers.
    case tensor(Tensor)
    /// Numbers in the type they are stored in.
    case stored(StoredTensor)
    /// 64-bit integers of a shape that holds as many.
    case integers([Int], shape: [Int])
    /// The bytes of numbers of a type, such as those that `published` gives.
    case bytes(StoredBytes, StoredType, shape: [Int])

    var shape: [Int] {
      switch self {
      case .tensor(let tensor): tensor.shape
      case .stored(let tensor): tensor.shape
      case .integers(_, let shape), .bytes(_, _, let shape): shape
      }
    }

    var type: StoredType {
      switch self {
      case .tensor: .float32
      case .stored(let tensor): StoredType(tensor.type)
      case .integers: .int64
      case .bytes(_, let type, _): type
      }
    }
  }

  /// Writes float32 tensors; see `write` of contents.
  public static func write(
    _ tensors: [(name: String, tensor: Tensor)], metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    try write(
      tensors.map { (name: $0.name, content: .tensor($0.tensor)) }, metadata: metadata, to: url)
  }

  /// Writes a file, whole or not at all, with the tensors named in the order given.
  ///
  /// - Precondition: integers fill their shape.
  /// - Throws: `.file`, when the disk is full or the place cannot be written; `.malformed`, when a
  ///   name occurs twice or is `__metadata__`.
  public static func write(
    _ tensors: [(name: String, content: Content)], metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let path = url.path(percentEncoded: false)
    let planned = tensors.map {
      PlannedTensor(name: $0.name, type: $0.content.type, shape: $0.content.shape)
    }
    try SafetensorsLayout.checkNames(of: planned, path: path)
    let layout = SafetensorsLayout(planned, metadata: metadata, alignment: 8)
    do {
      var file = try Replacement(path)
      try file.write(layout.header)
      for index in layout.order { try append(tensors[index].content, to: &file) }
      try file.finish()
    } catch {
      throw .file(error)
    }
  }

  /// Writes tensors of a collection to a file, whole or not at all, each in the type that it has and
  /// under its own name, and none of them held in memory for longer than it takes.
  ///
  /// - Parameters:
  ///   - places: the tensors' places in `entries`.
  ///   - progress: called with how many bytes are done, of how many; `false` stops.
  /// - Throws: as the other `write`; `.stopped`.
  public static func write(
    _ tensors: TensorCollection, places: [Int], metadata: [String: String] = [:], to url: URL,
    progress: (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws(CheckpointError) {
    let path = url.path(percentEncoded: false)
    let planned = places.map { place in
      let entry = tensors.entries[place]
      return PlannedTensor(name: entry.name, type: entry.type, shape: entry.shape)
    }
    try SafetensorsLayout.checkNames(of: planned, path: path)
    let layout = SafetensorsLayout(planned, metadata: metadata, alignment: 8)
    var file = try begun(path, layout.header)
    var done = 0
    for index in layout.order {
      var isStopped = false
      try tensors.eachPiece(of: places[index]) { (bytes) throws(FileFailure) in
        guard !isStopped else { return }
        try file.write(bytes)
        done += bytes.count
        isStopped = !progress(done, layout.byteCount)
      }
      guard !isStopped else { throw .stopped(source: path) }
    }
    try finish(file)
  }

  private static func begun(
    _ path: String, _ header: [UInt8]
  ) throws(CheckpointError) -> Replacement {
    do {
      var file = try Replacement(path)
      try file.write(header)
      return file
    } catch { throw .file(error) }
  }

  private static func finish(_ file: consuming Replacement) throws(CheckpointError) {
    do { try file.finish() } catch { throw .file(error) }
  }

  private static func append(
    _ content: Content, to file: inout Replacement
  ) throws(FileFailure) {
    switch content {
    case .tensor(let tensor):
      try tensor.elements.withUnsafeBufferPointer { (elements) throws(FileFailure) in
        try file.write(UnsafeRawBufferPointer(elements))
      }
    case .integers(let elements, let shape):
      precondition(elements.count == shape.reduce(1, *), "\(elements.count) do not fill \(shape)")
      try elements.withUnsafeBufferPointer { (elements) throws(FileFailure) in
        try file.write(UnsafeRawBufferPointer(elements))
      }
    case .bytes(let bytes, let type, let shape):
      precondition(bytes.count == shape.reduce(type.size, *), "\(bytes.count) do not fill \(shape)")
      var failure: FileFailure?
      bytes.withPointer { start in
        do throws(FileFailure) {
          try file.write(UnsafeRawBufferPointer(start: start, count: bytes.count))
        } catch { failure = error }
      }
      if let failure { throw failure }
    case .stored(let tensor) where tensor.encoding != .plain(tensor.type):
      // A quantized matrix under one name is written as the float32 numbers that it reads as.
      for row in 0..<tensor.shape[0] {
        try append(.tensor(tensor.rows([row])), to: &file)
      }
    case .stored(let tensor):
      // `withUnsafeBytes` cannot throw one type; the failure is carried out of it.
      var failure: FileFailure?
      tensor.withUnsafeBytes { start in
        do throws(FileFailure) {
          try file.write(UnsafeRawBufferPointer(start: start, count: tensor.byteCount))
        } catch { failure = error }
      }
      if let failure { throw failure }
    }
  }
}
