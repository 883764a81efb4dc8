internal import Files
internal import FoundationEssentials

/// The right to change an index, which one process has at a time.
///
/// It ends with the value or the process.
struct IndexClaim: ~Copyable {
  private let file: GrowingFile
  private let url: URL
  static let name = "index.lock"

  /// Claims an index, whose folder is there.
  ///
  /// - Throws: `SearchingError.busy`; `FileFailure`.
  init(_ index: URL) throws {
    let url = index.appending(path: Self.name)
    let file = try GrowingFile(url)
    guard file.claim() else {
      throw SearchingError.busy(folder: index.path(percentEncoded: false))
    }
    self.url = url
    self.file = file
  }

  // Removed while it is claimed: whoever opened it before cannot claim it any more.
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Gives the index up.
  consuming func release() {}
}
