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

  /// The 256 colours as they outline the patches of a dimmed picture: each lighter than the one before,
  /// or, of a diverging map, lighter the further from its middle, and the strongest lighter than anything
  /// on such a picture.
  ///
  /// A map's own dark half would be lost on a dark ground. So the weakest number gets a neutral grey,
  /// whatever the map; from the middle on the colours are those of the map's lighter part.
  public var onPictures: [Colour] {
    switch self {
    case .grey: Self.greyOnPictures
    case .viridis: Self.viridisOnPictures
    case .cividis: Self.cividisOnPictures
    case .magma: Self.magmaOnPictures
    case .redBlue: Self.redBlueOnPictures
    case .purpleOrange: Self.purpleOrangeOnPictures
    }
  }

  private static let greyOnPictures = ColourMap.grey.lifted()
  private static let viridisOnPictures = ColourMap.viridis.lifted()
  private static let cividisOnPictures = ColourMap.cividis.lifted()
  private static let magmaOnPictures = ColourMap.magma.lifted()
  private static let redBlueOnPictures = ColourMap.redBlue.lifted()
  private static let purpleOrangeOnPictures = ColourMap.purpleOrange.lifted()

  private func lifted() -> [Colour] {
    let colours = self.colours
    let neutral = Colour(64, 64, 64)
    func firstLighter(than lightness: Double, _ indices: some Sequence<Int>) -> Int {
      indices.first { colours[$0].lightness >= lightness } ?? 128
    }
    guard isDiverging else {
      let first = firstLighter(than: 55, 0..<256)
      return (0..<256).map { index in
        let place = Double(index) / 255
        let bright = colours[first + Int((Double(255 - first) * place).rounded())]
        return neutral.mixed(with: bright, share: min(1, 2 * place))
      }
    }
    // Each arm has one colour, the most vivid that is light enough.
    let arms = (
      colours[firstLighter(than: 76, 0..<256)],
      colours[firstLighter(than: 76, (0..<256).reversed())]
    )
    return (0..<256).map { index in
      let place = Double(index) / 255
      return neutral.mixed(with: place < 0.5 ? arms.0 : arms.1, share: abs(2 * place - 1))
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
