public import Tensors

extension Input {
  /// The pictures in one entry of a published batch, each cut to what it shows.
  ///
  /// A picture whose numbers are all exactly 0 fills the batch up, for an entry with fewer pictures than
  /// another, and is left out, as the published model leaves it out.
  ///
  /// - Parameters:
  ///   - pixels: `[N, 3, Y, X]`.
  ///   - mask: `N · Y · X` numbers: 1 where a pixel is the picture's and 0 where it fills up; nil where all
  ///     are the pictures'.
  /// - Throws: `ModelError.wrongShape` for another shape, or a mask of other pixels.
  public static func pictures(
    inBatch pixels: Tensor, mask: [Int]?
  ) throws(ModelError) -> [Input.Picture] {
    guard pixels.rank == 4, pixels.shape[1] == 3, pixels.count > 0,
      mask.map({ $0.count * 3 == pixels.count }) ?? true
    else {
      throw .wrongShape(
        stage: "preprocess", found: pixels.shape, expected: "[N, 3, Y, X], and a mask of N · Y · X")
    }
    let (height, width) = (pixels.shape[2], pixels.shape[3])
    return (0..<pixels.shape[0]).compactMap { index -> Input.Picture? in
      let picture = pixels.row(index)  // [3, Y, X]
      guard picture.elements.contains(where: { $0 != 0 }) else { return nil }
      guard let mask else { return .pixels(picture) }
      // What is the picture's begins at the top left corner.
      let first = index * height * width
      let columns = (0..<width).count { mask[first + $0] != 0 }
      let rows = (0..<height).count { mask[first + $0 * width] != 0 }
      guard rows < height || columns < width, rows > 0, columns > 0 else { return .pixels(picture) }
      let lines = (0..<3 * rows).flatMap { line -> ArraySlice<Float> in
        let start = ((line / rows) * height + line % rows) * width
        return picture.elements[start..<start + columns]
      }
      return .pixels(Tensor(lines, shape: [3, rows, columns]))
    }
  }
}
