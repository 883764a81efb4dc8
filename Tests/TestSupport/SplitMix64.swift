public import Tensors

extension SplitMix64 {
  /// The next number, from 0 to below `limit`, or 0 where `limit` is less than 1.
  public mutating func below(_ limit: Int) -> Int {
    Int(next() % UInt64(max(1, limit)))
  }
}
