internal import Files
internal import Foundation
internal import Runtime
internal import Terminal

/// A long job that writes files: a bar of the bytes done, and an end when a person asks for it.
struct FileJob {
  private let progress = ProgressDisplay(environment: .process)
  private let label: String
  private let total: Int

  /// A job that is about to write `folder`; from now on Control-C stops it, and a signal that ends
  /// the process removes what is not complete.
  init(_ label: String, total: Int, to folder: URL) throws {
    (self.label, self.total) = (label, total)
    try Interrupts.shared.begin(
      quittingAfter: 2, cleanUp: { FolderReplacement.removeUnfinished(folder) })
  }

  /// So many bytes are done.
  ///
  /// - Throws: the end, when a person asked for it.
  func report(_ done: Int) throws {
    if Interrupts.shared.isRequested {
      progress.end()
      throw Ending(status: ExitStatus.interrupted)
    }
    progress.show(Progress(label, completed: done / 1_000_000, total: max(1, total / 1_000_000)))
  }

  /// All is done.
  func end() { progress.end() }
}
