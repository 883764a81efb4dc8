internal import Checkpoints
public import Files
public import Foundation
internal import Glibc
internal import Hubs
internal import Language
internal import Models
internal import Runtime

/// Where a model lies that a person names: the one answer for `load`, `--model`, and every other place
/// that takes a model.
public enum ModelPlace {
  /// The folder of the model that `text` names.
  ///
  /// In this order: a model that ships by its name; a folder, which may be what a hub's cache has of a
  /// model (`models--owner--name`); a published model by its id, as `owner/name` or `owner/name@revision`,
  /// in the caches of this machine.
  ///
  /// - Parameters:
  ///   - revision: a branch, a tag or a commit of a published model.
  ///   - readsWeights: whether a snapshot must have weights.
  ///   - path: what a path means that is typed; in the current folder where nothing else is said.
  /// - Throws: `HubError` or `CheckpointError` where there is none, with what was looked for.
  public static func folder(
    _ text: String, revision: String? = nil, readsWeights: Bool = true,
    path: (String) -> URL = { URL(typed: $0, isFolder: true) }
  ) throws -> URL {
    do {
      return try folder(text, revision, path: path)
    } catch HubError.noWeights(_, let folder, _) where !readsWeights {
      return URL(filePath: folder, directoryHint: .isDirectory)
    }
  }

  private static func folder(
    _ text: String, _ revision: String?, path: (String) -> URL
  ) throws -> URL {
    // Longer than any path: it is neither looked through nor shown as a whole.
    guard text.utf8.count <= Int(PATH_MAX) else {
      throw FileFailure(text.bounded(to: 100), errno: ENAMETOOLONG, while: .read)
    }
    if let shipped = ShippedModel.folder(named: text) {
      try refuse(revision, of: text)
      return shipped
    }
    let place = path(text)
    if FileManager.default.fileExists(atPath: place.path(percentEncoded: false)) {
      if let cached = try CachedModel.among(snapshotsOf: place, revision: revision) {
        return cached.folder
      }
      try refuse(revision, of: text)
      return place
    }
    // What is there and may not be looked at is told apart from what is not there.
    guard let reference = ModelReference(text), !isThere(place) else {
      // The sentence names it without a slash at its end.
      return try CheckpointFolder(URL(filePath: place.path)).url
    }
    return try ModelCaches().find(reference, revision: revision) { names in
      NearestName.of(text, among: ShippedModel.all.map(\.name) + names)
    }.folder
  }

  /// Whether `text` can only mean a model: the name of one that ships, or an id in two parts that is no
  /// path of anything.
  static func isModel(_ text: String) -> Bool {
    guard !FileManager.default.fileExists(atPath: text.withHomeFolder) else { return false }
    return ShippedModel.folder(named: text) != nil
      || ModelReference(text).map { $0.id.owner != nil } ?? false
  }

  /// What a model is called that was read from `folder`: one that ships by its name, one of a hub by its
  /// id, others by their folder.
  static func name(of folder: URL) -> String {
    let shipped = ShippedModel.name(of: folder)
    guard shipped == folder.lastPathComponent else { return shipped }
    return CachedModel(at: folder)?.name ?? shipped
  }

  /// The names by which models can be loaded without a path: those that ship and those that were
  /// downloaded.
  static var names: [String] {
    ShippedModel.all.map(\.name) + ModelCaches().ids.map(\.description)
  }

  private static func refuse(_ revision: String?, of text: String) throws {
    guard revision != nil else { return }
    throw ArgumentFailure(
      parameter: "revision",
      "is for published models, by their id; \(Value.text(text).inMessage) is none")
  }

  /// Whether something has that path, as far as this process may look.
  private static func isThere(_ place: URL) -> Bool {
    var status = stat()
    return unsafe lstat(place.path, &status) == 0 || errno == EACCES
  }
}
