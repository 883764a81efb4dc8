internal import CKernels
internal import Foundation

/// Turns pairs of channels by angles that depend on a token's position: rotary position embedding.
///
/// Su et al. 2021, arXiv:2104.09864. Channel `i` of the first half and its partner in the second are
/// turned together, as transformers lays them out.
public struct Rotation: Sendable {
  /// `[T, K/2]`: the cosine of each token's angles.
  let cosines: Tensor
  /// `[T, K/2]`: their sines.
  let sines: Tensor

  /// Turns by `angles` `[T, K/2]`, one a pair of channels, in radians.
  public init(angles: Tensor) {
    precondition(angles.rank == 2, "angles \(angles.shape)")
    cosines = angles.map { Float(cos(Double($0))) }
    sines = angles.map { Float(sin(Double($0))) }
  }

  /// Rows `[T, H·K]` with every head's first channels turned.
  ///
  /// - Precondition: as many rows as angles; heads at least as wide as what is turned.
  public func callAsFunction(_ x: Channels, headCount: Int) -> Tensor {
    let (rows, width) = (x.rows.count, x.channels.count / headCount)
    let turned = 2 * cosines.shape[1]
    precondition(
      rows == cosines.shape[0] && turned <= width,
      "\(rows) rows of \(headCount) heads of \(width) by angles \(cosines.shape)")
    return Tensor.filled([rows, x.channels.count]) { out in
      x.tensor.elements.withUnsafeBufferPointer { source in
        guard let start = source.baseAddress, rows > 0 else { return }
        ck_rotate(
          start + x.offset, x.stride, rows, headCount, width, turned, cosines.elements,
          sines.elements, out)
      }
    }
  }
}
