internal import Files
internal import FoundationEssentials
internal import Glibc

/// One model of a ModelScope cache, in any of the layouts that its versions have had.
struct ScopeFolder {
  let cache: URL
  let id: ModelID

  /// The folders in which versions before snapshots kept the model, the newest first.
  private var older: [URL] {
    guard let owner = id.owner else { return [] }
    let safe = id.name.split(separator: ".", omittingEmptySubsequences: false)
      .joined(separator: "___")
    let names = safe == id.name ? [safe] : [safe, id.name]
    return ["models/", "hub/models/", "", "hub/"].flatMap { prefix in
      names.map { name in
        cache.appending(path: "\(prefix)\(owner)/\(name)", directoryHint: .isDirectory)
      }
    }
  }

  private var snapshotsFolder: URL { cache.appending(path: "models/\(id.joined)/snapshots") }

  /// Everything there is of the model.
  ///
  /// A folder and a link to it count once, and so does one of no file.
  var models: [CachedModel] {
    let folder = snapshotsFolder
    var found = namesInFolder(folder.barePath).filter { !$0.hasPrefix(".") }
      .map { ($0, folder.appending(path: $0, directoryHint: .isDirectory)) }
      .filter { $0.1.isFolder }.map { self.model([$0.0], $0.1) }
    for folder in older where folder.isFolder && !namesInFolder(folder.barePath).isEmpty {
      let revision = Self.revision(ofOlder: folder)
      let model = model(revision.map { [$0] } ?? [], folder)
      let place = folder.resolvingSymlinksInPath().barePath
      if !found.contains(where: { $0.folder.resolvingSymlinksInPath().barePath == place }) {
        found.append(model)
      }
    }
    if found.count == 1, found[0].revisions.isEmpty { found[0].isOnly = true }
    return found
  }

  private func model(_ revisions: [String], _ folder: URL) -> CachedModel {
    var model = CachedModel(
      id: id, hub: .modelScope, folder: folder, revisions: revisions, commit: nil)
    model.fault = SnapshotCheck.fault(
      of: model, left: unfinished,
      command: Hub.modelScope.download(
        id, revision: revisions.first.flatMap { CachedModel.usual.contains($0) ? nil : $0 }))
    return model
  }

  /// The model of a revision: `master` where none is given, else the only one there is.
  ///
  /// - Returns: nil where there is nothing of the model.
  func model(_ revision: String?) throws(HubError) -> CachedModel? {
    let all = models
    guard !all.isEmpty || !unfinished.isEmpty else { return nil }
    let wanted = revision.map { [$0] } ?? ["master", "main"]
    let named = wanted.compactMap { name in all.first { $0.revisions.contains(name) } }.first
    let found =
      named ?? (revision == nil ? all.first { $0.revisions.isEmpty } : nil)
      ?? (revision == nil && all.count == 1 ? all[0] : nil)
    guard let found else {
      throw .noRevision(
        id, wanted, folder: cache.barePath, known: all.compactMap(\.revisionText),
        choice: revision == nil ? all.first?.name : nil, left: unfinished,
        command: Hub.modelScope.download(id, revision: revision))
    }
    if let fault = found.fault { throw fault }
    return found
  }

  /// What broken-off downloads of older versions left.
  private var unfinished: [String] {
    guard let owner = id.owner else { return [] }
    return ["models/", "hub/models/", "", "hub/"].map { "\($0)._____temp/\(owner)/\(id.name)" }
      .filter { !namesInFolder(cache.appending(path: $0).barePath).isEmpty }
  }

  // MARK: Folders of older versions

  /// The id of a folder by its place in the cache; nil where no version kept models there.
  static func id(ofOlder place: [String]) -> ModelID? {
    let rest = place.first == "hub" ? place.dropFirst() : place[...]
    let inner = rest.first == "models" ? rest.dropFirst() : rest
    guard inner.count == 2, let owner = inner.first, let name = inner.last,
      inner.count != rest.count || !others.contains(owner)
    else { return nil }
    return ModelID("\(owner)/\(name.replacing("___", with: "."))")
  }

  /// What else lies in the cache beside the owners of models.
  private static let others = [
    "hub", "models", "datasets", "studios", "mcps", "skills", "agent", "ast_indexer", "credentials",
  ]

  /// The revision that the file `.mv` of a folder names, as in `Revision:master,CreatedAt:1700000000`.
  static func revision(ofOlder folder: URL) -> String? {
    guard let text = try? WholeFile.readText(folder.appending(path: ".mv"), limit: 4096),
      let entry = text.split(separator: ",").first(where: { $0.hasPrefix("Revision:") })
    else { return nil }
    let name = entry.dropFirst(9).prefix { !$0.isWhitespace }
    return name.isEmpty ? nil : String(name)
  }

  /// The ids of all that a cache has, sorted, each once.
  static func ids(in cache: URL) -> [ModelID] {
    var ids: Set<ModelID> = []
    func visible(_ folder: URL) -> [String] {
      namesInFolder(folder.barePath).filter { !$0.hasPrefix(".") }
    }
    for name in visible(cache.appending(path: "models")) where name.contains("--") {
      if let id = ModelID(joined: name) { ids.insert(id) }
    }
    for prefix in [["models"], ["hub", "models"], [], ["hub"]] {
      let folder = prefix.reduce(cache) { $0.appending(path: $1) }
      for owner in visible(folder) where !owner.contains("--") {
        for name in visible(folder.appending(path: owner)) {
          let place = folder.appending(path: owner).appending(path: name)
          // Outside of `models` anything may lie: there only what has a model's configuration counts.
          guard let id = id(ofOlder: prefix + [owner, name]), place.isFolder,
            prefix.last == "models" || place.appending(path: "config.json").isThere
          else { continue }
          ids.insert(id)
        }
      }
    }
    return ids.sorted { $0.description < $1.description }
  }
}
