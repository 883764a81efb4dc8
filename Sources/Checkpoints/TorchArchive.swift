internal import Files

/// The zip archive that `torch.save` writes: a pickle, and a member for the bytes of each storage.
struct TorchArchive {
  private let archive: ZipArchive
  /// The folder that all members are in.
  private let prefix: String
  private let pickle: ZipArchive.Member

  /// Finds the pickle, and checks that the archive is one of PyTorch's.
  init(_ archive: ZipArchive) throws(CheckpointError) {
    self.archive = archive
    func wrong(_ rule: FormatRule, _ detail: String) -> CheckpointError {
      .malformed(path: archive.path, offset: nil, rule: rule, detail: detail)
    }
    let pickles = archive.members.filter { $0.name.hasSuffix("/data.pkl") || $0.name == "data.pkl" }
    guard let pickle = pickles.first, pickles.count == 1 else {
      throw wrong(
        .otherFormat,
        pickles.isEmpty
          ? "this is a zip archive, but not of PyTorch (no data.pkl) nor of arrays (.npy)"
          : "this archive has \(pickles.count) pickles called data.pkl, expected one")
    }
    (self.pickle, prefix) = (pickle, String(pickle.name.dropLast("data.pkl".count)))
    if archive.member(prefix + "constants.pkl") != nil {
      throw wrong(
        .otherFormat,
        "this is a TorchScript program, not a state dict; with PyTorch, save its state_dict() alone"
      )
    }
    if let order = archive.member(prefix + "byteorder") {
      let word = String(decoding: try archive.bytes(order, prefix: 16), as: UTF8.self)
      guard word == "little" else {
        throw wrong(
          .byteOrder,
          "its numbers are in byte order '\(word.withVisibleControls)'; only 'little' is read")
      }
    }
    guard !pickle.isDeflated else {
      throw wrong(
        .zipMember,
        "its members are deflated (compressed), which torch.save never does; pack it again without")
    }
    guard pickle.byteCount <= PickleMachine.byteLimit else {
      throw wrong(
        .pickleLimit,
        "its pickle has \(pickle.byteCount) bytes, at most \(PickleMachine.byteLimit) are read")
    }
  }

  /// Where the pickle begins in the file.
  var pickleStart: Int { pickle.place.lowerBound }

  /// The tensors that the pickle names.
  func stateDictionary() throws(CheckpointError) -> StateDictionary {
    var machine = PickleMachine(try archive.bytes(pickle))
    do throws(PickleMachine.Failure) {
      let value = try machine.run()
      return try StateDictionary(value, of: machine)
    } catch {
      throw .malformed(
        path: archive.path, offset: pickleStart + error.offset, rule: error.rule,
        detail: error.detail)
    }
  }

  /// Where a storage's bytes lie in the file.
  func place(
    of storage: TorchStorage, _ elementSize: Int
  ) throws(CheckpointError) -> Range<Int> {
    let name = "\(prefix)data/\(storage.key)"
    func wrong(_ detail: String) -> CheckpointError {
      .malformed(path: archive.path, offset: nil, rule: .pickleStorage, detail: detail)
    }
    let shown = "storage '\(storage.key.withVisibleControls)'"
    guard let member = archive.member(name) else {
      throw wrong("\(shown) is not in the archive, which the pickle speaks of")
    }
    guard !member.isDeflated else {
      throw wrong("\(shown) is deflated (compressed), which torch.save never does")
    }
    // A storage without a type counts bytes.
    let size = storage.type == nil ? 1 : elementSize
    guard let count = storage.byteCount(elementSize: size), count == member.byteCount,
      storage.offset == nil
    else {
      throw wrong(
        "\(shown) has \(member.byteCount) bytes, but the pickle says \(storage.count) numbers of "
          + "\(size)")
    }
    return member.place
  }
}
