internal import CKernels

/// Reproducible numbers, close to normally distributed, that can be made in any order.
public struct RandomNumbers: Sendable {
  private let seed: UInt64

  /// The sequence of `seed` and `name`: another for another of either, the same on every machine.
  public init(seed: UInt64, name: String) {
    // FNV-1a over the name, begun at the seed.
    var hash = 0xCBF2_9CE4_8422_2325 ^ (seed &* 0x9E37_79B9_7F4A_7C15)
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    self.seed = hash
  }

  /// 32 random bits, the same for the same place.
  package func bits(at place: Int) -> UInt32 {
    let step = UInt64(truncatingIfNeeded: place) &* 0x9E37_79B9_7F4A_7C15
    var numbers = SplitMix64(seed: seed &+ step)
    return UInt32(truncatingIfNeeded: numbers.next() >> 32)
  }

  /// The bytes of numbers `first` to below `first + count`, rounded to `type`.
  package func bytes(
    from first: Int, count: Int, mean: Float, deviation: Float, as type: ElementType
  ) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count * type.size) { out, initialised in
      guard let start = out.baseAddress else { return }
      withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.chunk) { floats in
        guard let numbers = floats.baseAddress else { return }
        for begin in stride(from: 0, to: count, by: Self.chunk) {
          let length = min(Self.chunk, count - begin)
          ck_random_normal(
            seed, UInt64(first + begin), mean, deviation, numbers, length)
          ElementRounding.round(
            UnsafePointer(numbers), count: length, to: type, into: start + begin * type.size)
        }
      }
      initialised = count * type.size
    }
  }

  private static let chunk = 4096
}

/// Float32 to the types that weights are stored in.
package enum ElementRounding {
  /// Writes `count` numbers as `type`, ties to even, to `out` at any alignment of `type`'s size.
  package static func round(
    _ numbers: UnsafePointer<Float>, count: Int, to type: ElementType,
    into out: UnsafeMutableRawPointer
  ) {
    switch type {
    case .float32: out.copyMemory(from: numbers, byteCount: count * 4)
    case .float16:
      ck_float32_to_float16(numbers, out.assumingMemoryBound(to: UInt16.self), count)
    case .bfloat16:
      ck_float32_to_bfloat16(numbers, out.assumingMemoryBound(to: UInt16.self), count)
    }
  }
}
