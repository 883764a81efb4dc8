public import Files
internal import FoundationEssentials

/// Why a published model was not found where models lie.
public enum HubError: HasExitCode, Equatable, CustomStringConvertible {
  /// No cache has anything of it; `near` is one that is there and has nearly that name.
  case notFound(
    ModelID, revision: String?, lookedIn: [CacheFolder], hub: Hub?, near: String?, offline: String?)
  /// There are snapshots of it, but none of that revision, or of the usual ones where none was asked
  /// for; `choice` is a name by which one is found, `left` what a broken-off download left.
  case noRevision(
    ModelID, [String], folder: String, known: [String], choice: String?, left: [String],
    command: String)
  /// A revision that can be none.
  case noRevisionName(String)
  /// One revision with the id and another beside it.
  case twoRevisions(ModelID, String, String)
  /// The beginning of several commits.
  case severalSnapshots(ModelID, String, [String])
  /// A file of `refs` that holds something else than a commit.
  case noCommit(String, found: String)
  /// A revision is known, but its snapshot is not there.
  case missingSnapshot(
    ModelID, revision: String, commit: String, folder: String, left: [String], command: String)
  /// A snapshot lacks a file.
  case unfinished(ModelID, folder: String, missing: String, left: [String], command: String)
  /// A snapshot has a model's settings and no weights, as one of the small files alone.
  case noWeights(ModelID, folder: String, command: String)
  /// A file of the cache cannot be read.
  case file(FileFailure)

  /// The exit code of a process that ends because of this.
  public var exitCode: Int32 {
    switch self {
    case .noRevisionName, .twoRevisions, .severalSnapshots: ExitCode.usage
    case .noCommit: ExitCode.badData
    case .file(let failure): failure.exitCode
    case .notFound, .noRevision, .missingSnapshot, .unfinished, .noWeights:
      ExitCode.missingInput
    }
  }

  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .notFound(let id, let revision, let folders, let hub, let near, let offline):
      let places = folders.map { folder in
        folder.url.barePath.withVisibleControls + (folder.variable.map { " (\($0))" } ?? "")
      }
      let commands = Hub.allCases.filter { hub == nil || hub == $0 }
        .filter { $0 == .huggingFace || id.owner != nil }
        .map { "`\($0.download(id, revision: revision))`" }
      return "\(id): no such folder, and no model of that name was downloaded; looked in "
        + places.joined(separator: ", ")
        + (near.map { "; did you mean '\($0)'?" } ?? "") + "; "
        + commands.joined(separator: " or ") + " would bring it"
        + (offline.map { ", but \($0) is set" } ?? "")
    case .noRevision(
      let id, let wanted, let folder, let known, let choice, let left, let command):
      let here =
        known.isEmpty
        ? "nothing of it is complete" : "there is " + known.joined(separator: "; ")
      return "\(id) has no revision \(wanted.map(quoted).joined(separator: " or ")) in "
        + "\(folder.withVisibleControls); \(here)"
        + (choice.map { ", which \(quoted($0)) names" } ?? "")
        + leftText(left) + "; `\(command)` would bring it"
    case .noRevisionName(let text):
      return "\(quoted(text)) is no revision; it is a branch, a tag or a commit"
    case .twoRevisions(let id, let first, let second):
      return
        "\(id) has two revisions: \(quoted(first)) with its name and \(quoted(second)) beside it"
    case .severalSnapshots(let id, let short, let commits):
      return
        "\(id) has several commits that begin with \(short): \(commits.joined(separator: ", "))"
    case .noCommit(let path, let found):
      return
        "\(path.withVisibleControls): holds \(quoted(found)), where a commit of 40 hexadecimal "
        + "digits was expected; the cache is damaged, fetch the model again"
    case .missingSnapshot(let id, let revision, let commit, let folder, let left, let command):
      return "\(id): \(revision) is commit \(commit), of which there is no snapshot in "
        + folder.withVisibleControls + leftText(left) + "; `\(command)` would bring it"
    case .unfinished(_, let folder, let missing, let left, let command):
      return "\(folder.withVisibleControls): is not complete: \(missing)\(leftText(left)); "
        + "`\(command)` brings the rest"
    case .noWeights(_, let folder, let command):
      return "\(folder.withVisibleControls): has no weights; `\(command)` brings them"
    case .file(let failure): return failure.description
    }
  }

  private func leftText(_ left: [String]) -> String {
    guard let first = left.first else { return "" }
    let more = left.count > 1 ? " and \(left.count - 1) more" : ""
    return "; a download was broken off (\(first.withVisibleControls)\(more))"
  }

  private func quoted(_ text: String) -> String { "'\(text.withVisibleControls)'" }
}
