internal import Files
internal import Foundation
internal import Runtime
internal import Terminal

/// A long job that writes files: a bar of the bytes done, and an end when a person asks for it.
struct FileJob {
  private let progress = ProgressDisplay(environment: .process)
  private let label: String
  private let total: Int
  private let unit: Int

  /// A job of `total` steps, shown in groups of `unit`, that is about to write `folder`; from now on Control-C stops it, and a signal that ends
  /// the process removes what is not complete.
  init(_ label: String, total: Int, unit: Int = 1_000_000, to folder: URL) throws {
    (self.label, self.total, self.unit) = (label, total, unit)
    try Interrupts.shared.begin(
      quittingAfter: 2, cleanUp: { FolderReplacement.removeUnfinished(folder) })
  }

  /// So many steps, bytes where nothing else is said, are done.
  ///
  /// - Throws: the end, when a person asked for it.
  func report(_ done: Int) throws {
    if Interrupts.shared.isRequested {
      progress.end()
      throw Ending(status: ExitStatus.interrupted)
    }
    progress.show(Progress(label, completed: done / unit, total: max(1, total / unit)))
  }

  /// All is done.
  func end() { progress.end() }
}
