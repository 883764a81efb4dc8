internal import Budget
internal import Characters
internal import Figures
internal import Models
internal import Runtime
internal import Tensors

/// How alike the items of two lists are, with what they are.
struct Similarity: ForeignObject {
  let rows, columns: [Embedded]
  /// `[R, C]`: cosines.
  let cosines: Tensor
  /// What cosines are multiplied by before softmax.
  let scale: Float
  /// Whether the object stands for probabilities rather than for cosines.
  let showsProbabilities: Bool
  let model: LoadedModel

  /// `[R, C]`: cosines times the model's scale.
  var logits: Tensor { cosines * scale }
  /// `[R, C]`: softmax of the logits over each row.
  var probabilities: Tensor { logits.softmax() }

  var tensor: Tensor? { showsProbabilities ? probabilities : cosines }
  var typeName: String { "Similarity" }
  var brief: String { "Similarity of \(rows.count) to \(columns.count)" }
  var valueName: String { showsProbabilities ? "probability" : "cosine" }

  var shown: String {
    // Nobody reads a table of thousands of columns.
    let (shownRows, shownColumns) = (rows.prefix(200), columns.prefix(50))
    let cut = cosines.rows(0..<shownRows.count)
    let numbers = showsProbabilities ? (cut * scale).softmax() : cut
    let rowLabels = Array(shownRows).labels(toColumns: 60)
    let lines = shownRows.indices.map { row in
      [rowLabels[row]]
        + shownColumns.indices.map { column in
          showsProbabilities
            ? Percentage.text(numbers[row, column]) : Digits.short(Double(numbers[row, column]))
        }
    }
    let isCut = shownRows.count < rows.count || shownColumns.count < columns.count
    return TextTable(
      [valueName] + Array(shownColumns).labels(toColumns: 28), lines,
      rightAligned: [false] + shownColumns.map { _ in true }
    ).text
      + (isCut
        ? "\n\(shownRows.count) × \(shownColumns.count) of \(rows.count) × \(columns.count)" : "")
      + (showsProbabilities
        ? "\nsoftmax over each row of cosines times \(Digits.short(Double(scale)))" : "")
  }

  var attributeNames: [String] { ["cosines", "logits", "probabilities", "scale", "best"] }

  func attribute(_ attribute: String) throws -> Value? {
    if ["logits", "probabilities"].contains(attribute) {
      try MemoryGate.take(8 * cosines.count, for: "\(attribute) of shape \(cosines.shape)")
    }
    return switch attribute {
    case "cosines": .tensor(cosines, from: Provenance("cosines"))
    case "logits": .tensor(logits, from: Provenance("logits"))
    case "probabilities": .tensor(probabilities, from: Provenance("probabilities"))
    case "scale": .float(Double(scale))
    case "best":
      .texts(
        columns.isEmpty
          ? []
          : rows.indices.map { columns[Int(cosines.row($0).argmax(axis: 0).elements[0])].name })
    default: nil
    }
  }

  /// The matrix with pictures and texts at its edges.
  ///
  /// - Parameter isCentred: whether colours lie evenly about 0.
  func figure(title: String, map: ColourMap, isCentred: Bool) throws -> Figure {
    var options = HeatmapOptions()
    options.map = map
    options.normalisation =
      isCentred
      ? .symmetric(about: 0) : showsProbabilities ? .zeroToMaximum : .minimumToMaximum
    options.valueName = valueName
    if showsProbabilities {
      options.note = "Each row sums to 1: softmax of cosines times \(Digits.short(Double(scale)))."
    }
    return try Figure.similarityMatrix(
      tensor ?? cosines, title: title.isEmpty ? "likeness by \(model.name)" : title,
      rows: rows.map(\.edgeLabel), columns: columns.map(\.edgeLabel), options: options)
  }
}

extension [Embedded] {
  /// What stands for each at the edge of a table.
  fileprivate func labels(toColumns limit: Int) -> [String] {
    ShortenedTexts.distinct(map(\.label)) { ($0 + $1).shortened(toColumns: limit) }
  }
}

extension Embedded {
  fileprivate var edgeLabel: EdgeLabel {
    switch self {
    case .picture(let picture): EdgeLabel(label, picture: picture.image)
    case .text: EdgeLabel(label)
    }
  }
}
