public import Images
internal import Layers
public import Tensors

/// How a vision tower cuts a picture into patches, and which token stands for which.
///
/// It alone knows rows and columns, that some tokens stand before the first patch's, and which patches
/// are what fills a batch up; the way between patches and the picture's own pixels is `Geometry`'s. Most
/// models have one grid. Where it depends on the picture, `patches(of:at:)` of the model gives each view's.
public struct PatchGrid: Sendable, Hashable {
  /// What the model is given, in pixels, what fills it up included.
  public let size: PixelSize
  /// Width and height of a patch, in pixels.
  public let patchSize: Int
  /// How many tokens stand before that of the first patch: the class token.
  public let leadingTokenCount: Int

  /// Rows and columns of patches that show the picture; the others, below and to the right, are what
  /// fills a batch up, and nothing looks at them.
  public let seenRowCount, seenColumnCount: Int

  /// The longer side of what the model is given, in pixels.
  public var imageSize: Int { max(size.width, size.height) }
  /// Rows of patches.
  public var rowCount: Int { size.height / patchSize }
  /// Patches in a row.
  public var columnCount: Int { size.width / patchSize }
  /// All patches.
  public var count: Int { rowCount * columnCount }
  /// The class token, where there is one, and the patches.
  public var tokenCount: Int { leadingTokenCount + count }
  /// Whether every patch shows the picture.
  public var isAllSeen: Bool { seenRowCount == rowCount && seenColumnCount == columnCount }

  init(_ sizes: VisionTransformer.Sizes) {
    let size = PixelSize(width: sizes.imageSize, height: sizes.imageSize)
    self.init(size, patchSize: sizes.patchSize, leadingTokenCount: sizes.leadingTokenCount)
  }

  /// - Parameter filled: the size that a batch fills the picture up to; nil where nothing is added.
  init(
    _ picture: PixelSize, filledUpTo filled: PixelSize? = nil, patchSize: Int,
    leadingTokenCount: Int
  ) {
    (size, self.patchSize) = (filled ?? picture, patchSize)
    self.leadingTokenCount = leadingTokenCount
    (seenRowCount, seenColumnCount) = (picture.height / patchSize, picture.width / patchSize)
  }

  /// Whether a patch shows the picture.
  public func isSeen(_ patch: Int) -> Bool {
    let place = place(of: patch)
    return place.row < seenRowCount && place.column < seenColumnCount
  }

  /// `[queryCount, T + later]`: 0 where a token may be looked at, negative infinity where it is what
  /// fills up; nil where all may be.
  ///
  /// - Parameter later: tokens of another kind that stand behind and are always seen.
  func mask(queryCount: Int, later: Int = 0) -> Tensor? {
    guard !isAllSeen else { return nil }
    let row = (0..<tokenCount).map { token -> Float in
      patch(ofToken: token).map(isSeen) ?? true ? 0 : -.infinity
    }
    let whole = row + [Float](repeating: 0, count: later)
    return Tensor(
      (0..<queryCount).flatMap { _ in whole }, shape: [queryCount, tokenCount + later])
  }

  /// Where a patch lies, counted row by row.
  public func place(of patch: Int) -> (row: Int, column: Int) {
    (patch / columnCount, patch % columnCount)
  }

  /// Which patch a token stands for; nil for those before the first.
  public func patch(ofToken index: Int) -> Int? {
    index < leadingTokenCount ? nil : index - leadingTokenCount
  }

  /// The rows of tokens `[T, D]` that stand for patches, `[P, D]`.
  public func patches(of tokens: Tensor) -> Tensor { tokens.rows(leadingTokenCount..<tokenCount) }

  /// What one row of an attention gives each patch, as a grid `[rows, columns]`; nil where it is too short.
  ///
  /// What stands behind the picture's tokens, such as queries among the keys, is left out.
  public func map(ofLook look: Tensor) -> Tensor? {
    guard look.count >= tokenCount else { return nil }
    return map(of: Tensor(Array(look.elements.prefix(tokenCount)), shape: [tokenCount]))
  }

  /// One number a patch or a token, or a grid as it is, as a grid `[rows, columns]`; nil for anything
  /// else.
  public func map(of numbers: Tensor) -> Tensor? {
    if numbers.shape == [rowCount, columnCount] { return numbers }
    guard numbers.rank == 1 || numbers.shape.dropLast().allSatisfy({ $0 == 1 }) else { return nil }
    switch numbers.count {
    case count: return numbers.reshaped(rowCount, columnCount)
    case tokenCount:
      return Tensor(
        Array(numbers.elements.dropFirst(leadingTokenCount)), shape: [rowCount, columnCount])
    default: return nil
    }
  }
}
