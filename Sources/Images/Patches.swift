public import Tensors

/// Cuts `[C, Y, X]` into square patches: `[P, C · patch · patch]`.
///
/// Row `P` is the patch at row `P / columns` and column `P % columns` of the grid, as `Geometry`
/// counts them; within it the order is channel, y, x. A convolution's weight `[D, C, patch, patch]`,
/// flattened to `[D, C · patch · patch]`, multiplies it as it stands. Rows and columns that do not
/// fill a patch are dropped, as a convolution without padding drops them.
///
/// - Throws: `ImageError.shape` for a tensor of another rank, or too small for one patch;
///   `ImageError.setting` for a patch that is not positive.
public func patchify(_ pixels: Tensor, patch: Int) throws(ImageError) -> Tensor {
  try check(patch)
  guard pixels.rank == 3, pixels.shape[1] >= patch, pixels.shape[2] >= patch else {
    throw .shape(found: pixels.shape, expected: "[C, Y, X] with Y and X at least \(patch)")
  }
  let (channels, height, width) = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
  return Tensor.filled([(height / patch) * (width / patch), channels * patch * patch]) {
    Codecs.patchify(
      pixels.elements, channels: channels, height: height, width: width, patch: patch, into: $0)
  }
}

/// Puts patches `[P, C · patch · patch]` back into `[C, rows · patch, columns · patch]`.
///
/// - Throws: `ImageError.shape` where there are not `rows · columns` patches of whole channels;
///   `ImageError.setting` for a patch that is not positive.
public func unpatchify(
  _ patches: Tensor, patch: Int, rows: Int, columns: Int
) throws(ImageError) -> Tensor {
  try check(patch)
  let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
  guard patches.rank == 2, rows >= 1, columns >= 1, !overflow, patches.shape[0] == count,
    patches.shape[1] % (patch * patch) == 0
  else {
    throw .shape(
      found: patches.shape, expected: "[\(rows) · \(columns), C · \(patch) · \(patch)]")
  }
  let channels = patches.shape[1] / (patch * patch)
  return Tensor(
    Codecs.unpatchify(
      patches.elements, channels: channels, rows: rows, columns: columns, patch: patch),
    shape: [channels, rows * patch, columns * patch])
}

private func check(_ patch: Int) throws(ImageError) {
  guard (1...Preprocessing.sideLimit).contains(patch) else {
    throw .setting(
      "patch_size", found: "\(patch)", expected: "from 1 to \(Preprocessing.sideLimit)")
  }
}
