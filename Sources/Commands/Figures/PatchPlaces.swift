internal import Images
internal import Models
internal import Tensors

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

extension Tensor {
  /// The numbers of one map as a grid of patches, `[rows, columns]`.
  ///
  /// Takes a grid as it is, one number a patch, or one number a token with the class token first.
  func patchGrid(side: Int) -> Tensor? {
    if rank == 2, shape == [side, side] { return self }
    guard rank == 1 || shape.dropLast().allSatisfy({ $0 == 1 }) else { return nil }
    if count == side * side { return reshaped(side, side) }
    if count == side * side + 1 {
      return Tensor(Array(elements.dropFirst()), shape: [side, side])
    }
    return nil
  }
}
