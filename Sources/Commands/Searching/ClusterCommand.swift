internal import Characters
internal import Figures
internal import Foundation
internal import Models
internal import Runtime
internal import Searching
internal import Tensors

/// Pictures in groups, with the words that fit each best.
struct Clusters: Drawn {
  let folder: IndexedFolder
  let groups: PictureGroups
  let words: [String]
  /// `[K, W]`; nil without words.
  let likeness: Tensor?

  var typeName: String { "Clusters" }

  /// The words of a group, the best first, with their cosines.
  private func names(of group: Int) -> [(word: String, cosine: Float)] {
    guard let likeness else { return [] }
    let row = likeness.row(group).elements
    return words.indices.sorted { (row[$1], $0) < (row[$0], $1) }.map { (words[$0], row[$0]) }
  }

  private func name(of group: Int) -> String { names(of: group).first?.word ?? "group \(group)" }

  var table: Table {
    let rows = groups.members.enumerated().map { group, members -> [Value] in
      let first = members.first.map { folder.index.pictures[$0].path } ?? ""
      let named = names(of: group)
      let facts: [Value] =
        likeness == nil
        ? []
        : [
          .text(named.first?.word ?? ""), .float(Double(named.first?.cosine ?? 0)),
          .text(named.dropFirst().prefix(2).map(\.word).joined(separator: ", ")),
        ]
      return [.integer(group), .integer(members.count)] + facts + [.text(first)]
    }
    return Table(
      ["group", "pictures"] + (likeness == nil ? [] : ["name", "fit", "runners-up"]) + ["middle"],
      rows,
      note: "mean cosine of a picture with its group's middle "
        + "\(Digits.short(Double(groups.tightness))); save(_, \"groups.png\") draws them")
  }

  var attributeNames: [String] { ["table", "figure", "groups"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "table": .object(table)
    case "figure": .object(try drawing())
    case "groups":
      .newList(groups.members.map { .texts($0.map { folder.index.pictures[$0].path }) })
    default: nil
    }
  }

  func drawing() throws -> Drawing {
    let shown = groups.members.enumerated().prefix(16)
    let rows = shown.map { _, members in
      members.prefix(7).map { row in
        PictureItem(folder.thumbnail(of: row), heading: "", name: folder.index.pictures[row].path)
      }
    }
    let labels = shown.map { group, members in
      [
        name(of: group),
        names(of: group).dropFirst().prefix(2).map(\.word).joined(separator: ", "),
        members.count.counted(as: "picture"),
      ].filter { !$0.isEmpty }
    }
    // A group that lost its last picture has no row.
    let kept = rows.indices.filter { !rows[$0].isEmpty }
    return Drawing(
      figure: try Figure.pictureSheet(
        kept.map { rows[$0] }, labels: kept.map { labels[$0] },
        title: "\(groups.members.count.counted(as: "group")) of "
          + folder.index.pictures.count.counted(as: "picture"),
        caption: "Of each group the pictures nearest to its middle"
          + (likeness == nil ? "." : "; bold the word that fits best, beneath it the next.")
          + (groups.members.count > 16 ? " The 16 largest groups." : "")))
  }
}

extension Command {
  static let cluster = Command(
    "cluster", group: "Searching", "Divides the pictures of an index into groups and names them.",
    Parameter.integer("groups", in: 1...1000, default: 8, "How many groups."),
    Parameter.optional(
      .list(of: .text("words", "Names to choose from; None leaves the groups without names."))),
    Parameter.index,
    returns: "a table of groups, the largest first, and with save or show a sheet of pictures",
    details: """
      Spherical k-means with fixed beginnings: the same index gives the same groups. A name is the \
      word whose direction is most like the group's, both seen from the middle of all.
      """,
    examples: [
      Example(
        "for seed in range(12):\n    save(scene(seed, objects=1), f\"single/{seed}.png\")\n"
          + "index(\"fovea-out/single\")\ncluster(3, [\"circle\", \"star\", \"triangle\"])",
        "Twelve pictures in three groups.")
    ], seeAlso: ["index", "search", "map"]
  ) { session, count, words, given in
    let folder = try session.index(given, for: "cluster")
    var likeness: Tensor?
    let words = words ?? []
    let space = words.isEmpty ? nil : try session.space(of: folder.index, for: "cluster")
    guard count <= folder.index.pictures.count else {
      throw ArgumentFailure(
        parameter: "groups",
        "must be at most the \(folder.index.pictures.count.counted(as: "picture")) of the index, not "
          + "\(count)")
    }
    let groups = try folder.index.groups(count) { try session.checkCancellation() }
    if let space { likeness = groups.likeness(to: try space.model.embed(texts: words)) }
    return .object(Clusters(folder: folder, groups: groups, words: words, likeness: likeness))
  }

  static let map = Command(
    "map", group: "Searching",
    "Draws the pictures of an index on a plane, those that are alike near each other.",
    Parameter.index,
    returns: "a Figure: thumbnails at their places along the two principal components",
    examples: [
      Example(
        "for seed in range(12):\n    save(scene(seed), f\"shapes/{seed}.png\")\n"
          + "index(\"fovea-out/shapes\")\nsave(map(), \"map.png\")",
        "Twelve pictures on a plane.")
    ], seeAlso: ["index", "search", "cluster"]
  ) { session, given in
    let folder = try session.index(given, for: "map")
    let layout = try folder.index.layout()
    let places = (0..<folder.index.pictures.count).map {
      (x: Double(layout.places[$0, 0]), y: Double(layout.places[$0, 1]))
    }
    return .object(
      Drawing(
        figure: try Figure.pictureMap(
          places,
          names: (
            "first principal component, \(Percentage.text(layout.shares[0])) of the variance",
            "second, \(Percentage.text(layout.shares[1]))"
          ),
          title: folder.index.pictures.count.counted(as: "picture")
            + " of \(folder.index.root.lastPathComponent)"
        ) { folder.thumbnail(of: $0, side: 96) }))
  }
}
