/// A picture in character cells: each cell shows two pixels, one above the other, as `▀` in the
/// upper one's colour on the lower one's.
public enum HalfBlocks {
  /// The lines of a picture, made smaller by averaging until it fits; nothing where there are no
  /// colours or no pixels.
  ///
  /// - Parameters:
  ///   - pixels: `[Y, X, 3]`, red, green and blue, row by row.
  ///   - width: Pixels a row.
  ///   - height: Rows.
  ///   - columns: Most cells a line.
  ///   - rows: Most lines.
  ///   - depth: The colours to use.
  public static func lines(
    pixels: [UInt8], width: Int, height: Int, columns: Int, rows: Int, depth: ColorDepth
  ) -> [String] {
    guard depth != .none, width > 0, height > 0, columns > 0, rows > 0,
      width.multipliedReportingOverflow(by: height) == (pixels.count / 3, false)
    else { return [] }
    let scale = max(1, Double(width) / Double(columns), Double(height) / Double(2 * rows))
    let across = max(1, min(columns, Int(Double(width) / scale)))
    let down = max(1, min(2 * rows, Int(Double(height) / scale)))
    func average(_ y: Int, _ x: Int) -> (UInt8, UInt8, UInt8) {
      let left = x * width / across
      let right = max(left + 1, (x + 1) * width / across)
      let top = y * height / down
      let bottom = max(top + 1, (y + 1) * height / down)
      var sums = (0, 0, 0)
      for row in top..<bottom {
        for column in left..<right {
          let place = (row * width + column) * 3
          sums.0 += Int(pixels[place])
          sums.1 += Int(pixels[place + 1])
          sums.2 += Int(pixels[place + 2])
        }
      }
      let count = (right - left) * (bottom - top)
      return (UInt8(sums.0 / count), UInt8(sums.1 / count), UInt8(sums.2 / count))
    }
    var lines: [String] = []
    for y in stride(from: 0, to: down, by: 2) {
      var line = ""
      for x in 0..<across {
        let upper = code(average(y, x), depth)
        // Below the last row of an odd height shows the terminal's own background.
        let lower = y + 1 < down ? "48;" + code(average(y + 1, x), depth) : "49"
        line += "\u{1B}[38;\(upper);\(lower)m▀"
      }
      lines.append(line + "\u{1B}[0m")
    }
    return lines
  }

  private static func code(_ color: (UInt8, UInt8, UInt8), _ depth: ColorDepth) -> String {
    if depth == .full { return "2;\(color.0);\(color.1);\(color.2)" }
    return "5;\(nearestIndexed(color))"
  }

  /// The nearest of xterm's colour cube and grey ramp.
  static func nearestIndexed(_ color: (UInt8, UInt8, UInt8)) -> Int {
    let levels = [0, 95, 135, 175, 215, 255]
    func nearest(_ value: UInt8) -> Int {
      var best = 0
      for place in levels.indices
      where abs(levels[place] - Int(value)) < abs(levels[best] - Int(value)) { best = place }
      return best
    }
    let (red, green, blue) = (nearest(color.0), nearest(color.1), nearest(color.2))
    let mean = (Int(color.0) + Int(color.1) + Int(color.2)) / 3
    let step = max(0, min(23, (mean - 3) / 10))
    let grey = 8 + 10 * step
    func distance(_ r: Int, _ g: Int, _ b: Int) -> Int {
      let (x, y, z) = (r - Int(color.0), g - Int(color.1), b - Int(color.2))
      return x * x + y * y + z * z
    }
    let cube = distance(levels[red], levels[green], levels[blue])
    return distance(grey, grey, grey) < cube
      ? 232 + step : 16 + 36 * red + 6 * green + blue
  }
}
