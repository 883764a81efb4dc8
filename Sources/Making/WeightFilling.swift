internal import Checkpoints
internal import Tensors

/// What a tensor of a made-up checkpoint is filled with.
enum WeightFilling: Sendable {
  /// Random numbers.
  case numbers(WeightScale)
  /// Zeros.
  case zeros
  /// Eight 4-bit integers a word, from 1 to 15: all as often, but for 8, the zero point, which comes twice.
  case integers
  /// Eight zero points a word, each 8, which the packing writes as 7.
  case zeroPoints
  /// The number of the group that each input is in.
  case groups(of: Int)

  /// 8-bit integers from -127 to 127, all as often, but for 0, which comes twice.
  case bytes

  /// What fills the tensors that stand for a packed weight, by the ends of their names.
  static func packed(
    _ scale: WeightScale, _ quantization: Quantization
  ) -> [String: WeightFilling] {
    func steps(_ deviationOfIntegers: Float) -> WeightFilling {
      let step = scale.deviation / deviationOfIntegers
      return .numbers(WeightScale(mean: step, deviation: step / 20))
    }
    switch quantization {
    case .int4(let groupSize):
      return [
        "qweight": .integers, "qzeros": .zeroPoints, "g_idx": .groups(of: groupSize),
        "bias": .zeros, "scales": steps(4.183),
      ]
    case .int8:
      let one = WeightFilling.numbers(WeightScale(mean: 1, deviation: 0))
      return [
        "weight._data": .bytes, "weight._scale": steps(73.47), "input_scale": one,
        "output_scale": one,
      ]
    }
  }

  /// The bytes of elements `first` to below `first + count` of the tensor called `name`.
  func bytes(
    of name: String, seed: UInt64, from first: Int, count: Int, as type: StoredType
  ) -> [UInt8] {
    switch self {
    case .numbers(let scale):
      return RandomNumbers(seed: seed, name: name).bytes(
        from: first, count: count, mean: scale.mean, deviation: scale.deviation,
        as: type.elementType ?? .float32)
    case .zeros: return [UInt8](repeating: 0, count: count * type.size)
    case .integers:
      let numbers = RandomNumbers(seed: seed, name: name)
      return Self.bytes((first..<first + count).map { Self.integers(numbers.bits(at: $0)) })
    case .bytes:
      let numbers = RandomNumbers(seed: seed, name: name)
      return (first..<first + count).map { place in
        let byte = UInt8(truncatingIfNeeded: numbers.bits(at: place / 4) >> (8 * (place % 4)))
        return byte == 0x80 ? 0 : byte
      }
    case .zeroPoints: return Self.bytes([UInt32](repeating: 0x7777_7777, count: count))
    case .groups(let size):
      return Self.bytes((first..<first + count).map { UInt32($0 / size) })
    }
  }

  /// A word of integers, those that are 0 made 8.
  private static func integers(_ word: UInt32) -> UInt32 {
    let isSet = (word | word >> 1 | word >> 2 | word >> 3) & 0x1111_1111
    return word | (isSet ^ 0x1111_1111) << 3
  }

  private static func bytes(_ words: [UInt32]) -> [UInt8] {
    unsafe words.withUnsafeBytes { unsafe Array($0) }
  }
}
