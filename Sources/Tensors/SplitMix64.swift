/// SplitMix64 (Steele, Lea, Flood, 2014): a stream of numbers that is the same on every machine.
///
/// Swift's own generators may change between versions of the standard library, and so would every
/// scene, every drawn token and every group; this one is a few lines of integer arithmetic and never
/// changes.
public struct SplitMix64: Sendable {
  private var state: UInt64

  /// A stream that depends on `seed` alone.
  public init(seed: UInt64) { state = seed }

  /// The next 64 bits.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number from 0 to below 1, of 53 random bits.
  public mutating func fraction() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
