internal import Boxes
internal import Figures
internal import Images
internal import Runtime

extension Command {
  static let boxes = Command(
    "boxes", group: "Pictures", "The boxes that an answer tells.",
    Parameter.any(
      "answer", expects: "an answer or a text",
      "An answer, as decode() gives, a run, or a text that holds <box>(21,29),(526,837)</box>."),
    returns:
      "Boxes: each with label, x1, y1, x2, y2 in thousandths of the picture's sides, text, and "
      + "pixels(image); quads likewise under quads",
    details:
      "A label is the text of a `<ref>` that stands directly before. What is not exactly of that "
      + "form, a number beyond 999 or a left edge right of the right one, is no box: `malformed` "
      + "tells each with its place.",
    examples: [
      Example(
        "s = scene(12)\nboxes(run(s, \"Question: where is the green cross? Answer:\"))",
        "Where the model sees it."),
      Example(
        "b = boxes(\"<ref>a boy</ref><box>(21,29),(526,837)</box>\")[0]\n"
          + "[b.label, b.x1, b.pixels(scene(7))]",
        "Name, edge and pixels."),
      Example(
        "boxes(\"<box>(526,29),(21,837)</box>\").malformed", "Nothing is guessed."),
    ], seeAlso: ["draw_boxes", "iou", "patches_under"]
  ) { _, answer in .object(try AnswerBoxes.read(answer, of: "answer")) }

  static let drawBoxes = Command(
    "draw_boxes", group: "Figures", "Draws the boxes that an answer tells on a picture.",
    Parameter.any(
      "image", expects: "a picture, a file's path, or an answer of chat()", words: .path,
      "The picture; or an answer alone, whose conversation's latest picture is taken."),
    Parameter.any(
      "answer", expects: "an answer, a text or boxes", default: Value.none,
      "An answer or a text; or boxes, as boxes() gives, all or some of them."),
    Parameter.text("title", default: "", "What stands above it."),
    returns: "a Figure",
    details:
      "A box with a label gets the next of ten colours, one without keeps that of the box before, so "
      + "that the same answer is always drawn alike. Quads are drawn as boxes are.",
    examples: [
      Example(
        "s = scene(12)\nanswer = run(s, \"Question: where is the green cross? Answer:\")\n"
          + "save(draw_boxes(s, answer), \"cross.png\")", "Is it there?"),
      Example(
        "save(draw_boxes(scene(7), \"<ref>left</ref><box>(0,0),(500,999)</box>\"), \"half.png\")",
        "With its label."),
      Example(
        "draw_boxes(chat(scene(12), \"where is the green cross?\"))",
        "Of an answer of chat: on the latest picture of the conversation."),
    ], seeAlso: ["boxes", "overlay", "grid"]
  ) { session, source, answer, title in
    let (picture, answer) = try session.canvas(source, answer)
    let marks = try AnswerBoxes.marks(answer, of: "answer", in: session)
    let image = try session.model().seen(picture.image)
    let outlines = marks.outlines(in: image)
    return .object(
      Drawing(
        figure: try Figure.outlines(
          outlines, on: image, title: title.isEmpty ? "boxes on \(picture.name)" : title,
          note: "Corners are cut off to whole pixels; every label has the next of ten colours.")))
  }

  static let iou = Command(
    "iou", group: "Pictures", "How much two boxes share: the area of both over that of either.",
    Parameter.comparedBox("a", "A box, or left, top, right and bottom."),
    Parameter.comparedBox("b", "Another, in the same units."),
    returns: "a number from 0, where they share nothing, to 1, where they are one",
    details: "Boxes of answers are in thousandths; four numbers have whatever unit both have.",
    examples: [
      Example("iou((0, 0, 10, 10), (5, 0, 15, 10))", "A third."),
      Example(
        "s = scene(12)\nb = boxes(run(s, \"Question: where is the green cross? Answer:\"))[0]\n"
          + "[iou(b.pixels(s), o[\"box\"]) for o in s.objects if o[\"shape\"] == \"cross\"]",
        "How right is the answer?"),
    ], seeAlso: ["boxes", "box_of"]
  ) { _, a, b in
    guard a.isInThousandths == b.isInThousandths else {
      throw ArgumentFailure(
        parameter: "b",
        "must have the units of a: a box of an answer is in thousandths, four numbers are in pixels",
        note: "box.pixels(image) gives an answer's box in pixels")
    }
    return .float(a.edges.overlap(with: b.edges))
  }
}

