internal import CKernels
internal import Foundation

/// Turns pairs of channels by angles that depend on a token's position: rotary position embedding.
///
/// Su et al. 2021, arXiv:2104.09864. Channel `i` of the first half and its partner in the second are
/// turned together, as transformers lays them out.
public struct Rotation: Sendable {
  /// `[T, K]`: the cosine of each token's angles, one a channel: both of a pair have the same.
  ///
  /// - Precondition: it keeps its shape.
  public var cosines: Tensor
  /// `[T, K]`: their sines.
  public var sines: Tensor

  /// `[T, 1]`: what queries are multiplied by after they are turned; nil for nothing.
  public let queryGrowth: Tensor?

  /// Turns by `angles` `[T, K/2]`, one a pair of channels, in radians.
  public init(angles: Tensor, queryGrowth: Tensor? = nil) {
    self.queryGrowth = queryGrowth
    precondition(angles.rank == 2, "angles \(angles.shape)")
    func doubled(_ function: (Double) -> Double) -> Tensor {
      let half = angles.map { Float(function(Double($0))) }.transposed()
      return Tensor.concatenated([half, half]).transposed()
    }
    (cosines, sines) = (doubled(cos), doubled(sin))
  }

  /// Rows `[T, H·K]` with every head's first channels turned.
  ///
  /// - Precondition: as many rows as angles; heads at least as wide as what is turned.
  public func callAsFunction(_ x: Channels, headCount: Int) -> Tensor {
    let (rows, width) = (x.rows.count, x.channels.count / headCount)
    let turned = cosines.shape[1]
    precondition(
      rows == cosines.shape[0] && cosines.shape == sines.shape && turned <= width,
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
