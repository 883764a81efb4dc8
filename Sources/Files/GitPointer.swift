/// The text of a few lines that stands where git has not fetched a large file.
///
/// Format: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
public enum GitPointer {
  /// Pointers are shorter, by their specification.
  static let byteLimit = 1024

  private static let starts = ["version https://git-lfs", "version https://hawser.github.com"].map {
    Array($0.utf8)
  }

  /// Whether a file of that length could be one.
  static func couldBe(byteCount: Int) -> Bool {
    byteCount >= starts[0].count && byteCount < byteLimit
  }

  /// Whether bytes that begin so are a pointer, and not the file that it stands for.
  public static func begins(_ bytes: some Collection<UInt8>) -> Bool {
    starts.contains { bytes.starts(with: $0) }
  }
}
