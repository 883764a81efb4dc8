/// Which colour stands for which number.
///
/// Every sequential map grows lighter from end to end, so it also reads in grey; rounded to bytes,
/// from every colour to the second after it.
public enum ColourMap: String, Sendable, CaseIterable {
  /// Black to white.
  case grey
  /// Dark violet to yellow: the default for numbers that have one direction.
  case viridis
  /// Dark blue to yellow, nearly alike for people who see no green.
  case cividis
  /// Black through red to pale yellow: for overlays.
  case magma
  /// Red to white to blue: for numbers with a sign.
  case redBlue
  /// Orange to white to violet: for numbers with a sign.
  case purpleOrange

  /// Whether the middle of the map means zero.
  public var isDiverging: Bool { self == .redBlue || self == .purpleOrange }

  /// The 256 colours from the lowest number to the highest, equal to matplotlib's bytes.
  public var colours: [Colour] {
    switch self {
    case .grey: Self.greyColours
    case .viridis: Self.viridisColours
    case .cividis: Self.cividisColours
    case .magma: Self.magmaColours
    case .redBlue: Self.redBlueColours
    case .purpleOrange: Self.purpleOrangeColours
    }
  }

  private static let greyColours = ColourMap.grey.decoded()
  private static let viridisColours = ColourMap.viridis.decoded()
  private static let cividisColours = ColourMap.cividis.decoded()
  private static let magmaColours = ColourMap.magma.decoded()
  private static let redBlueColours = ColourMap.redBlue.decoded()
  private static let purpleOrangeColours = ColourMap.purpleOrange.decoded()

  private func decoded() -> [Colour] {
    let digits = hexadecimal.utf8.map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x61 + 10 }
    return (0..<256).map { index in
      let bytes = (0..<3).map { digits[index * 6 + $0 * 2] << 4 | digits[index * 6 + $0 * 2 + 1] }
      return Colour(bytes[0], bytes[1], bytes[2])
    }
  }
}
