internal import Boxes
internal import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Tensors

extension Command {
  static let patchesUnder = Command(
    "patches_under", group: "Pictures", "The patches that lie under a box of a picture.",
    Parameter.pictureBox,
    Parameter.picture("image", "The picture that the box is drawn on."),
    Parameter.number(
      "share", in: 0...1, default: 0,
      "How much of a patch must lie under the box: 0 for any part of it, 1 for all."),
    Parameter.view,
    returns: "positions of patches, counted from 0, row by row, the class token left out",
    details: "Four numbers are in the picture's own pixels, an answer's box becomes pixels as "
      + "draw_boxes() draws it; what the model resizes and crops is followed. Where the class token comes first, patch i is token i + 1.",
    examples: [
      Example(
        "s = scene(7)\npatches_under(s.objects[0][\"box\"], s)", "Which patches show an object?"),
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "seen = vision[\"vision.blocks.1.attention.pattern\"].mean(axis=0)[0, 1:]\n"
          + "seen[patches_under(s.objects[0][\"box\"], s)].sum()",
        "How much the class token looks at an object."),
      Example(
        "s = scene(12)\nanswer = run(s, \"Question: where is the green cross? Answer:\")\n"
          + "patches_under(boxes(answer)[0], s)",
        "Which patches does the model mean?"),
    ], seeAlso: ["box_of", "boxes", "grid", "overlay"]
  ) { session, given, picture, share, view in
    let box = try given.rectangle(in: picture.image.size)
    let (seer, model) = try session.able(.seeing, for: "patches_under")
    if seer.viewCount == 1 { _ = try model.ways(of: Input(), picture: 0, view: view) }
    let geometry = try seer.way(of: picture.image.size, view: view.map { $0 - 1 })
    let patches = geometry.patches(under: box, share: share)
    if patches.isEmpty, geometry.patches(under: box).isEmpty {
      throw ArgumentFailure(
        parameter: "box", "must meet what the model sees of the picture, not \(box.inMessage)",
        note: geometry.seen.map {
          "of \(picture.image.size) pixels it sees \($0.inMessage): left, top, right, bottom"
        })
    }
    return .positions(patches.map { $0.row * geometry.columnCount + $0.column })
  }

  static let boxOf = Command(
    "box_of", group: "Pictures", "The box of a picture that holds some of its patches.",
    Parameter.any(
      "patches", expects: "positions of patches, or a mask of them",
      "Positions, counted from 0, row by row; or a mask with one truth a patch."),
    Parameter.picture("image", "The picture that the box is drawn on."),
    Parameter.view,
    returns: "left, top, right and bottom in the picture's own pixels",
    examples: [
      Example(
        "s = scene(7)\nvision = encode(embed(patchify(preprocess(s))))\n"
          + "values, places = topk(rollout(vision)[0, 1:], 5)\nbox_of(places, s)",
        "Where the five patches lie that matter most."),
      Example("s = scene(7)\nbox_of(patches_under((40, 40, 80, 80), s), s)", "There and back."),
    ], seeAlso: ["patches_under", "topk"]
  ) { session, patches, picture, view in
    let (seer, model) = try session.able(.seeing, for: "box_of")
    if seer.viewCount == 1 { _ = try model.ways(of: Input(), picture: 0, view: view) }
    let geometry = try seer.way(of: picture.image.size, view: view.map { $0 - 1 })
    let places = try patches.patchPositions(rows: geometry.rowCount, columns: geometry.columnCount)
    guard !places.isEmpty else {
      throw ArgumentFailure(parameter: "patches", "must be at least one patch")
    }
    let box = geometry.box(
      of: places.map {
        Geometry.Patch(row: $0 / geometry.columnCount, column: $0 % geometry.columnCount)
      })
    guard let box else {
      throw ArgumentFailure(
        parameter: "patches", "must show some of the picture; these show its border alone")
    }
    // Rounded to what doubles can be trusted with after resizing and cropping.
    return .tuple(
      [box.x, box.y, box.x + box.width, box.y + box.height].map {
        .float(($0 * 1e6).rounded() / 1e6)
      })
  }
}

/// A box of a picture, as it is given.
enum PictureBox: Sendable {
  case pixels(Edges)
  case answer(Box)

  /// The box in a picture's own pixels.
  func rectangle(in size: PixelSize) throws -> Rectangle {
    let edges =
      switch self {
      case .pixels(let edges): edges
      case .answer(let box): box.pixels(width: size.width, height: size.height)
      }
    let rectangle = Rectangle(
      x: edges.left, y: edges.top, width: edges.right - edges.left, height: edges.bottom - edges.top
    )
    guard rectangle.width > 0, rectangle.height > 0 else {
      throw ArgumentFailure(
        parameter: "box", "must cover some of the picture, not \(rectangle.inMessage)")
    }
    return rectangle
  }

  /// As an argument.
  var written: String {
    switch self {
    case .pixels(let edges):
      Value.tuple(
        [edges.left, edges.top, edges.right, edges.bottom].map {
          $0 == $0.rounded() ? .integer(Int($0)) : .float($0)
        }
      ).represented
    case .answer(let box): Value.text(box.written).represented
    }
  }
}

extension Parameter where T == PictureBox {
  /// A box of a picture: left, top, right, bottom, or an answer's.
  static var pictureBox: Self {
    let facts = ParameterFacts(
      name: "box", type: "box",
      expects: "four numbers: left, top, right, bottom, or a box of an answer",
      defaultText: nil,
      summary:
        "Left, top, right and bottom in the picture's own pixels; or a box, as boxes() gives.",
      suggestions: { session in
        session.names { if case .object(let object) = $0 { object is AnswerBox } else { false } }
      })
    return Parameter(facts) { value, _ in
      if case .object(let object) = value { return (object as? AnswerBox)?.box.map { .answer($0) } }
      return try value.fourEdges(of: "box").map { .pixels($0) }
    }
  }
}

extension Rectangle {
  fileprivate var inMessage: String {
    Value.tuple([x, y, x + width, y + height].map { .float(($0 * 100).rounded() / 100) })
      .represented
  }
}

extension Value {
  /// Whole numbers of patches, from a list, from positions, or from a mask over them.
  fileprivate func patchPositions(rows: Int, columns: Int) throws -> [Int] {
    let count = rows * columns
    if let mask {
      guard mask.shape == [count] || mask.shape == [rows, columns] else {
        throw ArgumentFailure(
          parameter: "patches",
          "must be a mask of shape [\(count)] or [\(rows), \(columns)], not \(inMessage)")
      }
      return mask.elements.indices.filter { mask.elements[$0] != 0 }
    }
    let numbers = integer.map { [$0] } ?? wholeNumbers
    guard let numbers else {
      throw ArgumentFailure(
        parameter: "patches", "must be positions of patches or a mask of them, not \(inMessage)",
        note: "a comparison gives a mask, as in numbers > 0.5")
    }
    return try numbers.map { number in
      guard (0..<count).contains(number) else {
        throw ArgumentFailure(
          parameter: "patches", "must be from 0 to \(count - 1), not \(number)",
          note: "the model has \(rows) × \(columns) patches")
      }
      return number
    }
  }
}
