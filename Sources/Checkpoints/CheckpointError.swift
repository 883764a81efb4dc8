public import Files

/// Why a checkpoint cannot be read or does not fit the model its configuration describes.
public enum CheckpointError: HasExitCode, Equatable {
  /// A file could not be read or written.
  case file(FileFailure)
  /// A file's bytes break a rule of its format; `offset` counts bytes of the file.
  case malformed(path: String, offset: Int?, rule: FormatRule, detail: String)

  /// There is no folder at `path`; `isFile` if a file is there.
  case noFolder(path: String, isFile: Bool)
  /// The folder has no `name`; `present` is what it does have.
  case noFile(folder: String, name: String, present: [String])
  /// The folder has a model in another layout; `words` say which, and what to do.
  case foreign(folder: String, words: String)
  /// The index names a shard that is no plain file name with the right ending.
  case shardName(index: String, name: String)
  /// The index is JSON, but not an index; `detail` says what is wrong.
  case index(path: String, detail: String)
  /// The index says `key` lies in `shard`, and it does not; `actual` is the shard that has it.
  case notInShard(index: String, key: String, shard: String, actual: String?)
  /// Two shards have a tensor of one name.
  case inTwoShards(key: String, first: String, second: String)
  /// The shards hold another number of bytes than their index says.
  case totalSize(index: String, expected: Int, found: Int)

  /// Somebody asked for a tensor by name that is not there; `closest` is the nearest name.
  case noTensor(source: String, key: String, closest: String?)
  /// The model needs tensors that are not there, and the file has tensors that nothing uses.
  ///
  /// `closest` is the unused tensor most like the first missing one; `areAll` says whether all tensors
  /// were looked for.
  case missing(
    source: String, keys: [String], closest: String?, unread: [String], areAll: Bool)
  /// A tensor is not of the size the configuration gives.
  case wrongShape(source: String, key: String, expected: [Int], found: [Int])
  /// A tensor is of a type that weights cannot have.
  case wrongType(source: String, key: String, expected: String, found: String)
  /// A number in double precision that would be infinite in single precision.
  case beyondFloat32(source: String, key: String, number: Double)
  /// Tensors that together are a quantized weight do not fit together; `key` is the one to look at.
  case packing(source: String, key: String, detail: String)
  /// The file holds tensors that no part of the model asked for.
  case unread(source: String, keys: [String])

  /// Reading was stopped by the person who started it.
  case stopped(source: String)

  /// The exit code of a process that ends because of this.
  public var exitCode: Int32 {
    switch self {
    case .file(let failure): failure.exitCode
    case .noFolder, .noFile, .foreign, .noTensor: ExitCode.missingInput
    default: ExitCode.badData
    }
  }
}

extension CheckpointError: CustomStringConvertible {
  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .file(let failure): return failure.description
    case .malformed(let path, let offset, let rule, let detail):
      let place = offset.map { ": byte \($0)" } ?? ""
      return "\(path.withVisibleControls)\(place): \(detail) (\(rule.rawValue))"
    case .noFolder(let path, let isFile):
      return isFile
        ? fileForFolder(path) : "\(path.withVisibleControls): no such folder; check the path"
    case .noFile(let folder, let name, let present):
      return "\(folder.withVisibleControls): has no \(name); \(listing(present))"
    case .foreign(let folder, let words): return "\(folder.withVisibleControls): \(words)"
    case .shardName(let index, let name):
      return """
        \(index.withVisibleControls): shard \(quoted(name)) is not a plain file name ending in \
        .safetensors or .bin; the index is damaged or hostile
        """
    case .index(let path, let detail): return "\(path.withVisibleControls): \(detail)"
    case .notInShard(let index, let key, let shard, let actual):
      let where_ = actual.map { "it is in \($0)" } ?? "no shard has it"
      return """
        \(index.withVisibleControls): says tensor \(quoted(key)) is in \(shard), but \(where_); \
        the shards are not of one download
        """
    case .inTwoShards(let key, let first, let second):
      return """
        tensor \(quoted(key)) is both in \(first.withVisibleControls) and in \
        \(second.withVisibleControls); the shards are not of one download
        """
    case .totalSize(let index, let expected, let found):
      return """
        \(index.withVisibleControls): says \(expected) bytes of tensors, the shards hold \(found); \
        the shards are not of one download
        """
    case .noTensor(let source, let key, let closest):
      let hint = closest.map { "; the nearest name is \(quoted($0))" } ?? ""
      return "\(source.withVisibleControls): has no tensor \(quoted(key))\(hint)"
    case .missing(let source, let keys, let closest, let unread, let areAll):
      return missing(source, keys, closest, unread, areAll)
    case .wrongShape(let source, let key, let expected, let found):
      let hint = isTransposed(expected, found) ? "; it looks transposed" : ""
      return """
        \(source.withVisibleControls): tensor \(quoted(key)) has shape \(found), but the \
        configuration calls for \(expected)\(hint)
        """
    case .beyondFloat32(let source, let key, let number):
      return
        "\(source.withVisibleControls): tensor \(quoted(key)) holds \(number), which float32 has not"
    case .wrongType(let source, let key, let expected, let found):
      return """
        \(source.withVisibleControls): tensor \(quoted(key)) is of type \(found), expected \
        \(expected)
        """
    case .packing(let source, let key, let detail):
      return "\(source.withVisibleControls): quantized tensor \(quoted(key)) \(detail)"
    case .stopped(let source): return "\(source.withVisibleControls): reading was stopped"
    case .unread(let source, let keys):
      return keys.count == 1
        ? """
        \(source.withVisibleControls): has tensor \(quoted(keys[0])), which no part of this model \
        uses; the configuration may be another model's
        """
        : """
        \(source.withVisibleControls): has \(keys.count) tensors that no part of this model uses: \
        \(some(keys.map(quoted))); the configuration may be another model's
        """
    }
  }

  /// A file where a model's folder should be: what to give instead.
  private func fileForFolder(_ path: String) -> String {
    let name = path.withVisibleControls
    if path.lowercased().hasSuffix(".gguf") {
      return "\(name): is a GGUF file, which is not read; \(ForeignLayout.instead)"
    }
    let isWeights = [".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".npz", ".npy"]
      .contains { path.hasSuffix($0) }
    return "\(name): is a file; give the folder that holds the model"
      + (isWeights ? ", or look into it with tensors(\"…\")" : "")
  }

  private func missing(
    _ source: String, _ keys: [String], _ closest: String?, _ unread: [String], _ areAll: Bool
  ) -> String {
    var text = "\(source.withVisibleControls): tensor \(quoted(keys.first ?? "")) is missing"
    if let closest {
      text += "; the file has \(quoted(closest)), which no part of this model uses"
    }
    var more: [String] = []
    if !areAll {
      more.append(
        (keys.count > 1 ? "so are \(keys.count - 1) others, " : "") + "and no more were looked for")
    } else if keys.count > 1 {
      more.append("\(keys.count) tensors are missing in all")
    }
    if unread.count > (closest == nil ? 0 : 1) {
      more.append("\(unread.count) are unused, such as \(some(unread.prefix(3).map(quoted)))")
    }
    if !more.isEmpty { text += "; " + more.joined(separator: " and ") }
    return text
  }

  private func isTransposed(_ expected: [Int], _ found: [Int]) -> Bool {
    expected != found && expected.count >= 2 && found == expected.reversed()
  }

  private func quoted(_ name: String) -> String {
    name.utf8.count <= 200
      ? "'\(name.withVisibleControls)'"
      : "'\(String(name.unicodeScalars.prefix(200)).withVisibleControls)…'"
  }

  private func some(_ names: [String]) -> String {
    let shown = names.prefix(5).map(\.withVisibleControls).joined(separator: ", ")
    return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
  }

  private func listing(_ names: [String]) -> String {
    names.isEmpty ? "it is empty" : "it has \(some(names))"
  }
}

