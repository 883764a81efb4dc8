internal import Files
public import Foundation

/// How far somebody is in each lesson, in files of their own.
///
/// A lesson's file holds how its steps were left, by what the steps hold: where a lesson changed, only
/// the changed steps are new.
public struct LessonProgress {
  /// Where the files are.
  public let folder: URL

  /// The files in a folder, which is made when something is first kept.
  public init(folder: URL) { self.folder = folder }

  /// The folder of the person that an environment is of.
  ///
  /// `FOVEA_PROGRESS`, else `$XDG_DATA_HOME/fovea/lessons`, else `~/.local/share/fovea/lessons`. Relative folders are ignored,
  /// as the XDG base directory specification says.
  public init?(of environment: [String: String]) {
    func folder(_ name: String, _ below: String) -> URL? {
      guard let path = environment[name], path.hasPrefix("/") else { return nil }
      return URL(filePath: path + below, directoryHint: .isDirectory)
    }
    guard
      let folder = folder("FOVEA_PROGRESS", "") ?? folder("XDG_DATA_HOME", "/fovea/lessons")
        ?? folder("HOME", "/.local/share/fovea/lessons")
    else { return nil }
    self.folder = folder
  }

  private func file(_ lesson: String) -> URL {
    let safe = lesson.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "_" }
    return folder.appending(path: String(safe) + ".json")
  }

  /// How the steps of a lesson were left; none where it was never begun.
  ///
  /// - Throws: `FileFailure` for a file that cannot be read. One that holds something else counts as
  ///   none: nothing but progress is lost by that.
  public func marks(of lesson: String) throws -> [String: Tutor.Mark] {
    let file = file(lesson)
    guard FileManager.default.fileExists(atPath: file.path) else { return [:] }
    let bytes = try WholeFile.read(file, limit: 1 << 20)
    guard let json = try? JSON(parsing: bytes), case .object(let steps)? = json["steps"] else {
      return [:]
    }
    var marks: [String: Tutor.Mark] = [:]
    for (key, value) in steps.members {
      marks[key] = value.text.flatMap { Tutor.Mark(rawValue: $0) }
    }
    return marks
  }

  /// The language of the texts in which a lesson was taken last; nil where that is not known.
  public func language(of lesson: String) -> String? {
    guard let bytes = try? WholeFile.read(file(lesson), limit: 1 << 20),
      let json = try? JSON(parsing: bytes)
    else { return nil }
    return json["language"]?.text
  }

  /// Keeps how the steps of a lesson were left, all or nothing.
  ///
  /// - Parameter language: that of its texts.
  /// - Throws: `FileFailure`.
  public func keep(
    _ marks: [String: Tutor.Mark], of lesson: String, language: String = "en"
  ) throws {
    try FileManager.default.createDirectory(
      at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let steps = JSON.Object(
      marks.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value.rawValue)) })
    let text =
      (["lesson": .string(lesson), "language": .string(language), "steps": .object(steps)] as JSON)
      .written()
    try WholeFile.write(text + "\n", to: file(lesson))
  }

  /// Forgets a lesson; nothing where it was never begun.
  public func forget(_ lesson: String) throws {
    let file = file(lesson)
    if FileManager.default.fileExists(atPath: file.path) {
      try FileManager.default.removeItem(at: file)
    }
  }
}
