internal import Images
internal import Models

extension LoadedModel {
  /// A picture as the model sees it, without transparent parts.
  func seen(_ image: Image) -> Image {
    image.opaque(by: model.seeing?.preprocessing.transparency ?? .drop)
  }

  /// Where each patch lies on a picture, in the picture's own pixels, row by row.
  func patchRectangles(of image: Image) throws -> [Rectangle] {
    let geometry = try able(.seeing, for: "an overlay").prepare(image).geometry
    return (0..<geometry.rowCount).flatMap { row in
      (0..<geometry.columnCount).map { geometry.patchRectangle(row: row, column: $0) }
    }
  }
}
