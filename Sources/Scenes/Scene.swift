internal import Tensors

/// A picture with known contents: one to four objects on a light background.
///
/// Everything about a scene follows from its seed: objects, background, pixels, texts. The same
/// seed gives the same bytes on every machine and with every version of Swift.
public struct Scene: Sendable, Equatable {
  /// Pixels on a side.
  public static let side = 224

  /// What the scene was made from.
  public let seed: UInt64
  /// What is in it, in the order of drawing.
  ///
  /// No two objects share both colour and shape, and
  /// (except in crowded scenes) no two overlap.
  public var objects: [SceneObject]
  /// What is behind the objects.
  public var background: Background

  /// How many objects a scene holds.
  public enum Population: Sendable, Equatable {
    /// A number drawn evenly from the range, at most 4.
    case exactly(ClosedRange<Int>)
    /// One in six scenes has one object, one in three two, one in three three, one in six four.
    case usual
    /// Four to eleven smaller objects, colour and shape may repeat: for training the vision tower.
    case crowded
  }

  /// A scene from a seed.
  public init(seed: UInt64, population: Population = .usual) {
    self.seed = seed
    var random = SplitMix64(seed: seed)
    let wanted: Int
    switch population {
    case .exactly(let range): wanted = min(4, max(1, random.number(in: range)))
    case .usual: wanted = random.element(of: [1, 2, 2, 3, 3, 4])
    case .crowded: wanted = random.number(in: 4...11)
    }
    objects = Scene.place(wanted, crowded: population == .crowded, from: &random)
    background = Background(from: &random)
  }

  /// Draws objects until `count` of them fit; starts again when one finds no room.
  private static func place(
    _ count: Int, crowded: Bool, from random: inout SplitMix64
  ) -> [SceneObject] {
    while true {
      var placed: [SceneObject] = []
      var tries = 0
      while placed.count < count && tries < 60 {
        tries += 1
        let candidate = draw(crowded: crowded, from: &random)
        let collides = placed.contains { other in
          candidate.box.isNear(other.box, gap: 4)
            || (!crowded && candidate.color == other.color && candidate.shape == other.shape)
        }
        if !collides { placed.append(candidate) }
      }
      // A crowd takes what found room; a usual scene keeps its promise about the number.
      if placed.count == count || (crowded && placed.count >= 4) { return placed }
    }
  }

  private static func draw(crowded: Bool, from random: inout SplitMix64) -> SceneObject {
    let shape = random.element(of: SceneObject.Shape.allCases)
    let color = random.element(of: SceneObject.Color.allCases)
    let size: SceneObject.Size = random.chance(percent: crowded ? 25 : 50) ? .large : .small
    let across =
      size == .small
      ? random.number(in: crowded ? 32...58 : 44...58)
      : random.number(in: crowded ? 80...90 : 80...104)
    var width = across
    var height = across
    switch shape {
    case .circle, .star: break
    case .cross: height = across
    case .triangle: height = across * random.number(in: 85...100) / 100
    case .rectangle:
      // The aspect ratio is a square: width × height stays across².
      let stretch = random.number(in: 100...140)
      width = across * stretch / 100
      height = across * 100 / stretch
      if random.chance(percent: 50) { swap(&width, &height) }
    }
    let left = random.number(in: 2...(side - 2 - width))
    let top = random.number(in: 2...(side - 2 - height))
    return SceneObject(
      shape: shape, color: color, size: size,
      box: .init(left: left, top: top, right: left + width, bottom: top + height))
  }
}
