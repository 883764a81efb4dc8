internal import Files
internal import FoundationEssentials
internal import Synchronization
internal import Tensors

/// A PyTorch checkpoint, `pytorch_model.bin`: its pickle read by a machine that calls nothing, its
/// tensors left on the disk until they are used.
///
/// Both formats of `torch.save`: the zip archive of PyTorch 1.6 and later, and the row of pickles
/// before it. Tensors whose elements lie in order are mapped; other views are copied once.
struct TorchFile: TensorFile {
  let url: URL
  let entries: [TensorEntry]
  let unread: [UnreadTensor]
  let notes: [String]
  let metadata: [String: String] = [:]
  private let file: MappedFile
  private let layouts: [TensorLayout]
  private let copies = CopiedTensors()

  /// Reads an archive.
  init(archive: ZipArchive) throws(CheckpointError) {
    let storages = try TorchArchive(archive)
    try self.init(
      file: archive.file, try storages.stateDictionary(), pickle: storages.pickleStart
    ) { (storage, size) throws(CheckpointError) in try storages.place(of: storage, size) }
  }

  /// Reads a file of the format before PyTorch 1.6.
  init(legacy file: MappedFile) throws(CheckpointError) {
    let old = try LegacyTorchFile(file)
    try self.init(file: file, old.dictionary, pickle: 0) {
      (storage, size) throws(CheckpointError) in try old.place(of: storage, size)
    }
  }

  /// - Parameter place: where the bytes of a storage lie in the file, with elements of a size.
  private init(
    file: MappedFile, _ dictionary: StateDictionary, pickle: Int,
    place: (TorchStorage, Int) throws(CheckpointError) -> Range<Int>
  ) throws(CheckpointError) {
    let path = file.path
    var (entries, layouts): ([TensorEntry], [TensorLayout]) = ([], [])
    var unread: [UnreadTensor] = []
    // Views may show one number many times; together they stay near the size of their file.
    var room = max(file.count, 1 << 26)
    for (name, view) in dictionary.tensors {
      func wrong(_ rule: FormatRule, _ detail: String) -> CheckpointError {
        .malformed(
          path: path, offset: nil, rule: rule,
          detail: "tensor '\(name.withVisibleControls)' \(detail)")
      }
      if let type = view.unreadType {
        unread.append(UnreadTensor(name: name, type: type, shape: view.shape))
        continue
      }
      let storage = dictionary.storages[view.storage]
      guard let type = view.type ?? storage.type else {
        throw wrong(.pickleStorage, "has no type")
      }
      guard
        let layout = TensorLayout(
          view, elementSize: type.size, storage: try place(storage, type.size))
      else {
        throw wrong(
          .pickleView,
          "of shape \(view.shape) with strides \(view.strides) from element \(view.offset) on "
            + "reaches beyond its storage of \(storage.count)")
      }
      if !layout.isContiguous {
        room -= layout.byteCount
        guard room >= 0 else {
          throw wrong(
            .pickleView, "of shape \(view.shape) shows a few numbers again and again, too often")
        }
      }
      entries.append(
        TensorEntry(name: name, type: type, shape: view.shape, bytes: 0..<layout.byteCount))
      layouts.append(layout)
    }
    (url, self.file, self.entries, self.layouts) = (file.url, file, entries, layouts)
    (self.unread, notes) = (unread, dictionary.notes)
  }

  func mapped(_ place: Int) -> StoredBytes? {
    let layout = layouts[place]
    guard layout.isContiguous else { return nil }
    return StoredBytes(start: file.address(layout.start), count: layout.byteCount, owner: file)
  }

  func stored(_ place: Int) -> StoredBytes {
    if let mapped = mapped(place) { return mapped }
    let layout = layouts[place]
    return copies.copy(place) {
      StoredBytes(count: layout.byteCount) { layout.gather(from: file.address(0), into: $0) }
    }
  }

  func bytes(_ place: Int) throws(CheckpointError) -> [UInt8] {
    let layout = layouts[place]
    guard layout.isContiguous else {
      return [UInt8](unsafeUninitializedCapacity: layout.byteCount) { out, done in
        if let out = out.baseAddress { layout.gather(from: file.address(0), into: out) }
        done = layout.byteCount
      }
    }
    do { return try file.bytes(layout.start..<layout.start + layout.byteCount) } catch {
      throw .file(error)
    }
  }

  func release(_ place: Int) { file.release(layouts[place].storage) }

  func identity(_ place: Int) -> [Int]? {
    let layout = layouts[place]
    return layout.byteCount == 0
      ? nil : [layout.start] + layout.shape + layout.strides + [entries[place].type.size]
  }
}

/// Copies of tensors, each made once.
final class CopiedTensors: Sendable {
  private let made = Mutex<[Int: StoredBytes]>([:])

  /// The copy of the tensor at `place`, which `make` makes the first time.
  func copy<Failure: Error>(
    _ place: Int, _ make: () throws(Failure) -> StoredBytes
  ) throws(Failure) -> StoredBytes {
    if let found = made.withLock({ $0[place] }) { return found }
    let copy = try make()
    return made.withLock { copies in
      if let found = copies[place] { return found }
      copies[place] = copy
      return copy
    }
  }
}

extension MappedFile {
  /// The address of a byte, for whoever holds this object as long.
  func address(_ place: Int) -> UnsafeRawPointer {
    // Where anything is asked for there is a base.
    (baseAddress ?? UnsafeRawPointer(bitPattern: 8).unsafelyUnwrapped) + place
  }
}
