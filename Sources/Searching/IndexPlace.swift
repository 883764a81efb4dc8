internal import Files
internal import FoundationEssentials

/// What stands where an index is to be written or read.
enum IndexPlace: Equatable {
  /// Nothing, or an empty folder.
  case free
  /// A folder whose `index.json` says that it is an index; other files of it may be damaged.
  case index
  /// What an unfinished or damaged index leaves: its files and nothing else, without the one that
  /// says what it is.
  case remains
  /// A folder of something else, such as `name`.
  case other(name: String)
  /// No folder.
  case file

  init(_ folder: URL) {
    let path = folder.path(percentEncoded: false)
    var isFolder = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      self = .free
      return
    }
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
    if !isFolder {
      self = .file
    } else if PictureIndex.isIndex(folder) {
      self = .index
    } else if names.isEmpty {
      self = .free
    } else if let name = names.first(where: { !Self.isOfIndex($0, in: folder) }) {
      self = .other(name: name)
    } else {
      // Alone, an index.json that does not say what it is may be anybody's.
      self = names == [PictureIndex.name] ? .other(name: PictureIndex.name) : .remains
    }
  }

  private static func isOfIndex(_ name: String, in folder: URL) -> Bool {
    if name == IndexJournal.folderName {
      let journal = folder.appending(path: name).path(percentEncoded: false)
      let names = try? FileManager.default.contentsOfDirectory(atPath: journal)
      return names?.allSatisfy { IndexJournal.names.contains(whole($0)) } ?? false
    }
    let full = whole(name)
    return full == PictureIndex.name || full == IndexClaim.name || isNumbered(full)
  }

  /// The name that a file which was not finished would have had; any other as it is.
  static func whole(_ name: String) -> String {
    guard name.hasPrefix("."), name.hasSuffix(".tmp") else { return name }
    // .NAME.PROCESS.RANDOM.tmp
    return name.dropFirst().split(separator: ".").dropLast(3).joined(separator: ".")
  }

  /// Whether a file carries the number of a writing, as the embeddings and tables do.
  static func isNumbered(_ name: String) -> Bool {
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2 else { return false }
    let number = parts[1].prefix { $0.isASCII && $0.isNumber }
    let endings: [Substring: Set<Substring>] = [
      "embeddings": [".safetensors"], "pictures": [".jsonl"], "skipped": [".jsonl"],
      "nearest": [".hnsw", ".json"],
    ]
    return !number.isEmpty
      && endings[parts[0]]?.contains(parts[1].dropFirst(number.count)) ?? false
  }
}
