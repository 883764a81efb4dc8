internal import Figures
internal import Images
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
    let seer = try model.able(.seeing, for: "overlay")
    var parts: [(view: Int?, numbers: Tensor)] = []
    var name = title
    var numbers = try map.requireTensor("map", from: "attention")
    var view: Int?
    if case .object(let object) = map, let own = object as? PatchMap {
      if name.isEmpty { name = own.title }
      view = own.view
      parts = own.views.map { ($0.view, $0.numbers) }
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
      view = attention.view
      parts = attention.views.map { ($0.view, $0.weights.row(query)) }
      numbers = numbers.row(query)
      if name.isEmpty { name = "\(attention.title): \(attention.queryLabels[query])" }
    }
    var options = OverlayOptions()
    options.map = cmap.map
    // The middle of such a map means zero, and there the picture shows through.
    if cmap.map.isDiverging { options.normalisation = .symmetric(about: 0) }
    let title = name.isEmpty ? "map on \(picture.name)" : name
    /// A view's numbers on its patches, on this picture.
    func laid(_ numbers: Tensor, _ view: Int?) throws -> Tensor? {
      let shown = view.map { Input.Picture.view(of: picture.image, number: $0) }
      let input = Input(picture: shown ?? .image(picture.image))
      let index = shown == nil ? seer.views(of: input).count - 1 : 0
      let patches = try seer.patches(of: input, at: index)
      return patches.map(of: numbers) ?? (map.isAttention ? patches.map(ofLook: numbers) : nil)
    }
    if !parts.isEmpty {
      let together = try ViewedMap(
        parts.map { part in
          guard let map = try laid(part.numbers, part.view) else {
            throw ArgumentFailure(
              parameter: "image", "must be the picture that was looked at, not \(picture.name)",
              note: "its views have other patches")
          }
          return (try seer.way(of: picture.image.size, view: part.view), map)
        })
      options.note =
        "\(parts.count) views together: each patch's number is spread over what it covers."
      return .object(
        Drawing(
          figure: try Figure.overlay(
            together.numbers, on: model.seen(picture.image), patches: together.cells,
            title: title, options: options)))
    }
    guard let grid = try laid(numbers, view) else {
      let patches = seer.patches
      guard seer.hasOneGrid else {
        let way = try seer.way(of: picture.image.size, view: view)
        throw ArgumentFailure(
          parameter: "map",
          "must hold a number a patch, \(way.rowCount) × \(way.columnCount) for this picture, not shape "
            + "\(numbers.shape)", note: "take one row of an attention, as in pattern[0, 0]")
      }
      throw ArgumentFailure(
        parameter: "map",
        "must hold a number a patch, \(patches.rowCount) × \(patches.columnCount) or \(patches.count) of them, not shape "
          + "\(numbers.shape)", note: "take one row of an attention, as in pattern[0, 0, 1:]")
    }
    return .object(
      Drawing(
        figure: try Figure.overlay(
          grid, on: model.seen(picture.image),
          patches: try model.patchRectangles(of: picture.image, view: view),
          title: title, options: options)))
  }
}

extension Value {
  /// Whether it is an attention, whose rows may hold more than a picture's tokens.
  fileprivate var isAttention: Bool {
    if case .object(let object) = self { object is AttentionMap } else { false }
  }
}
