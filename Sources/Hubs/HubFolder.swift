internal import Budget
internal import Files
public import FoundationEssentials
internal import Glibc

/// All that a Hugging Face cache has of one model: `models--owner--name`, with `refs`, `snapshots` and
/// `blobs`.
public struct HubFolder: Sendable {
  /// The folder.
  public let url: URL
  /// The model.
  public let id: ModelID

  /// The folder at `url`; nil where its name or its inside is none of a cache's.
  public init?(_ url: URL) {
    let prefix = "models--"
    let name = url.standardizedFileURL.lastPathComponent
    guard name.hasPrefix(prefix), let id = ModelID(joined: String(name.dropFirst(prefix.count))),
      ["snapshots", "refs", "blobs"].contains(where: { url.appending(path: $0).isFolder })
    else { return nil }
    (self.url, self.id) = (url, id)
  }

  // MARK: Finding

  /// The snapshot of a revision: a branch, a tag, a commit or the beginning of one; `main` where none
  /// is given.
  ///
  /// - Throws: `HubError`, where there is none, or where it is not complete.
  public func snapshot(_ revision: String?) throws(HubError) -> CachedModel {
    let found = try found(revision)
    if let fault = found.fault { throw fault }
    return found
  }

  private func found(_ revision: String?) throws(HubError) -> CachedModel {
    let wanted = revision ?? "main"
    let parts = wanted.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }), !wanted.contains("\0")
    else {
      throw .noRevisionName(wanted)
    }
    let all = snapshots
    let reference = url.appending(path: "refs/\(wanted)")
    if reference.isThere, !reference.isFolder {
      let commit = try commit(of: reference)
      guard let found = all.first(where: { $0.commit == commit }) else {
        throw .missingSnapshot(
          id, revision: wanted, commit: commit, folder: url.barePath, left: unfinished,
          command: Hub.huggingFace.download(id, revision: revision))
      }
      return found
    }
    // Tools that keep no commits name a snapshot after its branch.
    if let named = all.first(where: { $0.folder.lastPathComponent == wanted }) { return named }
    if wanted.isShortCommit {
      let fitting = all.filter { $0.commit?.hasPrefix(wanted.lowercased()) ?? false }
      if fitting.count == 1 { return fitting[0] }
      if fitting.count > 1 {
        throw .severalSnapshots(id, wanted, fitting.compactMap(\.commit))
      }
    }
    // Copied without its refs, a folder with a single snapshot leaves no choice.
    if revision == nil, all.count == 1, references.isEmpty { return all[0] }
    throw .noRevision(
      id, [wanted], folder: url.barePath, known: all.map { $0.revisionText ?? "" },
      choice: revision == nil ? all.first?.name : nil, left: unfinished,
      command: Hub.huggingFace.download(id, revision: revision))
  }

  /// The commit that a file of `refs` holds.
  private func commit(of reference: URL) throws(HubError) -> String {
    let text: String
    do {
      text = try WholeFile.readText(reference, limit: 4096)
    } catch { throw .file(error) }
    var commit = text
    while commit.last?.isWhitespace == true { commit.removeLast() }
    guard commit.isCommit else {
      throw .noCommit(reference.barePath, found: String(text.prefix(60)))
    }
    return commit
  }

  // MARK: Listing

  /// The branches and tags that there are, with the commits that they name; those that cannot be read
  /// are left out.
  private var references: [(name: String, commit: String)] {
    func inside(_ folder: URL, _ prefix: String, depth: Int) -> [(name: String, commit: String)] {
      namesInFolder(folder.barePath).flatMap { name -> [(name: String, commit: String)] in
        let url = folder.appending(path: name)
        if url.isFolder, depth < 8 { return inside(url, "\(prefix)\(name)/", depth: depth + 1) }
        return (try? commit(of: url)).map { [(prefix + name, $0)] } ?? []
      }
    }
    return inside(url.appending(path: "refs"), "", depth: 0)
  }

  /// Every snapshot, in the order of their folders' names.
  public var snapshots: [CachedModel] {
    let references = references
    let folder = url.appending(path: "snapshots")
    let names = namesInFolder(folder.barePath).filter { name in
      !name.hasPrefix(".") && folder.appending(path: name).isFolder
    }
    return names.map { name in
      let place = folder.appending(path: name, directoryHint: .isDirectory)
      let commit = name.isCommit ? name : nil
      var model = CachedModel(
        id: id, hub: .huggingFace, folder: place,
        revisions: commit.map { commit in
          references.filter { $0.commit == commit }.map(\.name)
        } ?? [name], commit: commit)
      model.isOnly = names.count == 1 && references.isEmpty
      model.fault = SnapshotCheck.fault(
        of: model, left: unfinished,
        command: Hub.huggingFace.download(
          id, revision: model.revisions.contains("main") ? nil : model.revisions.first ?? commit))
      return model
    }
  }

  /// The files that broken-off downloads left, with their sizes.
  var unfinished: [String] {
    let blobs = url.appending(path: "blobs")
    return namesInFolder(blobs.barePath).filter { $0.hasSuffix(".incomplete") }.map { name in
      var status = stat()
      let isThere = stat(blobs.appending(path: name).barePath, &status) == 0
      return "blobs/\(name)" + (isThere ? " (\(Int(status.st_size).asByteCount))" : "")
    }
  }
}

extension String {
  /// Whether it is a commit in full.
  var isCommit: Bool { utf8.count == 40 && isHexadecimal }

  /// Whether it may be the beginning of a commit.
  var isShortCommit: Bool { (5..<40).contains(utf8.count) && isHexadecimal }

  private var isHexadecimal: Bool {
    utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
      default: false
      }
    }
  }
}

extension URL {
  /// Whether a folder is there, links followed.
  var isFolder: Bool {
    var status = stat()
    return stat(barePath, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether anything is there, if only a link that leads nowhere.
  var isThere: Bool {
    var status = stat()
    return lstat(barePath, &status) == 0
  }
}
