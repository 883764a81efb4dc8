internal import Files

/// Where the header and the tensors of a safetensors file lie.
///
/// The bytes of the widest type come first, so that every tensor starts at a multiple of its
/// element's size.
struct SafetensorsLayout {
  /// The header with its length before it.
  let header: [UInt8]
  /// The tensors' numbers in the order of their bytes.
  let order: [Int]
  /// Where each tensor's bytes start after the header.
  let offsets: [Int]
  /// How many bytes all tensors take.
  let byteCount: Int

  /// Lays tensors out whose names were checked.
  ///
  /// - Parameter alignment: what the header with its length fills a multiple of.
  init(_ tensors: [PlannedTensor], metadata: [String: String], alignment: Int) {
    order = tensors.indices.sorted {
      (tensors[$1].type.size, $0) < (tensors[$0].type.size, $1)
    }
    var offsets = [Int](repeating: 0, count: tensors.count)
    var end = 0
    for index in order {
      offsets[index] = end
      end += tensors[index].byteCount
    }
    var members: [(String, JSON)] = []
    if !metadata.isEmpty {
      let sorted = metadata.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
      members.append(("__metadata__", .object(JSON.Object(sorted))))
    }
    for (tensor, offset) in zip(tensors, offsets) {
      members.append(
        (
          tensor.name,
          [
            "dtype": .string(tensor.type.rawValue),
            "shape": .array(tensor.shape.map(JSON.integer)),
            "data_offsets": [.integer(offset), .integer(offset + tensor.byteCount)],
          ]
        ))
    }
    var text = JSON.object(JSON.Object(members)).bytes()
    let over = (8 + text.count) % alignment
    text += [UInt8](repeating: 0x20, count: (alignment - over) % alignment)
    header = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) } + text
    (self.offsets, byteCount) = (offsets, end)
  }

  /// - Throws: `.malformed`, when a name occurs twice or is `__metadata__`; `path` is where it was to
  ///   be written.
  static func checkNames(of tensors: [PlannedTensor], path: String) throws(CheckpointError) {
    var table = KeyTable()
    var keys: [String] = []
    for tensor in tensors
    where tensor.name == "__metadata__" || table.insert(tensor.name, into: &keys) != nil {
      throw .malformed(
        path: path, offset: nil, rule: .duplicateTensor,
        detail: "two tensors of one name, or one named __metadata__, cannot be written")
    }
  }
}