/// A box, in thousandths or in whatever four numbers mean.
struct ComparedBox: Sendable {
  let edges: Edges
  let isInThousandths: Bool
}

extension Parameter where T == ComparedBox {
  fileprivate static func comparedBox(_ name: String, _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "box", expects: "a box of an answer, or four numbers", defaultText: nil,
      summary: summary,
      suggestions: { session in
        session.names { if case .object(let object) = $0 { object is AnswerBox } else { false } }
      })
    return Parameter(facts) { value, _ in
      if case .object(let object as AnswerBox) = value {
        guard let box = object.box else { return nil }
        return ComparedBox(edges: box.edges, isInThousandths: true)
      }
      return try value.fourEdges(of: name).map { ComparedBox(edges: $0, isInThousandths: false) }
    }
  }
}

extension Value {
  /// Left, top, right and bottom; nil for what is no four numbers.
  ///
  /// - Throws: `ArgumentFailure` where they lie the wrong way round.
  func fourEdges(of parameter: String) throws -> Edges? {
    let parts: [Value]
    switch self {
    case .list(let list): parts = list.values
    case .tuple(let values): parts = values
    default: return nil
    }
    let numbers = parts.compactMap(\.number)
    guard parts.count == 4, numbers.count == 4, numbers.allSatisfy(\.isFinite) else { return nil }
    guard numbers[0] < numbers[2], numbers[1] < numbers[3] else {
      throw ArgumentFailure(
        parameter: parameter,
        "must have its left before its right and its top above its bottom, not " + inMessage,
        note: "it is left, top, right, bottom")
    }
    return Edges(left: numbers[0], top: numbers[1], right: numbers[2], bottom: numbers[3])
  }
}

extension [MarkedText.Mark] {
  /// The outlines of the marks in a picture: one with a label has the next of ten colours, one without that of
  /// the one before.
  func outlines(in image: Image) -> [Outline] {
    var colour = -1
    return map { mark in
      if mark.label != nil || colour < 0 { colour += 1 }
      return Outline(
        mark.shape.corners(in: image).map { Point(x: $0.x, y: $0.y) }, label: mark.label,
        colour: Outline.palette[colour % Outline.palette.count])
    }
  }
}

extension MarkedText.Mark.Shape {
  /// The corners in a picture's pixels, from the top left one on around a box.
  fileprivate func corners(in image: Image) -> [(x: Double, y: Double)] {
    switch self {
    case .box(let box):
      let edges = box.pixels(width: image.width, height: image.height)
      return [
        (edges.left, edges.top), (edges.right, edges.top), (edges.right, edges.bottom),
        (edges.left, edges.bottom),
      ]
    case .quad(let quad):
      return quad.pixels(width: image.width, height: image.height).map {
        (Double($0.x), Double($0.y))
      }
    }
  }
}

extension Session {
  /// The picture that boxes are drawn on, and what tells them: an answer alone brings its conversation's
  /// latest picture, as the published `draw_bbox_on_latest_picture` finds it.
  fileprivate func canvas(_ source: Value, _ answer: Value) throws -> (Picture, Value) {
    if case .object(let object) = source {
      if let picture = object as? Picture { return (picture, answer) }
      if let run = object as? Run, case .none = answer {
        guard let picture = run.history?.pictures.last ?? run.picture else {
          throw ArgumentFailure(
            parameter: "image", "must be a picture: there is none in this conversation")
        }
        return (picture, source)
      }
    }
    guard let path = source.text else {
      throw ArgumentFailure(
        parameter: "image",
        "must be a picture, a file's path, or an answer of chat() alone, not \(source.inMessage)")
    }
    return (try Picture.read(path, in: self), answer)
  }
}
