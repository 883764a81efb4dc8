/// Zip archives and pickles written byte by byte, as no library would.
public enum WrittenArchive {
  /// A member, and where the archive lies about it.
  public struct Member {
    /// The name in the directory.
    public var name: String
    /// The bytes that are there.
    public var bytes: [UInt8]
    /// 0 for stored, 8 for deflated.
    public var method = 0
    /// What the directory says; nil for the truth.
    public var saidSize: Int?
    /// The general purpose bits.
    public var flags = 0x800
    /// Of the unpacked bytes.
    public var checksum = 0
    /// The name that stands at the member itself; nil for the same.
    public var innerName: String?
    /// Where the directory says that the member is; nil for the truth.
    public var place: Int?

    /// A member that is what it says.
    public init(
      name: String, bytes: [UInt8], method: Int = 0, saidSize: Int? = nil, checksum: Int = 0
    ) {
      (self.name, self.bytes, self.method) = (name, bytes, method)
      (self.saidSize, self.checksum) = (saidSize, checksum)
    }
  }

  /// An archive of members, in order.
  public static func bytes(_ members: [Member], comment: String = "") -> [UInt8] {
    var (all, directory): ([UInt8], [UInt8]) = ([], [])
    for member in members {
      let place = member.place ?? all.count
      let name = Array(member.name.utf8)
      let inner = Array((member.innerName ?? member.name).utf8)
      let size = member.saidSize ?? member.bytes.count
      all += number(0x0403_4B50, 4) + number(20, 2) + number(member.flags, 2)
      all += number(member.method, 2) + number(0, 4) + number(member.checksum, 4)
      all += number(member.bytes.count, 4) + number(size, 4) + number(inner.count, 2) + number(0, 2)
      all += inner + member.bytes
      directory += number(0x0201_4B50, 4) + number(20, 2) + number(20, 2) + number(member.flags, 2)
      directory += number(member.method, 2) + number(0, 4) + number(member.checksum, 4)
      directory += number(member.bytes.count, 4) + number(size, 4) + number(name.count, 2)
      directory += [UInt8](repeating: 0, count: 12) + number(place, 4) + name
    }
    let end =
      number(0x0605_4B50, 4) + number(0, 4) + number(members.count, 2) + number(members.count, 2)
      + number(directory.count, 4) + number(all.count, 4) + number(comment.utf8.count, 2)
    return all + directory + end + Array(comment.utf8)
  }

  /// A PyTorch checkpoint of a pickle and the storages that it speaks of.
  public static func torch(
    _ pickle: [UInt8], storages: [(key: String, bytes: [UInt8])] = [], byteOrder: String = "little"
  ) -> [UInt8] {
    bytes(
      [Member(name: "m/data.pkl", bytes: pickle)]
        + storages.map { Member(name: "m/data/\($0.key)", bytes: $0.bytes) }
        + [Member(name: "m/byteorder", bytes: Array(byteOrder.utf8))])
  }

  /// A little-endian number of `size` bytes.
  public static func number(_ value: Int, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

/// Pieces of pickles, in protocol 2.
public enum WrittenPickle {
  /// A name.
  public static func global(_ module: String, _ name: String) -> [UInt8] {
    Array("c\(module)\n\(name)\n".utf8)
  }

  /// A text.
  public static func text(_ text: String) -> [UInt8] {
    [0x58] + WrittenArchive.number(text.utf8.count, 4) + Array(text.utf8)
  }

  /// A whole number.
  public static func integer(_ value: Int) -> [UInt8] {
    value < 0x7FFF_FFFF
      ? [0x4A] + WrittenArchive.number(value, 4) : [0x8A, 8] + WrittenArchive.number(value, 8)
  }

  /// A tuple.
  public static func tuple(_ parts: [[UInt8]]) -> [UInt8] { [0x28] + parts.flatMap { $0 } + [0x74] }

  /// A call.
  public static func call(_ callee: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
    callee + tuple(arguments) + [0x52]
  }

  /// A tensor: a view of the storage called `key`.
  public static func tensor(
    key: String = "0", kind: String = "FloatStorage", count: Int, offset: Int = 0, shape: [Int],
    strides: [Int], metadata: [UInt8]? = nil
  ) -> [UInt8] {
    let storage =
      tuple([text("storage"), global("torch", kind), text(key), text("cpu"), integer(count)])
      + [0x51]
    return call(
      global("torch._utils", "_rebuild_tensor_v2"),
      [
        storage, integer(offset), tuple(shape.map(integer)), tuple(strides.map(integer)), [0x89],
        call(global("collections", "OrderedDict"), []),
      ] + (metadata.map { [$0] } ?? []))
  }

  /// A whole pickle of named values.
  public static func dictionary(_ entries: [(String, [UInt8])]) -> [UInt8] {
    [0x80, 2] + [0x7D, 0x28] + entries.flatMap { text($0.0) + $0.1 } + [0x75, 0x2E]
  }

  /// A state dict as `torch.save` writes it: tensors of one key share a storage.
  public static func checkpoint(
    _ tensors: [(name: String, key: String, kind: String, shape: [Int], bytes: [UInt8])]
  ) -> [UInt8] {
    var storages: [(key: String, bytes: [UInt8])] = []
    let sizes = ["FloatStorage": 4, "HalfStorage": 2, "BFloat16Storage": 2, "DoubleStorage": 8]
    let entries = tensors.map { tensor in
      if !storages.contains(where: { $0.key == tensor.key }) {
        storages.append((tensor.key, tensor.bytes))
      }
      let strides = tensor.shape.indices.map { tensor.shape[($0 + 1)...].reduce(1, *) }
      return (
        tensor.name,
        Self.tensor(
          key: tensor.key, kind: tensor.kind,
          count: tensor.bytes.count / (sizes[tensor.kind] ?? 1), shape: tensor.shape,
          strides: strides)
      )
    }
    return WrittenArchive.torch(dictionary(entries), storages: storages)
  }
}