/// The rules of file formats that a damaged or hostile file breaks, each with a code that stays.
public enum FormatRule: String, Sendable, CaseIterable {
  /// Fewer than eight bytes.
  case tooShort = "FV-ST-01"
  /// A header longer than 100 MB.
  case headerTooLarge = "FV-ST-02"
  /// A header that ends after the file.
  case headerBeyondFile = "FV-ST-03"
  /// A header that is not JSON.
  case headerSyntax = "FV-ST-04"
  /// Two tensors of one name.
  case duplicateTensor = "FV-ST-05"
  /// Two fields of one name.
  case duplicateField = "FV-ST-06"
  /// A field that is not there.
  case missingField = "FV-ST-07"
  /// A field of another kind than it must be.
  case wrongField = "FV-ST-08"
  /// A number format that nobody knows.
  case unknownType = "FV-ST-09"
  /// A dimension that is negative, no whole number or larger than 2^48.
  case dimension = "FV-ST-11"
  /// More elements than a 64-bit computer can count.
  case overflow = "FV-ST-12"
  /// Offsets that hold another number of bytes than shape and type need.
  case sizeMismatch = "FV-ST-13"
  /// Offsets that are no two whole numbers in order.
  case offsets = "FV-ST-14"
  /// A tensor that ends after the file: usually a download that was cut off.
  case truncated = "FV-ST-15"
  /// Bytes between tensors that belong to none.
  case hole = "FV-ST-16"
  /// Tensors that share bytes.
  case overlap = "FV-ST-17"
  /// Bytes after the last tensor.
  case trailingBytes = "FV-ST-18"
  /// `__metadata__` that is not text for each name.
  case metadata = "FV-ST-19"
  /// More tensors, axes or letters in a name than are read.
  case limit = "FV-ST-20"
  /// The pointer that git leaves where it did not fetch the file.
  case gitPointer = "FV-ST-21"
  /// A web page.
  case webPage = "FV-ST-22"
  /// Another kind of file.
  case otherFormat = "FV-ST-23"

  /// Bytes that are no `.npy` file.
  case npyMagic = "FV-NP-01"
  /// A header that is cut off, too long or no dictionary of the three keys.
  case npyHeader = "FV-NP-02"
  /// A number format that is not read; pickled objects never are.
  case npyType = "FV-NP-03"
  /// Another number of bytes than shape and type need.
  case npySize = "FV-NP-04"

  /// A zip archive without a directory that can be followed.
  case zipDirectory = "FV-ZP-01"
  /// A member that is not where, what or as large as the directory says.
  case zipMember = "FV-ZP-02"
  /// A member that unpacks to far more than it is.
  case zipBomb = "FV-ZP-03"

  /// A pickle with instructions that it cannot have, or that do not fit together.
  case pickleSyntax = "FV-PT-01"
  /// A pickle that names or calls what no state dict needs.
  case pickleName = "FV-PT-02"
  /// A pickle larger than any state dict's.
  case pickleLimit = "FV-PT-03"
  /// Numbers that the pickle speaks of and the file does not have so.
  case pickleStorage = "FV-PT-04"
  /// A tensor that does not fit its numbers.
  case pickleView = "FV-PT-05"
  /// Numbers whose highest byte comes first.
  case byteOrder = "FV-PT-06"
  /// A pickle of something else than named tensors.
  case pickleContents = "FV-PT-07"
}
