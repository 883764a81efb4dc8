internal import Foundation
public import Images

/// How a terminal draws pictures.
public enum TerminalGraphics: String, Sendable, CaseIterable {
  /// The protocol of kitty, Ghostty, WezTerm and Konsole: a PNG in pieces.
  case kitty
  /// That of iTerm2, WezTerm and VS Code: a PNG as a file.
  case iterm
  /// DEC's, as of xterm, foot, mlterm and Windows Terminal: six rows of pixels at a time.
  case sixel
  /// Half blocks, two pixels in a character.
  case blocks
  /// Characters from light to dark.
  case ascii
  /// Not at all.
  case none

  /// Whether it sends pixels, rather than characters.
  public var sendsPixels: Bool { [.kitty, .iterm, .sixel].contains(self) }

  /// What shows a picture where the cursor stands, and ends below it; nil where pixels are not sent.
  ///
  /// - Parameters:
  ///   - columns: the most columns that it may take; a picture that seems wider, at eight pixels a
  ///     column, is made to fit.
  ///   - isInTmux: whether the words have to pass through tmux, which must allow that
  ///     (`allow-passthrough on`).
  public func escapes(for image: Image, columns: Int, isInTmux: Bool = false) -> String? {
    let isWide = image.width > columns * 8
    switch self {
    case .kitty:
      let bytes = Array(Data(image.png()).base64EncodedString().utf8)
      var text = ""
      var first = 0
      while first < bytes.count {
        // The protocol's longest piece.
        let end = min(bytes.count, first + 4096)
        let head = first == 0 ? "a=T,f=100,q=2\(isWide ? ",c=\(columns)" : "")," : ""
        text += Self.passed(
          "\u{1B}_G\(head)m=\(end < bytes.count ? 1 : 0);"
            + String(decoding: bytes[first..<end], as: UTF8.self) + "\u{1B}\\", isInTmux)
        first = end
      }
      return text + "\n"
    case .iterm:
      let png = image.png()
      return Self.passed(
        "\u{1B}]1337;File=inline=1;size=\(png.count)\(isWide ? ";width=\(columns)" : "")"
          + ":\(Data(png).base64EncodedString())\u{07}", isInTmux) + "\n"
    case .sixel:
      return Self.passed(Sixel.text(of: image, width: min(image.width, columns * 8)), isInTmux)
        + "\n"
    case .blocks, .ascii, .none: return nil
    }
  }

  /// Words for the terminal outside tmux.
  private static func passed(_ words: String, _ isInTmux: Bool) -> String {
    guard isInTmux else { return words }
    return "\u{1B}Ptmux;" + words.replacing("\u{1B}", with: "\u{1B}\u{1B}") + "\u{1B}\\"
  }
}

/// DEC's graphics: bands of six rows, a colour after the other.
enum Sixel {
  /// The picture, made no wider than `width`.
  ///
  /// Colours are exact up to 256 of them; more are mapped to a
  /// cube of six levels a channel, each error spread over the neighbours.
  static func text(of image: Image, width: Int) -> String {
    let scale = max(1, (image.width + width - 1) / max(1, width))
    let (columns, rows) = (image.width / scale, image.height / scale)
    guard columns > 0, rows > 0 else { return "" }
    var pixels: [SIMD3<Float>] = []
    pixels.reserveCapacity(columns * rows)
    for row in 0..<rows {
      for column in 0..<columns {
        var sum = SIMD3<Float>(repeating: 0)
        for y in row * scale..<(row + 1) * scale {
          for x in column * scale..<(column + 1) * scale {
            let place = (y * image.width + x) * 3
            sum += SIMD3(
              Float(image.pixels[place]), Float(image.pixels[place + 1]),
              Float(image.pixels[place + 2]))
          }
        }
        pixels.append((sum / Float(scale * scale)).rounded(.toNearestOrAwayFromZero))
      }
    }
    let (indices, palette) = exact(pixels) ?? dithered(pixels, columns: columns)
    var text = "\u{1B}Pq\"1;1;\(columns);\(rows)"
    for (number, colour) in palette.enumerated() {
      let parts = (colour * 100 / 255).rounded(.toNearestOrAwayFromZero)
      text += "#\(number);2;\(Int(parts.x));\(Int(parts.y));\(Int(parts.z))"
    }
    for top in stride(from: 0, to: rows, by: 6) {
      var bits: [Int: [UInt8]] = [:]
      for row in top..<min(rows, top + 6) {
        for column in 0..<columns {
          let index = indices[row * columns + column]
          bits[index, default: [UInt8](repeating: 0, count: columns)][column] |=
            1 << UInt8(row - top)
        }
      }
      for (index, band) in bits.sorted(by: { $0.key < $1.key }) {
        text += "#\(index)" + runs(of: band) + "$"
      }
      text += "-"
    }
    return text + "\u{1B}\\"
  }

  /// A colour's part of a band, runs of one pattern by their length.
  private static func runs(of band: [UInt8]) -> String {
    var text = ""
    var first = 0
    while first < band.count {
      var end = first
      while end < band.count, band[end] == band[first] { end += 1 }
      let letter = String(UnicodeScalar(63 + band[first]))
      text +=
        end - first > 3 ? "!\(end - first)\(letter)" : String(repeating: letter, count: end - first)
      first = end
    }
    return text
  }

  private static func exact(
    _ pixels: [SIMD3<Float>]
  ) -> (indices: [Int], palette: [SIMD3<Float>])? {
    var known: [SIMD3<Float>: Int] = [:]
    var palette: [SIMD3<Float>] = []
    var indices: [Int] = []
    for pixel in pixels {
      if let index = known[pixel] {
        indices.append(index)
        continue
      }
      guard palette.count < 256 else { return nil }
      known[pixel] = palette.count
      indices.append(palette.count)
      palette.append(pixel)
    }
    return (indices, palette)
  }

  /// Floyd and Steinberg's spreading of errors, onto 6 × 6 × 6 colours.
  private static func dithered(
    _ pixels: [SIMD3<Float>], columns: Int
  ) -> (indices: [Int], palette: [SIMD3<Float>]) {
    let palette = (0..<216).map { (number: Int) -> SIMD3<Float> in
      let levels = SIMD3(number / 36, number / 6 % 6, number % 6)
      return SIMD3<Float>(levels) * 51
    }
    var (rest, indices) = (pixels, [Int](repeating: 0, count: pixels.count))
    for place in rest.indices {
      let level = (rest[place] / 51).rounded(.toNearestOrAwayFromZero)
        .clamped(lowerBound: SIMD3(repeating: 0), upperBound: SIMD3(repeating: 5))
      let index = Int(level.x) * 36 + Int(level.y) * 6 + Int(level.z)
      indices[place] = index
      let error = (rest[place] - palette[index]) / 16
      let column = place % columns
      func spread(_ distance: Int, _ share: Float, _ fits: Bool) {
        if fits, place + distance < rest.count { rest[place + distance] += error * share }
      }
      spread(1, 7, column + 1 < columns)
      spread(columns - 1, 3, column > 0)
      spread(columns, 5, true)
      spread(columns + 1, 1, column + 1 < columns)
    }
    return (indices, palette)
  }
}
