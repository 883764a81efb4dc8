internal import Files

/// The format of `torch.save` before PyTorch 1.6: five pickles one after another, then the storages
/// in the order that the last of them gives.
struct LegacyTorchFile {
  /// The tensors.
  let dictionary: StateDictionary
  private let path: String
  private var places: [String: (start: Int, count: Int, room: Int)] = [:]

  private static let magic: [UInt8] = [
    0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, 0x2E,
  ]

  /// Reads the pickles, and finds the storages.
  init(_ file: MappedFile) throws(CheckpointError) {
    path = file.path
    let bytes: [UInt8]
    // The pickles come first, and are short beside what follows.
    do { bytes = try file.bytes(0..<min(file.count, PickleMachine.byteLimit)) } catch {
      throw .file(error)
    }
    guard bytes.starts(with: Self.magic) else {
      throw .malformed(
        path: path, offset: 0, rule: .otherFormat,
        detail: "this is a pickle, but none that torch.save wrote; only state dicts are read")
    }
    var machine = PickleMachine(bytes, at: Self.magic.count)
    let keys: [String]
    do throws(PickleMachine.Failure) {
      guard case .integer(1001) = try machine.run() else {
        throw machine.fail(.pickleSyntax, "a file of PyTorch's has protocol 1001 here")
      }
      try Self.checkSystem(try machine.run(), of: machine)
      dictionary = try StateDictionary(try machine.run(), of: machine)
      keys = try Self.keys(try machine.run(), of: machine)
    } catch {
      throw .malformed(path: path, offset: error.offset, rule: error.rule, detail: error.detail)
    }
    try find(keys, in: file, from: machine.position)
  }

  /// The system that wrote the file must have put the lowest byte first.
  private static func checkSystem(
    _ value: PickleValue, of machine: PickleMachine
  ) throws(PickleMachine.Failure) {
    guard case .dictionary(let place) = value else {
      throw machine.fail(.pickleSyntax, "a file of PyTorch's tells its system here")
    }
    for (key, value) in machine.dictionaries[place] {
      if case .text("little_endian") = key, case .bool(false) = value {
        throw machine.fail(.byteOrder, "its numbers are in byte order 'big'; only 'little' is read")
      }
    }
  }

  private static func keys(
    _ value: PickleValue, of machine: PickleMachine
  ) throws(PickleMachine.Failure) -> [String] {
    guard case .list(let place) = value else {
      throw machine.fail(.pickleSyntax, "a file of PyTorch's lists its storages here")
    }
    var keys: [String] = []
    for value in machine.lists[place] {
      guard case .text(let key) = value else {
        throw machine.fail(.pickleSyntax, "the list of storages holds \(value.words)")
      }
      keys.append(key)
    }
    return keys
  }

  /// Walks the storages: a length in elements, then the elements.
  private mutating func find(
    _ keys: [String], in file: MappedFile, from start: Int
  ) throws(CheckpointError) {
    var sizes: [String: Int] = [:]
    for storage in dictionary.storages { sizes[storage.key] = storage.elementSize }
    var place = start
    for key in keys {
      let shown = "storage '\(key.withVisibleControls)'"
      guard let size = sizes[key] else {
        throw wrong(place, "\(shown) is listed, but no tensor is of it")
      }
      guard places[key] == nil else { throw wrong(place, "\(shown) is listed twice") }
      guard place + 8 <= file.count else {
        throw wrong(place, "\(shown) is missing: the file was cut off, fetch it again")
      }
      let header: [UInt8]
      do { header = try file.bytes(place..<place + 8) } catch { throw .file(error) }
      guard let count = ByteFields(header).wide(0), count <= (file.count - place - 8) / size else {
        throw wrong(
          place, "\(shown) is longer than the file: it was cut off, fetch it again")
      }
      places[key] = (place + 8, count, count * size)
      place += 8 + count * size
    }
    guard place == file.count else {
      throw wrong(place, "the storages end here, but the file has \(file.count) bytes")
    }
  }

  /// Where a storage's bytes lie in the file.
  func place(
    of storage: TorchStorage, _ elementSize: Int
  ) throws(CheckpointError) -> Range<Int> {
    let shown = "storage '\(storage.key.withVisibleControls)'"
    guard let found = places[storage.key] else {
      throw wrong(nil, "\(shown) is not in the file, which its pickle speaks of")
    }
    let size = storage.type == nil ? 1 : elementSize
    let offset = storage.offset ?? 0
    guard let byteCount = storage.byteCount(elementSize: size), offset <= found.room / size,
      byteCount <= found.room - offset * size, storage.offset != nil || storage.count == found.count
    else {
      throw wrong(
        found.start, "\(shown) has \(found.count) numbers, but the pickle says \(storage.count)")
    }
    let start = found.start + offset * size
    return start..<start + byteCount
  }

  private func wrong(_ offset: Int?, _ detail: String) -> CheckpointError {
    .malformed(path: path, offset: offset, rule: .pickleStorage, detail: detail)
  }
}
