internal import Figures
internal import Images
internal import Models
internal import Runtime
internal import Scenes
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

/// Whether maps side by side have one scale.
enum ScaleChoice: String, Sendable, CaseIterable {
  case each, all

  var sharing: ScaleSharing { self == .each ? .perPanel : .all }
}

extension Parameter where T == ScaleChoice {
  static func scale(_ fallback: ScaleChoice) -> Self {
    .choice(
      "scale", default: fallback,
      "Of maps side by side: \"each\" goes to its own largest number, so that faint ones can be read; "
        + "\"all\" have one scale, so that colours compare.")
  }
}

extension Command {
  static let overlay = Command(
    "overlay", group: "Figures", "Lays a map of patches over the picture, in true geometry.",
    Parameter.any(
      "map", expects: "a number a patch, an attention, or a list of such",
      "What is laid over the picture; several maps side by side."),
    Parameter.picture("image", "The picture."),
    Parameter.integer(
      "query", in: 0...100_000, default: 0, "Of an attention: whose look is shown, 0 is the first."),
    Parameter.cmap(),
    Parameter.text("title", default: "", "What stands above it."),
    Parameter.scale(.all),
    Parameter.view,
    returns: "a Figure",
    details:
      "The picture is dimmed; the larger a number, the brighter its patch, and the line around "
      + "the patch has the colour of the bar. With RdBu or PuOr the colours lie evenly about 0, and "
      + "show the more the further a number is from it. Numbers that come from one view of a picture that "
      + "is split lie on that view, maps of all views on the whole picture; view= takes one of these alone, "
      + "or says which view numbers are of that do not know it.",
    examples: [
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "save(overlay(rollout(vision), s), \"rollout.png\")",
        "What reaches the class token, on the picture."),
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "overlay(vision[\"vision.blocks.5.attention.pattern\"][0, 0, 1:], s)",
        "One row of one head's pattern."),
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "overlay([attention(vision, block=5, head=h) for h in range(3)], s)",
        "Three heads side by side."),
    ], seeAlso: ["attention", "rollout", "word_map", "heatmap"]
  ) { session, map, picture, query, cmap, title, scale, view in
    // The middle of such a map means zero, and there the picture shows through.
    let normalisation = cmap.map.isDiverging ? Normalisation.symmetric(about: 0) : .zeroToMaximum
    let several = map.parts
    let maps = try (several ?? [map]).map {
      try LaidMap(
        $0, on: picture, query: query, view: view.map { $0 - 1 }, current: session.model)
    }
    guard let first = maps.first else {
      throw ArgumentFailure(parameter: "map", "must be at least one map, not an empty list")
    }
    guard several != nil, maps.count > 1 else {
      var options = OverlayOptions()
      (options.map, options.normalisation) = (cmap.map, normalisation)
      options.note = first.note ?? first.words.map { "It falls on: \($0). \(Scene.sharesSentence)" }
      return .object(
        Drawing(
          figure: try Figure.overlay(
            first.numbers, over: first.backdrop, title: title.isEmpty ? first.title : title,
            options: options)))
    }
    if let other = maps.first(where: { $0.backdrop.patches != first.backdrop.patches }) {
      throw ArgumentFailure(
        parameter: "map",
        "must be maps of the same patches, not \(first.numbers.shape) and \(other.numbers.shape)",
        note: "draw each with an overlay of its own")
    }
    let (shared, rest) = maps.map(\.title).sharedBeginning
    var options = PanelOptions()
    (options.map, options.normalisation, options.sharing) = (
      cmap.map, normalisation, scale.sharing
    )
    let words = maps.compactMap(\.words)
    let notes = words.count == maps.count ? words : nil
    options.note =
      notes == nil ? first.note : "Beneath: what it falls on. \(Scene.sharesSentence)"
    return .object(
      Drawing(
        figure: try Figure.mapPanels(
          Tensor(
            maps.flatMap(\.numbers.elements), shape: [maps.count] + first.numbers.shape),
          over: first.backdrop,
          title: title.isEmpty ? (shared.isEmpty ? "maps on \(picture.name)" : shared) : title,
          labels: rest, notes: notes, options: options)))
  }
}

