internal import Boxes
internal import Budget
internal import Characters
internal import Images
internal import Runtime

/// A box or a quad of an answer.
struct AnswerBox: ForeignObject {
  let mark: MarkedText.Mark

  /// The box; nil for a quad.
  var box: Box? { if case .box(let box) = mark.shape { box } else { nil } }

  /// As a model writes it.
  var text: String {
    switch mark.shape {
    case .box(let box): box.written
    case .quad(let quad): quad.written
    }
  }

  var typeName: String { box == nil ? "Quad" : "Box" }
  var brief: String { mark.label.map { "\($0.quotedShort) at \(text)" } ?? text }
  var shown: String { brief }

  var attributeNames: [String] {
    ["label", "text", "pixels"] + (box == nil ? ["corners"] : ["x1", "y1", "x2", "y2"])
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch (attribute, mark.shape) {
    case ("label", _): mark.label.map { Value.text($0) } ?? Value.none
    case ("text", _): .text(text)
    case ("x1", .box(let box)): .integer(box.x1)
    case ("y1", .box(let box)): .integer(box.y1)
    case ("x2", .box(let box)): .integer(box.x2)
    case ("y2", .box(let box)): .integer(box.y2)
    case ("corners", .quad(let quad)):
      .newList(quad.corners.map { .tuple([.integer($0.x), .integer($0.y)]) })
    case ("pixels", let shape):
      .function(
        Callable(
          attribute, "Where it lies in a picture's own pixels, cut off as int(x / 1000 * width).",
          Parameter.picture("image", "The picture.")
        ) { _, picture in
          let (width, height) = (picture.image.width, picture.image.height)
          switch shape {
          case .box(let box):
            let edges = box.pixels(width: width, height: height)
            return .tuple(
              [edges.left, edges.top, edges.right, edges.bottom].map { .integer(Int($0)) })
          case .quad(let quad):
            return .newList(
              quad.pixels(width: width, height: height).map {
                .tuple([.integer($0.x), .integer($0.y)])
              })
          }
        })
    default: nil
    }
  }
}

/// The boxes of an answer.
struct AnswerBoxes: ForeignObject {
  /// What was read.
  let text: String
  let marked: MarkedText

  let boxes: [AnswerBox]
  let quads: [AnswerBox]

  init(text: String, marked: MarkedText) {
    (self.text, self.marked) = (text, marked)
    let all = marked.marks.map { AnswerBox(mark: $0) }
    boxes = all.filter { $0.box != nil }
    quads = all.filter { $0.box == nil }
  }

  var typeName: String { "Boxes" }
  var brief: String {
    let count = boxes.count
    return count == 0
      ? "no box in \(text.quotedShort)" : count.counted(as: "box", plural: "boxes")
  }

  var shown: String {
    let rows = boxes.prefix(Table.shownLimit).compactMap { one in
      one.box.map { box in
        [one.mark.label ?? ""] + [box.x1, box.y1, box.x2, box.y2].map { "\($0)" }
      }
    }
    let table =
      rows.isEmpty
      ? brief
      : TextTable(
        ["label", "x1", "y1", "x2", "y2"], rows, rightAligned: [false, true, true, true, true]
      ).text + (boxes.count > rows.count ? "\nthe first \(rows.count) of \(boxes.count)" : "")
    let others = quads.isEmpty ? [] : ["and \(quads.count.counted(as: "quad")), see quads"]
    let wrong = marked.malformed.prefix(Table.shownLimit).map(\.description)
    return ([table] + others + wrong).joined(separator: "\n")
  }

  var attributeNames: [String] { ["text", "quads", "malformed"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "text": .text(text)
    case "quads": .newList(quads.map { .object($0) })
    case "malformed": .texts(marked.malformed.map(\.description))
    default: nil
    }
  }

  var elementCount: Int? { boxes.count }

  func element(_ index: Value) throws -> Value? {
    guard let number = index.integer else { return nil }
    let place = number < 0 ? number + boxes.count : number
    guard boxes.indices.contains(place) else {
      throw RuntimeFailure(
        .index,
        boxes.isEmpty
          ? brief
          : "box \(number) is outside an answer of \(boxes.count.counted(as: "box", plural: "boxes"))",
        notes: marked.malformed.prefix(1).map(\.description))
    }
    return .object(boxes[place])
  }
}

extension AnswerBoxes {
  /// Reads an answer: a text, or whatever has one.
  ///
  /// - Throws: `ArgumentFailure` for anything else.
  static func read(_ answer: Value, of parameter: String) throws -> AnswerBoxes {
    if case .object(let boxes as AnswerBoxes) = answer { return boxes }
    var text = answer.text
    if case .object(let object) = answer { text = try object.attribute("text")?.text }
    guard let text else {
      throw ArgumentFailure(
        parameter: parameter, "must be an answer or a text, not \(answer.inMessage)")
    }
    // A mark and what is said of one take more than the letters that they were read from.
    try MemoryGate.take(text.utf8.count, of: 24, for: "the boxes of \(text.utf8.count) bytes")
    let marked = MarkedText(text)
    try Stop.check()
    return AnswerBoxes(text: text, marked: marked)
  }

  /// The marks of an answer, of some boxes, or of a list of them.
  static func marks(_ value: Value, of parameter: String, in session: Session) throws
    -> [MarkedText.Mark]
  {
    if case .object(let box as AnswerBox) = value { return [box.mark] }
    switch value {
    case .list(let list): return try list.values.flatMap { try box($0, of: parameter) }
    case .tuple(let values): return try values.flatMap { try box($0, of: parameter) }
    default: break
    }
    let answer = try read(value, of: parameter)
    guard !answer.marked.marks.isEmpty else {
      throw ArgumentFailure(
        parameter: parameter, "must tell a box, as in <box>(21,29),(526,837)</box>",
        note: answer.marked.malformed.first?.description ?? answer.brief)
    }
    for wrong in answer.marked.malformed.prefix(20) { session.note(wrong.description) }
    return answer.marked.marks
  }

  private static func box(_ value: Value, of parameter: String) throws -> [MarkedText.Mark] {
    guard case .object(let box as AnswerBox) = value else {
      throw ArgumentFailure(
        parameter: parameter,
        "must be an answer, a text, or boxes as boxes() gives, not a list with \(value.inMessage)")
    }
    return [box.mark]
  }
}

extension String {
  /// In quotes, on one line, its middle left out where it is long.
  fileprivate var quotedShort: String { Value.text(self).represented.shortened(toColumns: 80) }
}
