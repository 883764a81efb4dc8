internal import Layers
public import Tensors

/// How a vision tower cuts its picture into patches, and which token stands for which.
///
/// It alone knows rows and columns, and that some tokens stand before the first patch's; the way between
/// patches and the picture's own pixels is `Geometry`'s.
public struct PatchGrid: Sendable, Hashable {
  /// Width and height of the picture, in pixels.
  public let imageSize: Int
  /// Width and height of a patch, in pixels.
  public let patchSize: Int
  /// How many tokens stand before that of the first patch: the class token.
  public let leadingTokenCount: Int

  /// Patches in a row, and rows of patches.
  public var side: Int { imageSize / patchSize }
  /// All patches.
  public var count: Int { side * side }
  /// The class token, where there is one, and the patches.
  public var tokenCount: Int { leadingTokenCount + count }

  init(_ sizes: VisionTransformer.Sizes) {
    (imageSize, patchSize) = (sizes.imageSize, sizes.patchSize)
    leadingTokenCount = sizes.leadingTokenCount
  }

  /// Where a patch lies, counted row by row.
  public func place(of patch: Int) -> (row: Int, column: Int) { (patch / side, patch % side) }

  /// Which patch a token stands for; nil for those before the first.
  public func patch(ofToken index: Int) -> Int? {
    index < leadingTokenCount ? nil : index - leadingTokenCount
  }

  /// The rows of tokens `[T, D]` that stand for patches, `[P, D]`.
  public func patches(of tokens: Tensor) -> Tensor { tokens.rows(leadingTokenCount..<tokenCount) }

  /// One number a patch or a token, or a grid as it is, as a grid `[rows, columns]`; nil for anything
  /// else.
  public func map(of numbers: Tensor) -> Tensor? {
    if numbers.shape == [side, side] { return numbers }
    guard numbers.rank == 1 || numbers.shape.dropLast().allSatisfy({ $0 == 1 }) else { return nil }
    switch numbers.count {
    case count: return numbers.reshaped(side, side)
    case tokenCount:
      return Tensor(Array(numbers.elements.dropFirst(leadingTokenCount)), shape: [side, side])
    default: return nil
    }
  }
}