/// A map of numbers on the patches of a picture that they belong to.
private struct LaidMap {
  /// `[Y, X]`.
  let numbers: Tensor
  let backdrop: Backdrop
  let title: String
  /// What there is to say of the patches.
  var note: String?
  /// What is looked at, in words, where the picture's scene is known.
  var words: String?

  /// - Parameters:
  ///   - query: of an attention, whose look is meant.
  ///   - chosen: the view that is meant, counted from 0; nil for the one that the numbers are of, or all.
  ///   - current: the model in use, of numbers that tell of none.
  init(
    _ given: Value, on picture: Picture, query: Int, view chosen: Int?,
    current: () throws -> LoadedModel
  ) throws {
    let model = try given.sourceModel ?? current()
    let seer = try model.able(.seeing, for: "overlay")
    try model.refuse(view: chosen)
    let value = given.view(chosen)
    var parts: [(view: Int?, numbers: Tensor)] = []
    var numbers = try value.requireTensor("map", from: "attention")
    var isLook = false
    var (name, view) = (value.provenance?.title, value.provenance?.view ?? chosen)
    guard chosen == nil || view == chosen else {
      throw ArgumentFailure(
        parameter: "view", "is \((chosen ?? 0) + 1), but the map is of view \((view ?? 0) + 1)",
        note: "leave it out, and the map lies where it belongs")
    }
    if case .object(let object) = value, let own = object as? PatchMap {
      parts = own.views.map { ($0.view, $0.numbers) }
    }
    if case .object(let object) = value, let attention = object as? AttentionMap {
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
      isLook = true
      parts = attention.views.map { ($0.view, $0.weights.row(query)) }
      numbers = numbers.row(query)
      name = attention.provenance?.choosing(query)?.title
    }
    title = name ?? "map on \(picture.name)"
    /// A view's numbers on its patches, on this picture.
    func laid(_ numbers: Tensor, _ view: Int?) throws -> Tensor? {
      let shown = view.map { Input.Picture.view(of: picture.image, number: $0) }
      let input = Input(picture: shown ?? .image(picture.image))
      let index = shown == nil ? seer.views(of: input).count - 1 : 0
      let patches = try seer.patches(of: input, at: index)
      return patches.map(of: numbers) ?? (isLook ? patches.map(ofLook: numbers) : nil)
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
      self.numbers = together.numbers
      backdrop = Backdrop(model.seen(picture.image), patches: together.cells)
      note = "\(parts.count) views together: each patch's number is spread over what it covers."
      return
    }
    guard let map = try laid(numbers, view) else {
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
    self.numbers = map
    backdrop = try model.backdrop(of: picture.image, view: view)
    if isLook {
      words = picture.scene.map { $0.words(for: map.elements, on: backdrop.patches) }
    }
  }
}

extension Value {
  /// Of maps of all views of a picture that of one; anything else as it is.
  fileprivate func view(_ number: Int?) -> Value {
    guard let number, case .object(let object) = self else { return self }
    if let map = (object as? PatchMap)?.views.first(where: { $0.view == number }) {
      return .object(map)
    }
    if let map = (object as? AttentionMap)?.views.first(where: { $0.view == number }) {
      return .object(map)
    }
    return self
  }
}

extension [String] {
  /// What all begin with, up to a comma or a colon, and what is left of each.
  fileprivate var sharedBeginning: (shared: String, rest: [String]) {
    guard let first else { return ("", []) }
    let marks = first.indices.filter { first[$0] == ":" || first[$0] == "," }
    let end = marks.last { mark in
      allSatisfy { $0.hasPrefix(first[...mark] + " ") && $0.count > first[...mark].count + 1 }
    }
    guard let end else { return ("", self) }
    let length = first[...end].count
    return (
      String(first[..<end]), map { String($0.dropFirst(length)).trimmingPrefix(" ").description }
    )
  }
}
