internal import Tensors

/// What is behind the objects of a scene: light, plain or gently textured.
public struct Background: Sendable, Equatable {
  /// Red, green and blue, 205 to 250.
  public var components: [Int]
  /// How it varies.
  public var texture: Texture
  /// Where the grain's numbers come from; also shifts the objects' colours a little.
  var grainSeed: UInt64

  /// The kinds of background.
  public enum Texture: Sendable, Equatable {
    /// One colour.
    case plain
    /// Darker by up to `depth` (0 to 255) from one side to the other.
    case gradient(depth: Int, vertical: Bool)
    /// Every second band of `width` pixels is darker by `depth`.
    case stripes(width: Int, depth: Int, vertical: Bool)
    /// Every pixel differs by up to `depth` from the colour.
    case grain(depth: Int)
  }

  init(from random: inout SplitMix64) {
    let base = random.number(in: 215...245)
    components = (0..<3).map { _ in base + random.number(in: -10...10) }
    switch random.number(in: 0...9) {
    case 0...4: texture = .plain
    case 5...6:
      texture = .gradient(
        depth: random.number(in: 10...40), vertical: random.chance(percent: 50))
    case 7:
      texture = .stripes(
        width: random.number(in: 8...24), depth: random.number(in: 6...16),
        vertical: random.chance(percent: 50))
    default: texture = .grain(depth: random.number(in: 4...14))
    }
    grainSeed = random.next()
  }

  /// The background's pixels, `[Y, X, 3]`.
  func pixels(side: Int) -> [UInt8] {
    var grain = SplitMix64(seed: grainSeed)
    return [UInt8](unsafeUninitializedCapacity: side * side * 3) { buffer, count in
      var index = 0
      for row in 0..<side {
        for column in 0..<side {
          var shift = 0
          switch texture {
          case .plain: break
          case .gradient(let depth, let vertical):
            shift = -depth * (vertical ? row : column) / side
          case .stripes(let width, let depth, let vertical):
            shift = ((vertical ? column : row) / width) % 2 == 0 ? 0 : -depth
          case .grain(let depth):
            shift = grain.number(in: -depth...depth)
          }
          for component in components {
            buffer[index] = UInt8(max(0, min(255, component + shift)))
            index += 1
          }
        }
      }
      count = index
    }
  }
}
