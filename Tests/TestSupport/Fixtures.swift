public import Foundation

/// Folders that tests read from.
public enum Fixtures {
  /// The project's own folder.
  public static let project = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()
  /// Small files made by `scripts/make-goldens.py`.
  public static let goldens = project.appending(path: "Tests/Goldens")
  /// A second set of reference files that may lie beside the project; nil where it does not.
  public static let shared: URL? = {
    let folder = project.deletingLastPathComponent().appending(path: "shared")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()
}
