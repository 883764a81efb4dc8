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
  /// The bytes of the widest type come first, so that every tensor starts at a multiple of its
  /// element's size.
  ///
  /// - Precondition: integers fill their shape.
  /// - Throws: `.file`, when the disk is full or the place cannot be written; `.malformed`, when a
  ///   name occurs twice or is `__metadata__`.
  public static func write(
    _ tensors: [(name: String, content: Content)], metadata: [String: String] = [:], to url: URL
  ) throws(CheckpointError) {
    let order = tensors.indices.sorted {
      (tensors[$1].content.type.size, $0) < (tensors[$0].content.type.size, $1)
    }
    var offsets = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in order {
      offsets[index] = end
      end += byteCount(tensors[index].content)
    }
    var members: [(String, JSON)] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
      members.append(("__metadata__", .object(JSON.Object(sorted))))
    }
    for (index, (name, content)) in tensors.enumerated() {
      let place = [offsets[index], offsets[index] + byteCount(content)]
      members.append(
        (
          name,
          [
            "dtype": .string(content.type.rawValue),
            "shape": .array(content.shape.map(JSON.integer)),
            "data_offsets": .array(place.map(JSON.integer)),
          ]
        ))
    }
    let object = JSON.Object(members)
    guard object.count == members.count, !tensors.contains(where: { $0.name == "__metadata__" })
    else {
      throw .malformed(
        path: url.path(percentEncoded: false), offset: nil, rule: .duplicateTensor,
        detail: "two tensors of one name, or one named __metadata__, cannot be written")
    }
    var header = JSON.object(object).bytes()
    header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
    do {
      var file = try Replacement(url.path(percentEncoded: false))
      try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
      try file.write(header)
      for index in order { try append(tensors[index].content, to: &file) }
      try file.finish()
    } catch {
      throw .file(error)
    }
  }

  private static func byteCount(_ content: Content) -> Int {
    content.shape.reduce(content.type.size, *)
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
