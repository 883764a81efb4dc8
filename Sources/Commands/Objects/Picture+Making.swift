internal import Budget
internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Tensors

extension Picture {
  /// The picture of a file, or of a tensor: see the command `image`.
  ///
  /// - Throws: `ArgumentFailure` for what is neither; whatever reading the file throws.
  static func made(of source: Value, in session: Session) throws -> Picture {
    if case .object(let picture as Picture) = source { return picture }
    if let path = source.text, !path.isEmpty { return try read(path, in: session) }
    guard let tensor = source.tensor else {
      throw ArgumentFailure(
        parameter: "path", "must be a path or a tensor, not \(source.inMessage)")
    }
    let seer =
      try source.sourceModel?.able(.seeing, for: "image")
      ?? session.able(.seeing, for: "image").part
    let grid = try seer.patches(of: source.runInputs, at: 0)
    guard let levels = try seer.levels(of: tensor, cut: grid) else {
      throw ArgumentFailure(
        parameter: "path",
        "must be pixels [3, Y, X], patches [\(grid.count), \(3 * grid.patchSize * grid.patchSize)] "
          + "or levels [Y, X, 3], not \(source.inMessage)",
        note: "heatmap() draws other tensors")
    }
    var cut = 0
    Stop.parts(of: levels.count) { part in
      cut += levels.elements[part].count { !($0 > -0.5 && $0 < 255.5) }
    }
    try Stop.check()
    if cut > 0 {
      session.print(
        "warning: \(cut.counted(as: "number")) of \(levels.count) "
          + "\(cut == 1 ? "is" : "are") no colour of a picture, and cut at black and white\n")
    }
    return Picture(try Image(levels: levels), name: source.provenance?.title ?? "picture")
  }
}

extension SeeingModel {
  /// The levels of the picture that a tensor shows, `[Y, X, 3]`; nil where its shape is none of a
  /// picture's: pixels `[3, Y, X]` or patches `[P, 3·p·p]` as this model takes them, or levels.
  ///
  /// - Parameter patches: how the picture is cut whose patches they are.
  func levels(of tensor: Tensor, cut patches: PatchGrid) throws -> Tensor? {
    if tensor.rank == 3, tensor.count > 0, tensor.shape[0] == 3 {
      return try preprocessing.levels(of: tensor)
    }
    let side = patches.patchSize
    if tensor.shape == [patches.count, 3 * side * side] {
      return try preprocessing.levels(
        of: unpatchify(tensor, patch: side, rows: patches.rowCount, columns: patches.columnCount))
    }
    return tensor.rank == 3 && tensor.count > 0 && tensor.shape[2] == 3 ? tensor : nil
  }
}

extension Picture: Previewed {
  /// The picture in half blocks or shades, as the terminal can.
  func preview(in session: Session) -> String? { session.drawn(image) }
}
