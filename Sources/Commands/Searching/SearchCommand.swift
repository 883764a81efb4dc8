internal import Characters
internal import Figures
internal import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Searching
internal import Tensors
internal import Tracing

/// Something that is a table and a figure at once.
protocol Drawn: Previewed {
  var table: Table { get }
  func drawing() throws -> Drawing
}

extension Drawn {
  func preview(in session: Session) -> String? {
    (try? drawing()).flatMap { $0.preview(in: session) }
  }
  var shown: String { table.shown }
  var attributeNames: [String] { ["table", "figure"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "table": .object(table)
    case "figure": .object(try drawing())
    default: nil
    }
  }

  var elementCount: Int? { table.elementCount }
  var elementNames: [String] { table.elementNames }
  func element(_ index: Value) throws -> Value? { try table.element(index) }
}

/// The pictures that were found.
struct SearchResult: Drawn {
  let title: String
  let folder: IndexedFolder
  let finding: Finding

  var hits: [Hit] { finding.hits }
  var typeName: String { "SearchResult" }

  /// How it was looked for, where that is not the plain way.
  private var way: String {
    if let graph = finding.graph {
      return ", approximately: \(graph.effort) candidates of a graph of neighbours"
        + (graph.queryCount > 0
          ? " (\(Percentage.text(Float(graph.recall))) of the ten nearest found when it was made)"
          : "")
    }
    return finding.remark.map { ", every one compared: \($0)" } ?? ""
  }

  var table: Table {
    Table(
      ["rank", "similarity", "picture"],
      hits.enumerated().map { rank, hit in
        [
          .integer(rank + 1), .float(Double(hit.similarity)),
          .text(folder.index.pictures[hit.row].path),
        ]
      },
      note: "\(title), among \(folder.index.pictures.count.counted(as: "picture"))\(way); "
        + "save(_, \"found.png\") draws them")
  }

  func drawing() throws -> Drawing {
    let items = hits.enumerated().map { rank, hit in
      PictureItem(
        folder.thumbnail(of: hit.row),
        heading: "\(rank + 1)   \(Digits.short(Double(hit.similarity)))",
        name: folder.index.pictures[hit.row].path)
    }
    let columns = items.count <= 4 ? max(1, items.count) : items.count <= 10 ? 5 : 6
    let rows = stride(from: 0, to: items.count, by: columns).map {
      Array(items[$0..<min(items.count, $0 + columns)])
    }
    return Drawing(
      figure: try Figure.pictureSheet(
        rows, title: title,
        caption:
          "The nearest of \(folder.index.pictures.count.counted(as: "picture")) by the model "
          + "\(folder.index.model.name): rank and cosine."))
  }
}

extension Command {
  static let search = Command(
    "search", group: "Searching",
    "Finds the pictures of an index that are nearest to a text or a picture.",
    Parameter.any(
      "query", expects: "a text or a picture", words: .sentence, "What to look for."),
    Parameter.index,
    Parameter.integer("top", in: 1...1000, default: 12, "How many pictures."),
    Parameter.choice(
      "method", default: SearchMethod.automatic,
      "exact compares every picture, approximate goes from neighbour to neighbour; auto is exact up "
        + "to a million pictures."),
    Parameter.truncate,
    returns: "a table of rank, cosine and picture, and with save or show a labelled sheet",
    details: """
      Up to a million pictures every one is compared. Beyond, the search follows a graph of \
      neighbours (Malkov and Yashunin 2016) where the index has one, and says so; it finds most of \
      what is nearest, texts less surely than pictures. Asked for by method="approximate", the \
      graph is made where it is missing, in the index's folder: that must lie where files may be \
      written. A text is looked for as words; a file's picture is \
      image("file.png").
      """,
    examples: [
      Example(
        "for seed in range(8):\n    save(scene(seed), f\"shapes/{seed}.png\")\n"
          + "index(\"fovea-out/shapes\")\nsave(search(\"a yellow star\", top=4), \"found.png\")",
        "Four pictures for some words."),
      Example(
        "for seed in range(8):\n    save(scene(seed), f\"shapes/{seed}.png\")\n"
          + "index(\"fovea-out/shapes\")\nsearch(scene(3))",
        "Pictures like another."),
    ], seeAlso: ["index", "cluster", "map"]
  ) { session, query, given, top, method, truncate in
    let title: String
    let folder: IndexedFolder
    let point: Tensor
    switch query {
    case .text(let words):
      let text = words.string
      try session.refusePath(text, for: "query")
      folder = try session.index(given, for: "search")
      point = try session.point(.text(text), in: folder, truncate)
      title = "“\(text.visibleOnOneLine.shortened(toColumns: 60))”"
    case .object(let picture as Picture):
      folder = try session.index(given, for: "search")
      point = try session.point(.picture(picture), in: folder, truncate)
      title = "like \(picture.name.visibleOnOneLine.shortened(toColumns: 60))"
    default:
      throw ArgumentFailure(
        parameter: "query", "must be a text or a picture, not \(query.inMessage)")
    }
    let finding = try folder.index.find(
      near: point, count: top, by: method,
      beforeWriting: { try session.checkWritable(folder.index) },
      checkpoint: { try session.checkCancellation() },
      progress: { session.report(Progress("linking", completed: $0, total: $1)) })
    return .object(SearchResult(title: title, folder: folder, finding: finding))
  }
}

extension Session {
  /// `[1, E]`: where a text or a picture lies among an index's pictures.
  fileprivate func point(
    _ item: Embedded, in folder: IndexedFolder, _ truncate: Bool
  ) throws -> Tensor {
    let space = try space(of: folder.index, for: "search")
    return try Embeddings(
      [item], by: space.model.cuttingTexts(truncate), of: space.loaded, keep: "", in: self
    ).rows
  }

  /// - Throws: where files may not be written into an index's folder.
  fileprivate func checkWritable(_ index: PictureIndex) throws {
    do {
      _ = try writableURL(for: index.folder.path + "/nearest")
    } catch var failure as RuntimeFailure {
      failure.message = "the graph of neighbours cannot be made: " + failure.message
      failure.hint =
        "allow the index's folder with --allow-write, or run 'fovea index FOLDER --method "
        + "approximate'"
      throw failure
    }
  }
}
