/// Fills shapes with antialiased edges: 16 samples a pixel, whole numbers only.
///
/// Drawing libraries change their edges between versions; exact arithmetic does not. Geometry is in
/// eighths of a pixel; samples lie at 1, 3, 5 and 7 eighths in both directions.
struct Rasteriser {
  /// Samples per pixel, from 0 (outside) to 16 (inside), for the pixels of the object's box.
  static func coverage(of object: SceneObject) -> [UInt8] {
    let width = object.box.width
    let height = object.box.height
    var samples = [UInt8](repeating: 0, count: width * height)
    let outline = outline(of: object.shape, width: width * 8, height: height * 8)
    for line in 0..<(height * 4) {
      let y = line * 2 + 1
      for span in spans(of: object.shape, outline: outline, width: width * 8, y: y) {
        // Samples at x = 2k + 1 with span.start ≤ x < span.end.
        let first = max(0, span.start >> 1)
        let end = min(width * 4, (span.end) >> 1)
        guard first < end else { continue }
        var sample = first
        while sample < end {
          let pixel = sample >> 2
          let next = min(end, (pixel + 1) << 2)
          samples[(line >> 2) * width + pixel] += UInt8(next - sample)
          sample = next
        }
      }
    }
    return samples
  }

  private typealias Point = (x: Int, y: Int)

  /// The corners in eighths of a pixel; a circle has none.
  private static func outline(of shape: SceneObject.Shape, width: Int, height: Int) -> [Point] {
    switch shape {
    case .circle: []
    case .rectangle: [(0, 0), (width, 0), (width, height), (0, height)]
    case .triangle: [(width / 2, 0), (width, height), (0, height)]
    case .cross:
      crossCorners.map { (x: $0.x * width / 100, y: $0.y * height / 100) }
    case .star:
      starCorners.map { (x: $0.x * width / 1000, y: $0.y * height / 1000) }
    }
  }

  /// Arms a little over a third of the width, in hundredths.
  private static let crossCorners: [Point] = [
    (32, 0), (68, 0), (68, 32), (100, 32), (100, 68), (68, 68),
    (68, 100), (32, 100), (32, 68), (0, 68), (0, 32), (32, 32),
  ]

  /// Five points and five notches (inner radius 0.42 of the outer), in thousandths of the box.
  private static let starCorners: [Point] = [
    (500, 0), (630, 365), (1000, 382), (710, 624), (809, 1000),
    (500, 785), (191, 1000), (290, 624), (0, 382), (370, 365),
  ]

  /// Where the horizontal line at `y` is inside the shape, in eighths, left to right.
  private static func spans(
    of shape: SceneObject.Shape, outline: [Point], width: Int, y: Int
  ) -> [(start: Int, end: Int)] {
    if shape == .circle {
      // (2x − width)² + (2y − width)² ≤ width²
      let distance = 2 * y - width
      let remaining = width * width - distance * distance
      guard remaining >= 0 else { return [] }
      let half = wholeRoot(of: remaining)
      return [((width - half + 1) / 2, (width + half) / 2 + 1)]
    }
    var crossings: [Int] = []
    for index in outline.indices {
      let from = outline[index]
      let to = outline[(index + 1) % outline.count]
      guard (from.y <= y) != (to.y <= y) else { continue }
      crossings.append(from.x + (to.x - from.x) * (y - from.y) / (to.y - from.y))
    }
    crossings.sort()
    return stride(from: 0, to: crossings.count - 1, by: 2).map {
      (crossings[$0], crossings[$0 + 1])
    }
  }

  /// The largest whole number whose square is at most `square`.
  private static func wholeRoot(of square: Int) -> Int {
    var root = Int(Double(square).squareRoot())
    while root * root > square { root -= 1 }
    while (root + 1) * (root + 1) <= square { root += 1 }
    return root
  }
}
