public import Tensors
public import Tracing

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

extension SeeingModel {
  /// What a run over a filled-up batch gave, as a run gives it in which nothing is filled up: what was added to
  /// pictures, the tokens of that among queries and keys too, is left out.
  ///
  /// - Parameters:
  ///   - values: by place, as the run over the batch had them.
  ///   - input: what the run started from, pictures filled up.
  /// - Throws: what reading the input throws.
  public func withoutFilling(
    _ values: [Address: Tensor], of input: Input
  ) throws -> [Address: Tensor] {
    var plain = input
    plain.fillsUp = false
    let shapes = Dictionary(
      try outline(plain).places.map { ($0.address, $0.shape) },
      uniquingKeysWith: { first, _ in first })
    var result: [Address: Tensor] = [:]
    for (address, tensor) in values {
      guard let shape = shapes[address], shape != tensor.shape, shape.count == tensor.rank else {
        result[address] = tensor
        continue
      }
      let grid = try patches(of: input, at: address.picture.index)
      let seen = (0..<grid.count).filter { grid.isSeen($0) }
      var kept = tensor
      for axis in shape.indices where shape[axis] != kept.shape[axis] {
        let isPixels = address.picture.place.description.hasPrefix("picture.pixels")
        // What stands behind a picture's tokens, queries among the keys, stays.
        let indices =
          isPixels
          ? Array(0..<shape[axis]) : seen + Array(grid.count..<max(grid.count, kept.shape[axis]))
        kept = kept.picking(indices, axis: axis)
      }
      result[address] = kept
    }
    return result
  }
}

extension Tensor {
  /// Some of the entries along an axis.
  fileprivate func picking(_ indices: [Int], axis: Int) -> Tensor {
    let (outer, inner) = (
      shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *)
    )
    let (old, source) = (shape[axis], elements)
    var picked: [Float] = []
    picked.reserveCapacity(outer * indices.count * inner)
    for place in 0..<outer {
      for index in indices {
        let start = (place * old + index) * inner
        picked += source[start..<start + inner]
      }
    }
    var shape = shape
    shape[axis] = indices.count
    return Tensor(picked, shape: shape)
  }
}
