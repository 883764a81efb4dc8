internal import Figures
internal import Models
internal import Runtime
internal import Tensors

/// The colour maps by the names that users of matplotlib know.
enum MapName: String, Sendable, CaseIterable {
  case viridis, cividis, magma, gray, RdBu, PuOr

  var map: ColourMap {
    switch self {
    case .viridis: .viridis
    case .cividis: .cividis
    case .magma: .magma
    case .gray: .grey
    case .RdBu: .redBlue
    case .PuOr: .purpleOrange
    }
  }
}

extension Parameter where T == MapName {
  static func cmap(_ fallback: MapName = .viridis) -> Self {
    .choice("cmap", default: fallback, "The colours.")
  }
}

extension Command {
  static let overlay = Command(
    "overlay", group: "Figures", "Lays a map of patches over the picture, in true geometry.",
    Parameter.any(
      "map", expects: "a number a patch, or an attention", "What is laid over the picture."),
    Parameter.picture("image", "The picture."),
    Parameter.integer(
      "query", in: 0...100_000, default: 0, "Of an attention: whose look is shown, 0 is the first."),
    Parameter.cmap(),
    Parameter.text("title", default: "", "What stands above it."),
    returns: "a Figure",
    details: "The larger a number, the more its colour covers the picture. With RdBu or PuOr the "
      + "colours lie evenly about 0, and cover the more the further a number is from it.",
    examples: [
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "save(overlay(rollout(vision), s), \"rollout.png\")",
        "What reaches the class token, on the picture."),
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "overlay(vision[\"vision.blocks.5.attention.pattern\"][0, 0, 1:], s)",
        "One row of one head's pattern."),
    ], seeAlso: ["attention", "rollout", "word_map", "heatmap"]
  ) { session, map, picture, query, cmap, title in
    let model = try map.sourceModel ?? session.model()
    let patches = try model.able(.seeing, for: "overlay").patches
    var name = title
    var numbers = try map.requireTensor("map", from: "attention")
    if case .object(let object) = map, let own = object as? PatchMap, name.isEmpty {
      name = own.title
    }
    if case .object(let object) = map, let attention = object as? AttentionMap {
      guard attention.looksAtPatches else {
        throw ArgumentFailure(
          parameter: "map",
          "must look at the picture's patches, which \(attention.address) does not")
      }
      guard query < numbers.shape[0] else {
        throw ArgumentFailure(
          parameter: "query",
          "must be a whole number from 0 to \(numbers.shape[0] - 1), not \(query)",
          note: "this attention has \(numbers.shape[0]) queries")
      }
      numbers = numbers.row(query)
      if name.isEmpty { name = "\(attention.title): \(attention.queryLabels[query])" }
    }
    guard let grid = patches.map(of: numbers) else {
      throw ArgumentFailure(
        parameter: "map",
        "must hold a number a patch, \(patches.rowCount) × \(patches.columnCount) or \(patches.count) of them, not shape "
          + "\(numbers.shape)", note: "take one row of an attention, as in pattern[0, 0, 1:]")
    }
    var options = OverlayOptions()
    options.map = cmap.map
    // The middle of such a map means zero, and there the picture shows through.
    if cmap.map.isDiverging { options.normalisation = .symmetric(about: 0) }
    return .object(
      Drawing(
        figure: try Figure.overlay(
          grid, on: model.seen(picture.image),
          patches: try model.patchRectangles(of: picture.image),
          title: name.isEmpty ? "map on \(picture.name)" : name, options: options)))
  }
}
