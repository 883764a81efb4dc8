internal import Files
internal import FoundationEssentials

/// Every cache there is, to look models up in.
public struct ModelCaches: Sendable {
  /// The folders, in the order in which they are looked in.
  public let folders: [CacheFolder]
  /// The variable of the environment that says that nothing may be fetched.
  private let offline: String?

  /// The caches of an environment: that of this process where none is given.
  public init(_ environment: (String) -> String? = ProcessVariables.value) {
    folders = CacheFolders.all(in: environment)
    offline = CacheFolders.offlineVariable(environment)
  }

  /// The model of an id, from the first cache that has it.
  ///
  /// - Parameters:
  ///   - revision: a branch, a tag, a commit or the beginning of one; the usual branch where none is
  ///     given.
  ///   - nearest: the one of several names that is most like the one that was not found.
  /// - Throws: `HubError` that says where was looked and what would bring the model.
  public func find(
    _ reference: ModelReference, revision: String? = nil,
    nearest: (_ names: [String]) -> String? = { _ in nil }
  ) throws(HubError) -> CachedModel {
    if let typed = reference.revision, let revision, typed != revision {
      throw .twoRevisions(reference.id, typed, revision)
    }
    let revision = revision ?? reference.revision
    var first: HubError?
    for cache in folders where cache.hub == reference.hub ?? cache.hub {
      do throws(HubError) {
        if let found = try look(for: reference.id, revision, in: cache) { return found }
      } catch {
        // Another cache may have it whole.
        first = first ?? error
      }
    }
    throw first
      ?? .notFound(
        reference.id, revision: revision,
        lookedIn: folders.filter { $0.hub == reference.hub ?? $0.hub },
        hub: reference.hub, near: near(reference.id) ?? nearest(ids.map(\.description)),
        offline: offline)
  }

  private func look(
    for id: ModelID, _ revision: String?, in cache: CacheFolder
  ) throws(HubError) -> CachedModel? {
    switch cache.hub {
    case .huggingFace:
      let url = cache.url.appending(path: "models--\(id.joined)", directoryHint: .isDirectory)
      return try HubFolder(url)?.snapshot(revision)
    case .modelScope: return try ScopeFolder(cache: cache.url, id: id).model(revision)
    }
  }

  /// The id of a model that is there, and that differs in case, or in who publishes it.
  private func near(_ id: ModelID) -> String? {
    let all = ids
    let found = all.first { $0.description.lowercased() == id.description.lowercased() }
    return (found ?? all.first { $0.name.lowercased() == id.name.lowercased() })?.description
  }

  /// The ids of all models that the caches have anything of, each once, sorted; no file is opened.
  public var ids: [ModelID] {
    Set(folders.flatMap { ids(in: $0) }).sorted { $0.description < $1.description }
  }

  private func ids(in cache: CacheFolder) -> [ModelID] {
    switch cache.hub {
    case .huggingFace:
      namesInFolder(cache.url.barePath).compactMap { HubFolder(cache.url.appending(path: $0))?.id }
        .sorted { $0.description < $1.description }
    case .modelScope: ScopeFolder.ids(in: cache.url)
    }
  }

  /// Everything that the caches have, by cache and id; what is broken has its fault.
  ///
  /// - Returns: models, and ids of which there is no snapshot at all, with the reason.
  public func listing() -> (models: [CachedModel], broken: [(id: ModelID, fault: HubError)]) {
    var models: [CachedModel] = []
    var broken: [(id: ModelID, fault: HubError)] = []
    for cache in folders {
      for id in ids(in: cache) {
        let found: [CachedModel] =
          switch cache.hub {
          case .huggingFace:
            HubFolder(
              cache.url.appending(path: "models--\(id.joined)", directoryHint: .isDirectory))?
              .snapshots ?? []
          case .modelScope: ScopeFolder(cache: cache.url, id: id).models
          }
        models += found
        guard found.isEmpty else { continue }
        do throws(HubError) { _ = try look(for: id, nil, in: cache) } catch {
          broken.append((id, error))
        }
      }
    }
    return (models, broken)
  }
}
