internal import Budget
public import Images

/// Pixels shown in a terminal.
public enum TerminalPicture {
  /// How pixels become characters.
  public enum Style: Sendable, CaseIterable {
    /// Two pixels in a half block, in 24-bit colours.
    case trueColour
    /// Two pixels in a half block, in the 256 colours of xterm.
    case palette
    /// A character a pixel, the denser the lighter, without any escape.
    case shades
  }

  /// The picture as lines of text, each ended by a newline.
  ///
  /// Pixels are averaged in blocks where there are more columns than `columns`; smaller pictures
  /// are shown as they are, a pixel a column. Stopped, it ends early.
  public static func text(_ image: Image, columns: Int, style: Style) -> String {
    let width = min(max(1, columns), image.width)
    // A character is about twice as high as wide; a half block makes up for it.
    let squeeze = style == .shades ? 2.0 : 1.0
    let height = max(
      1, Int((Double(image.height) * Double(width) / Double(image.width) / squeeze).rounded()))
    let pixels = averaged(image, width: width, height: min(height, image.height))
    let rows = pixels.count / width
    var text = ""
    if style == .shades {
      let ramp = Array(" .:-=+*#%@")
      for row in 0..<rows {
        for pixel in pixels[row * width..<(row + 1) * width] {
          text.append(ramp[min(9, Int(pixel.lightness / 10))])
        }
        text += "\n"
      }
      return text
    }
    for row in stride(from: 0, to: rows, by: 2) {
      var last = ""
      for column in 0..<width {
        let upper = foreground(pixels[row * width + column], style)
        let lower =
          row + 1 < rows ? background(pixels[(row + 1) * width + column], style) : "49"
        let code = "\u{1b}[\(upper);\(lower)m"
        if code != last { text += code }
        last = code
        text += "▀"
      }
      text += "\u{1b}[0m\n"
    }
    return text
  }

  static func averaged(_ image: Image, width: Int, height: Int) -> [Colour] {
    var result: [Colour] = []
    result.reserveCapacity(width * height)
    for row in 0..<height {
      if Stop.isRequested { break }
      let rows = row * image.height / height..<(row + 1) * image.height / height
      for column in 0..<width {
        let columns = column * image.width / width..<(column + 1) * image.width / width
        var sums = (0, 0, 0)
        for y in rows {
          for x in columns {
            let place = (y * image.width + x) * 3
            sums.0 += Int(image.pixels[place])
            sums.1 += Int(image.pixels[place + 1])
            sums.2 += Int(image.pixels[place + 2])
          }
        }
        let count = max(1, rows.count * columns.count)
        let half = count / 2
        result.append(
          Colour(
            UInt8((sums.0 + half) / count), UInt8((sums.1 + half) / count),
            UInt8((sums.2 + half) / count)))
      }
    }
    return result
  }

  static func foreground(_ colour: Colour, _ style: Style) -> String {
    style == .palette ? "38;5;\(xterm(colour))" : "38;2;\(channels(colour))"
  }
  static func background(_ colour: Colour, _ style: Style) -> String {
    style == .palette ? "48;5;\(xterm(colour))" : "48;2;\(channels(colour))"
  }
  private static func channels(_ colour: Colour) -> String {
    "\(colour.red);\(colour.green);\(colour.blue)"
  }

  /// The nearest colour of xterm's 6 × 6 × 6 cube or its 24 greys.
  private static func xterm(_ colour: Colour) -> Int {
    let levels = [0, 95, 135, 175, 215, 255]
    let bytes = [Int(colour.red), Int(colour.green), Int(colour.blue)]
    let cube = bytes.map { byte in
      levels.indices.min { abs(levels[$0] - byte) < abs(levels[$1] - byte) } ?? 0
    }
    let grey = min(23, max(0, (bytes.reduce(0, +) / 3 - 3) / 10))
    func distance(_ other: [Int]) -> Int {
      zip(bytes, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    }
    let level = 8 + 10 * grey
    return distance([level, level, level]) < distance(cube.map { levels[$0] })
      ? 232 + grey : 16 + 36 * cube[0] + 6 * cube[1] + cube[2]
  }
}
