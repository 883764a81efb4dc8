internal import Checkpoints
internal import Files
internal import FoundationEssentials
internal import Tensors

/// The rows that are known already: those of the index before, then those of the journal.
struct Known {
  /// Where a picture's row is.
  enum Place {
    case index(Int)
    case journal(Int)

    var isInIndex: Bool { if case .index = self { true } else { false } }
  }

  private let index: PictureIndex?
  private var journal: [IndexedPicture]
  private var byPath: [String: (picture: IndexedPicture, place: Place)] = [:]
  private var byDigest: [UInt64: (bytes: Int, place: Place)] = [:]

  init(index: PictureIndex?, journal: [IndexedPicture]) {
    (self.index, self.journal) = (index, [])
    for (row, picture) in (index?.pictures ?? []).enumerated() { note(picture, at: .index(row)) }
    add(journal)
  }

  /// Pictures that were appended to the journal.
  mutating func add(_ pictures: [IndexedPicture]) {
    for picture in pictures {
      note(picture, at: .journal(journal.count))
      journal.append(picture)
    }
  }

  private mutating func note(_ picture: IndexedPicture, at place: Place) {
    byPath[picture.path] = (picture, place)
    if byDigest[picture.digest] == nil { byDigest[picture.digest] = (picture.bytes, place) }
  }

  /// The picture and its row, if the file has not changed since.
  func source(of file: PictureFolder.File) -> (picture: IndexedPicture, place: Place)? {
    guard let known = byPath[file.path], known.picture.isSameFile(as: file) else { return nil }
    return known
  }

  /// A row that was made of the same bytes.
  func row(digest: UInt64, bytes: Int) -> Place? {
    guard let known = byDigest[digest], known.bytes == bytes else { return nil }
    return known.place
  }

  /// `[N, D]`: the rows at some places.
  func rows(_ places: [Place], journal: StoredTensor?) throws -> Tensor? {
    let parts = places.compactMap { place -> Tensor? in
      switch place {
      case .index(let row): index?.rows.rows([row])
      case .journal(let row): journal?.rows([row])
      }
    }
    return parts.count == places.count ? Tensor.concatenated(parts) : nil
  }
}

/// Writes an index: new files under a new number, then the one that names them.
struct IndexWriter {
  let builder: IndexBuilder
  let embedder: Embedder

  func write(
    _ entries: [(picture: IndexedPicture, place: Known.Place)], known: Known,
    journal: StoredTensor?, skipped: [SkippedPicture], generation: Int
  ) throws -> PictureIndex {
    let folder = builder.index
    let names = (
      embeddings: "embeddings-\(generation).safetensors", table: "pictures-\(generation).jsonl",
      skipped: "skipped-\(generation).jsonl"
    )
    guard let rows = try known.rows(entries.map(\.place), journal: journal) else {
      throw SearchingError.damaged(
        file: folder.path(percentEncoded: false), detail: "rows are missing")
    }
    try Safetensors.write(
      [(name: "embeddings", tensor: rows), (name: "probe", tensor: embedder.probe)],
      metadata: ["made_by": "fovea"], to: folder.appending(path: names.embeddings))
    try WholeFile.write(to: folder.appending(path: names.table)) { file in
      for entry in entries { try file.write(entry.picture.json.written() + "\n") }
    }
    try WholeFile.write(to: folder.appending(path: names.skipped)) { file in
      for picture in skipped {
        let line: JSON = ["path": .string(picture.path), "reason": .string(picture.reason)]
        try file.write(line.written() + "\n")
      }
    }
    let json: JSON = [
      "format": .string(PictureIndex.format), "version": 1, "generation": .integer(generation),
      "pictures": .string(builder.pictures.path(percentEncoded: false)),
      "beside": .string(Self.path(to: builder.pictures, from: folder)),
      "count": .integer(entries.count), "width": .integer(embedder.width),
      "embeddings": .string(names.embeddings), "table": .string(names.table),
      "skipped": .string(names.skipped),
      "model": embedder.model.json,
    ]
    try WholeFile.write(
      json.written(indented: true) + "\n", to: folder.appending(path: PictureIndex.name))
    removeOthers(keeping: [names.embeddings, names.table, names.skipped])
    return try PictureIndex(folder)
  }

  /// Files of earlier numbers, of runs that were ended before they could remove them too.
  private func removeOthers(keeping names: [String]) {
    let path = builder.index.path(percentEncoded: false)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      guard IndexPlace.isNumbered(IndexPlace.whole(name)), !names.contains(name) else { continue }
      try? FileManager.default.removeItem(at: builder.index.appending(path: name))
    }
  }

  /// How to get from one folder to another, for the case that both are moved together.
  static func path(to target: URL, from folder: URL) -> String {
    let (to, from) = (
      target.standardizedFileURL.pathComponents, folder.standardizedFileURL.pathComponents
    )
    let shared = zip(to, from).prefix { $0 == $1 }.count
    return (Array(repeating: "..", count: from.count - shared) + to[shared...])
      .joined(separator: "/")
  }
}
