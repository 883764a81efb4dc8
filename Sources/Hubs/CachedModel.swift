internal import Files
public import FoundationEssentials

/// A model that lies in a hub's cache.
public struct CachedModel: Equatable, Sendable {
  /// The name under which it is published.
  public let id: ModelID
  /// Where it is published.
  public let hub: Hub
  /// The folder with its files.
  public let folder: URL
  /// The branches and tags that the cache knows it by, sorted; those of ModelScope are single.
  public let revisions: [String]
  /// The commit; nil where the cache does not say.
  public let commit: String?
  /// Why it cannot be read, in a sentence; nil where nothing is known to be missing.
  public var fault: HubError?

  /// What `load` takes for exactly this: the id, with the revision where it is not the usual one.
  public var name: String {
    if revisions.isEmpty || revisions.contains(where: Self.usual.contains) || isOnly {
      return id.description
    }
    // Of several names for one commit none is the one that was asked for.
    let short = commit.map { String($0.prefix(12)) }
    return "\(id)@\((revisions.count == 1 ? revisions[0] : short) ?? revisions.first ?? "")"
  }

  /// Whether the cache has no other revision of the model and no name for this one.
  var isOnly = false

  /// `main, commit 3d74acf9a28c`; nil where neither is known.
  public var revisionText: String? {
    let parts = revisions + [commit.map { "commit \($0.prefix(12))" }].compactMap { $0 }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// The branches that stand for a model when no revision is given.
  static let usual = ["main", "master"]
}

extension CachedModel {
  /// The model of a cache that `folder` is; nil where it is none.
  ///
  /// The layout alone decides for snapshots, wherever they lie; the older folders of ModelScope are
  /// known by lying in its cache.
  public init?(
    at folder: URL, in caches: [CacheFolder] = CacheFolders.all()
  ) {
    let place = folder.standardizedFileURL
    let snapshots = place.deletingLastPathComponent()
    if snapshots.lastPathComponent == "snapshots",
      let found = HubFolder(snapshots.deletingLastPathComponent())?.snapshots
        .first(where: { $0.folder.lastPathComponent == place.lastPathComponent })
    {
      self = found
      return
    }
    for cache in caches where cache.hub == .modelScope {
      let root = cache.url.standardizedFileURL.pathComponents
      guard place.pathComponents.starts(with: root) else { continue }
      let rest = Array(place.pathComponents.dropFirst(root.count))
      let isSnapshot = rest.count == 4 && rest[0] == "models" && rest[2] == "snapshots"
      guard let id = isSnapshot ? ModelID(joined: rest[1]) : ScopeFolder.id(ofOlder: rest) else {
        continue
      }
      self.init(
        id: id, hub: .modelScope, folder: folder,
        revisions: isSnapshot
          ? [rest[3]] : ScopeFolder.revision(ofOlder: folder).map { [$0] } ?? [],
        commit: nil)
      return
    }
    return nil
  }
}

extension CachedModel {
  /// The model of a folder that holds snapshots of one, or of `snapshots`, `refs` or `blobs` in it; nil
  /// for other folders.
  ///
  /// - Parameter revision: a branch, a tag, a commit or the beginning of one.
  /// - Throws: `HubError` where it has no such revision, or not all of it.
  public static func among(
    snapshotsOf folder: URL, revision: String?
  ) throws(HubError) -> CachedModel? {
    let place = folder.standardizedFileURL
    let isInside = ["snapshots", "refs", "blobs"].contains(place.lastPathComponent)
    let whole = isInside ? place.deletingLastPathComponent() : place
    if let hub = HubFolder(whole) { return try hub.snapshot(revision) }
    let models = whole.deletingLastPathComponent()
    guard whole.appending(path: "snapshots").isFolder, models.lastPathComponent == "models",
      let id = ModelID(joined: whole.lastPathComponent)
    else { return nil }
    return try ScopeFolder(cache: models.deletingLastPathComponent(), id: id).model(revision)
  }
}

extension URL {
  /// The path without a slash at its end.
  var barePath: String {
    var path = path(percentEncoded: false)
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }
}
