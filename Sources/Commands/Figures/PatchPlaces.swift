internal import Figures
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension LoadedModel {
  /// A picture as the model sees it, without transparent parts.
  func seen(_ image: Image) -> Image {
    image.opaque(by: model.seeing?.preprocessing.transparency ?? .drop)
  }

  /// A picture with the places of its patches in its own pixels, row by row, and what is done to it
  /// before the model looks.
  ///
  /// - Parameter view: which view of one that is split, counted from 0; nil for the whole.
  func backdrop(of image: Image, view: Int? = nil) throws -> Backdrop {
    let way = try able(.seeing, for: "an overlay").way(of: image.size, view: view)
    return Backdrop(seen(image), patches: way.patchRectangles, note: way.sentence)
  }

  /// Which view of its picture a place of a run lies on, counted from 0; nil for places among words, and for a
  /// model that splits no picture.
  func view(of address: Address, in input: Input) -> Int? {
    guard let seer = model.seeing, seer.viewCount > 1, address.parts.first != "language" else {
      return nil
    }
    let views = seer.views(of: input)
    let index = address.picture.index
    return views.indices.contains(index) ? views[index].number : nil
  }

  /// Refuses a view of a picture that the model does not split.
  func refuse(view: Int?) throws {
    guard view == nil || (model.seeing?.viewCount ?? 1) > 1 else {
      throw ArgumentFailure(
        parameter: "view", "is for a model that splits pictures, which \(name) does not")
    }
  }

  /// Which of all views of an input's pictures are meant, by their place in a run and their number in
  /// their picture; the number is nil where the model splits no picture.
  ///
  /// - Parameters:
  ///   - picture: counted from 0.
  ///   - view: counted from 0; nil for all of the picture's.
  func ways(of input: Input, picture: Int, view: Int?) throws -> [(index: Int, view: Int?)] {
    try refuse(view: view)
    guard let seer = model.seeing, seer.viewCount > 1 else { return [(picture, nil)] }
    let views = Array(seer.views(of: input).enumerated())
    guard !views.isEmpty else { return [(picture, nil)] }
    let found = views.filter {
      $0.element.pictureIndex == picture && (view == nil || $0.element.number == view)
    }
    guard !found.isEmpty else {
      let has = Set(views.map(\.element.pictureIndex)).count
      throw ArgumentFailure(
        parameter: picture < has ? "view" : "picture",
        picture < has
          ? "must be one that ran, not \((view ?? 0) + 1)"
          : "must be from 1 to \(has), not \(picture + 1)",
        note: picture < has
          ? "of this picture ran "
            + views.filter { $0.element.pictureIndex == picture }.map {
              "\($0.element.number + 1) (\(PictureView.name(of: $0.element.number)))"
            }.joined(separator: ", ") : nil)
    }
    return found.map { ($0.offset, $0.element.number) }
  }
}

extension Geometry {
  /// What a model does to the shape of a picture before it looks; nil where it keeps all of it as it is.
  var sentence: String? {
    let across = Double(resized.width) / Double(part.size.width)
    let down = Double(resized.height) / Double(part.size.height)
    let squeeze = across / down
    func percent(_ share: Double) -> String { "\(Int((share * 100).rounded())) %" }
    var sentences: [String] = []
    if squeeze < 0.98 || squeeze > 1.02 {
      sentences.append(
        "Squeezed: the model gets the picture with "
          + (squeeze < 1
            ? "\(percent(squeeze)) of its width" : "\(percent(1 / squeeze)) of its height")
          + ", \(part.size) as \(resized).")
    }
    let shown = part.rectangle
    let share = seen.map { $0.width * $0.height / (shown.width * shown.height) } ?? 0
    if share < 0.995 {
      sentences.append("Cropped: the model sees \(percent(share)) of the picture.")
    }
    return sentences.isEmpty ? nil : sentences.joined(separator: " ")
  }

  /// Where each patch lies on the original, in its pixels, row by row.
  var patchRectangles: [Rectangle] {
    (0..<rowCount).flatMap { row in
      (0..<columnCount).map { patchRectangle(row: row, column: $0) }
    }
  }
}

/// Maps of several views of one picture as one map of the picture.
///
/// What a view gives a patch is spread evenly over what the patch covers of the picture, and what the views
/// give is added up. The cells are cut along the edges of all patches of all views, so that nothing is
/// interpolated: a cell's number is the sum over the views of the patch's number times the share of its area.
struct ViewedMap {
  /// `[rows, columns]`: a number a cell, each for an area as large as a patch of the whole picture is on
  /// average, so that large cells do not look more than small ones.
  let numbers: Tensor
  /// Where each cell lies on the picture, row by row.
  let cells: [Rectangle]

  /// - Parameter views: each view's way and what it gives its patches, `[rows, columns]`.
  init(_ views: [(way: Geometry, map: Tensor)]) {
    func cuts(_ ends: (Rectangle) -> [Double], _ limit: Double) -> [Double] {
      let all = views.flatMap { $0.way.patchRectangles.flatMap(ends) }.map {
        min(max($0, 0), limit)
      }
      return all.sorted().reduce(into: [Double]()) { cuts, place in
        // Edges that rounding alone keeps apart are one.
        if cuts.last.map({ place - $0 > 1e-6 }) ?? true { cuts.append(place) }
      }
    }
    let size = views.first?.way.original ?? PixelSize(width: 1, height: 1)
    let across = cuts({ [$0.x, $0.bottomRight.x] }, Double(size.width))
    let down = cuts({ [$0.y, $0.bottomRight.y] }, Double(size.height))
    let (rows, columns) = (max(0, down.count - 1), max(0, across.count - 1))
    let whole = views.last.map { $0.way.patchRectangle(row: 0, column: 0) }
    let unit = whole.map { $0.width * $0.height } ?? 1
    var cells: [Rectangle] = []
    var numbers: [Float] = []
    for row in 0..<rows {
      for column in 0..<columns {
        let cell = Rectangle(
          x: across[column], y: down[row], width: across[column + 1] - across[column],
          height: down[row + 1] - down[row])
        cells.append(cell)
        numbers.append(
          views.reduce(Float(0)) { sum, view in
            guard let patch = view.way.patch(at: cell.centre) else { return sum }
            let place = view.way.patchRectangle(row: patch.row, column: patch.column)
            let number = view.map.elements[patch.row * view.way.columnCount + patch.column]
            return sum + number * Float(unit / (place.width * place.height))
          })
      }
    }
    (self.cells, self.numbers) = (cells, Tensor(numbers, shape: [rows, columns]))
  }
}
