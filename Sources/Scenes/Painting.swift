public import Images
internal import Tensors

/// A scene as a picture, and which object owns each pixel.
public struct Painting: Sendable {
  /// The picture, 224 × 224.
  public let image: Image
  /// For each pixel 0 (background) or 1 + the index of the object that covers at least half of it.
  public let owners: [UInt8]

  /// Which object owns the middle of each cell of a grid laid over the picture; row-major.
  public func owners(columns: Int, rows: Int) -> [UInt8] {
    (0..<(columns * rows)).map { cell in
      let x = (cell % columns * 2 + 1) * Scene.side / (2 * columns)
      let y = (cell / columns * 2 + 1) * Scene.side / (2 * rows)
      return owners[y * Scene.side + x]
    }
  }
}

extension Scene {
  /// Draws the scene.
  public func painted() -> Painting {
    let side = Scene.side
    var pixels = background.pixels(side: side)
    var owners = [UInt8](repeating: 0, count: side * side)
    // Colours vary a little, so that a colour is a region and not one point.
    var random = SplitMix64(seed: background.grainSeed ^ 0x5CE7_E5CE_7E5C_E7E5)
    for (number, object) in objects.enumerated() {
      let color = object.color.components.map { component in
        max(0, min(255, component + random.number(in: -14...14)))
      }
      let coverage = Rasteriser.coverage(of: object)
      let box = object.box
      for row in 0..<box.height {
        for column in 0..<box.width {
          let covered = Int(coverage[row * box.width + column])
          guard covered > 0 else { continue }
          let place = (box.top + row) * side + box.left + column
          for channel in 0..<3 {
            let behind = Int(pixels[place * 3 + channel])
            pixels[place * 3 + channel] = UInt8(
              (behind * (16 - covered) + color[channel] * covered + 8) / 16)
          }
          if covered >= 8 { owners[place] = UInt8(number + 1) }
        }
      }
    }
    return Painting(
      image: Image(width: side, height: side, pixels: pixels), owners: owners)
  }
}
