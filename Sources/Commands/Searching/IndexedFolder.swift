internal import Budget
internal import Characters
internal import Files
internal import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Searching
internal import Tensors

/// An index of pictures, as scripts hold it.
struct IndexedFolder: ForeignObject {
  let index: PictureIndex

  var typeName: String { "Index" }

  var shown: String {
    var lines = [
      "\(index.folder.lastPathComponent): Index of \(index.pictures.count.counted(as: "picture")) in "
        + "\(index.root.path), \(index.width) numbers each, by the model \(index.model.name)"
    ]
    if !index.skipped.isEmpty {
      lines.append("\(index.skipped.count) could not be read; see .skipped")
    }
    return lines.map(\.visibleOnOneLine).joined(separator: "\n")
  }

  var attributeNames: [String] { ["path", "folder", "names", "embeddings", "skipped", "model"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "path": .text(index.folder.path)
    case "folder": .text(index.root.path)
    case "model": .text(index.model.name)
    case "names": .texts(index.pictures.map(\.path))
    case "embeddings": .tensor(try embeddings(), from: Provenance("embeddings"))
    case "skipped":
      .object(
        Table(
          ["picture", "reason"], index.skipped.map { [.text($0.path), .text($0.reason)] }))
    default: nil
    }
  }

  private func embeddings() throws -> Tensor {
    let limit = 100_000_000
    guard index.rows.count <= limit else {
      throw RuntimeFailure(
        .command,
        "the embeddings are \(index.rows.count) numbers, at most \(limit) are read at once")
    }
    try MemoryGate.take(index.rows.count, of: 4, for: "the embeddings of an index")
    return index.rows.tensor
  }

  var elementCount: Int? { index.pictures.count }

  func element(_ place: Value) throws -> Value? {
    guard let number = place.integer else { return nil }
    let row = number < 0 ? number + index.pictures.count : number
    guard index.pictures.indices.contains(row) else {
      throw RuntimeFailure(
        .index,
        "picture \(number) is outside an index of \(index.pictures.count.counted(as: "picture"))")
    }
    let url = index.file(of: row)
    let path = index.pictures[row].path
    let image = try Image(decoding: try WholeFile.read(url), named: path, limits: .affordable)
    return .object(Picture(image, name: path))
  }

  /// A picture small enough for a sheet; nil where it is gone or damaged.
  func thumbnail(of row: Int, side: Int = 224) -> Image? {
    guard !Stop.isRequested, let bytes = try? WholeFile.read(index.file(of: row)),
      let image = try? Image(
        decoding: bytes, named: index.pictures[row].path, limits: .affordable)
    else { return nil }
    let longest = max(image.width, image.height)
    guard longest > side else { return image }
    return image.resized(
      width: max(1, image.width * side / longest), height: max(1, image.height * side / longest),
      by: .bilinear)
  }
}

/// The index that commands use when none is named.
enum CurrentIndex: SessionKey {
  static var initial: IndexedFolder? { nil }
}

extension Parameter where T == IndexedFolder? {
  /// An index, its folder's path, or none for the one made or opened last.
  static var index: Self {
    let facts = ParameterFacts(
      name: "index", type: "Index", expects: "an index, as index() gives, or its folder's path",
      defaultText: "None", summary: "Where to look; None for the index used last.",
      suggestions: { session in
        session.names {
          if case .object(let object) = $0 { object is IndexedFolder } else { false }
        }
      })
    return Parameter(facts, fallback: .some(nil)) { value, session in
      switch value {
      case .none: return .some(nil)
      case .object(let object): return (object as? IndexedFolder).map { .some($0) }
      case .text(let path):
        return IndexedFolder(index: try PictureIndex(session.readableURL(for: path.string)))
      default: return nil
      }
    }
  }
}

extension Session {
  /// The index that a command was given, or the one used last.
  func index(_ given: IndexedFolder?, for command: String) throws -> IndexedFolder {
    if let given {
      self[CurrentIndex.self] = given
      return given
    }
    guard let index = self[CurrentIndex.self] else {
      throw RuntimeFailure(
        .command, "\(command) needs an index, and none was made or opened yet",
        hint: "index(\"folder\") makes one of a folder of pictures")
    }
    return index
  }
}

extension Image.Limits {
  /// What this process can have memory for.
  static var affordable: Image.Limits {
    var limits = Image.Limits()
    limits.memory = { AvailableMemory.byteCount }
    return limits
  }
}
