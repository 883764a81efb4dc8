internal import Commands
internal import Files
internal import Foundation
internal import Notebooks

/// The lessons that come with Fovea.
struct LessonShelf {
  /// A lesson's file.
  struct Entry {
    let number: Int
    let file: URL
  }

  let entries: [Entry]
  /// What language texts are wanted in, such as `zh`; English where there is none in it.
  let language: String

  /// - Parameter language: nil for that of the environment.
  /// - Throws: where no lessons are found.
  init(language: String?, environment: [String: String] = ProcessInfo.processInfo.environment)
    throws
  {
    self.language = language ?? Self.language(of: environment)
    let folder = try Self.folder(environment)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    entries = names.compactMap { name in
      guard name.hasSuffix(".md"), name.split(separator: ".").count == 2,
        let number = Int(name.prefix { $0.isNumber })
      else { return nil }
      return Entry(number: number, file: folder.appending(path: name))
    }
  }

  /// A language if lessons are written in it, else nil.
  static func written(_ language: String) -> String? {
    ["en", "zh"].contains(language) ? language : nil
  }

  /// Two letters of `LC_ALL`, `LC_MESSAGES` or `LANG`.
  private static func language(of environment: [String: String]) -> String {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"]
    let set = names.compactMap { environment[$0] }.first { !$0.isEmpty } ?? "en"
    return String(set.prefix(2)).lowercased()
  }

  /// `FOVEA_LESSONS`, or the folder `lessons` beside the program or above it.
  private static func folder(_ environment: [String: String]) throws -> URL {
    if let named = environment["FOVEA_LESSONS"], !named.isEmpty {
      var isFolder: ObjCBool = false
      let isThere = FileManager.default.fileExists(atPath: named, isDirectory: &isFolder)
      guard isThere, isFolder.boolValue else {
        throw SettingFailure(
          words:
            "FOVEA_LESSONS names \(named), which is no folder; it must be the folder of lessons, "
            + "with reference.md in it")
      }
      return URL(filePath: named)
    }
    var place = (Bundle.main.executableURL ?? URL(filePath: "/")).resolvingSymlinksInPath()
    while place.path.count > 1 {
      place.deleteLastPathComponent()
      let folder = place.appending(path: "lessons")
      if FileManager.default.fileExists(atPath: folder.appending(path: "reference.md").path) {
        return folder
      }
    }
    throw SettingFailure(
      words:
        "the folder of lessons is neither beside the program nor above it; FOVEA_LESSONS names "
        + "it, as in FOVEA_LESSONS=/path/to/fovea/lessons fovea lesson")
  }

  /// A lesson by its number or its file, in the wanted language where it is written in that.
  ///
  /// - Throws: where there is none.
  func file(_ name: String) throws -> URL {
    if let number = Int(name) {
      guard let entry = entries.first(where: { $0.number == number }) else {
        throw SettingFailure(
          words: "there is no lesson \(number); fovea lesson lists those there are")
      }
      return translated(entry.file)
    }
    let file = URL(typed: name)
    try BadText.refuseNotebook(file, name: name)
    guard FileManager.default.fileExists(atPath: file.path) else {
      throw MissingInput(
        path: name, what: "the lesson", or: entries.map { $0.file.lastPathComponent })
    }
    return file
  }

  /// The file with a language before its ending, where there is one.
  func translated(_ file: URL) -> URL {
    let other = file.deletingPathExtension().appendingPathExtension("\(language).md")
    return FileManager.default.fileExists(atPath: other.path) ? other : file
  }
}
