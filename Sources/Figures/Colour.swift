internal import Foundation

/// A colour of the screen (sRGB) with an opacity.
public struct Colour: Sendable, Hashable {
  /// The strength of red, 0 to 255.
  public var red: UInt8
  /// The strength of green, 0 to 255.
  public var green: UInt8
  /// The strength of blue, 0 to 255.
  public var blue: UInt8
  /// How much covers what lies beneath: 0 nothing, 1 all.
  public var opacity: Double

  /// Mixes a colour.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8, opacity: Double = 1) {
    (self.red, self.green, self.blue, self.opacity) = (red, green, blue, opacity)
  }

  /// White.
  public static let white = Colour(255, 255, 255)
  /// Black.
  public static let black = Colour(0, 0, 0)
  /// The colour of text.
  public static let ink = Colour(34, 34, 34)
  /// The colour of captions and axis numbers.
  public static let quietInk = Colour(90, 90, 90)
  /// The colour of frames and ticks.
  public static let line = Colour(150, 150, 150)
  /// The colour of light rules and empty bars.
  public static let faint = Colour(226, 226, 226)
  /// The colour of bars and lines that carry no number of their own.
  public static let accent = Colour(49, 104, 142)
  /// What marks a number that is not one.
  public static let invalid = Colour(255, 0, 255)

  /// The lightness L* of CIELAB, 0 (black) to 100 (white), opacity ignored.
  public var lightness: Double {
    let y = luminance
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27
  }

  /// The share of white's light, 0 to 1, opacity ignored.
  private var luminance: Double {
    func linear(_ byte: UInt8) -> Double {
      let x = Double(byte) / 255
      return x <= 0.04045 ? x / 12.92 : pow((x + 0.055) / 1.055, 2.4)
    }
    return 0.212_672_9 * linear(red) + 0.715_152_2 * linear(green) + 0.072_175 * linear(blue)
  }

  /// How well this colour stands out from another, as WCAG 2 measures it: from 1, not at all, to 21.
  public func contrast(to other: Colour) -> Double {
    let (lighter, darker) = (max(luminance, other.luminance), min(luminance, other.luminance))
    return (lighter + 0.05) / (darker + 0.05)
  }

  /// Black or white, whichever reads better on this colour.
  public var contrasting: Colour { lightness >= 50 ? .black : .white }

  /// This colour with some of another in it.
  ///
  /// - Parameter share: how much of the other, from 0 to 1.
  func mixed(with other: Colour, share: Double) -> Colour {
    func channel(_ one: UInt8, _ two: UInt8) -> UInt8 {
      UInt8(min(255, max(0, ((1 - share) * Double(one) + share * Double(two)).rounded())))
    }
    return Colour(
      channel(red, other.red), channel(green, other.green), channel(blue, other.blue))
  }

  /// The colour as `#rrggbb`.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef")
    return [red, green, blue].reduce(into: "#") { text, byte in
      text.append(digits[Int(byte >> 4)])
      text.append(digits[Int(byte & 15)])
    }
  }
}
