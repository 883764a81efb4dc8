internal import Budget
internal import Foundation
public import Tensors

/// Which numbers become the two ends of a colour map.
public enum Normalisation: Sendable, Equatable {
  /// The smallest and the largest number.
  case minimumToMaximum
  /// Zero and the largest number: for attention.
  case zeroToMaximum
  /// Two numbers given beforehand: comparable from figure to figure.
  case fixed(Float, Float)
  /// As far below a number as above it: for numbers with a sign, about 0.
  case symmetric(about: Float)
  /// The smallest and the largest number above zero, by their logarithms.
  case logarithmic
  /// Two percentiles, from 0 to 100; what lies outside gets the colours of the ends.
  case percentiles(Float, Float)
}

/// Which panels of a figure share one scale.
public enum ScaleSharing: Sendable, Equatable {
  /// One scale for all panels, so that colours compare.
  case all
  /// A scale of its own for each panel, so that the faintest can be read; its largest number is written
  /// beside it.
  case perPanel
}

/// A colour for every number: a map, the numbers at its ends, and the sentence that says so.
public struct ColourScale: Sendable, Equatable {
  /// The colours.
  public let map: ColourMap
  /// The number at the lower end.
  public let low: Float
  /// The number at the upper end, above `low` unless all numbers are equal.
  public let high: Float
  /// Whether equal steps of colour are equal factors.
  public let isLogarithmic: Bool
  /// The normalisation in words.
  public let sentence: String

  /// Looks for the ends of the scale in the finite numbers of `tensors`.
  ///
  /// - Parameter scope: what the numbers are, in words: `this map`, `all panels`.
  public init(
    _ normalisation: Normalisation, map: ColourMap, of tensors: [Tensor],
    scope: String = "this map"
  ) {
    self.map = map
    let finite = { (keep: (Float) -> Bool) in
      tensors.reduce(into: (Float.infinity, -Float.infinity)) { range, tensor in
        Stop.parts(of: tensor.count) { part in
          for x in tensor.elements[part] where x.isFinite && keep(x) {
            range = (min(range.0, x), max(range.1, x))
          }
        }
      }
    }
    var (low, high) = finite { _ in true }
    if low > high { (low, high) = (0, 0) }
    isLogarithmic = normalisation == .logarithmic
    let rule: String
    switch normalisation {
    case .minimumToMaximum: rule = "smallest to largest of \(scope)"
    case .zeroToMaximum:
      (low, high) = (min(0, low), max(0, high))
      rule = low < 0 ? "smallest to largest of \(scope)" : "0 to the largest of \(scope)"
    case .fixed(let a, let b):
      (low, high) = a.isFinite && b.isFinite ? (min(a, b), max(a, b)) : (0, 0)
      rule = "fixed"
    case .symmetric(let centre):
      let reach = max(high - centre, centre - low, 0)
      (low, high) = (centre - reach, centre + reach)
      rule = "symmetric about \(Numeral.short(centre)), reach from \(scope)"
    case .logarithmic:
      (low, high) = finite { $0 > 0 }
      if low > high { (low, high) = (1, 1) }
      rule = "logarithmic, smallest to largest positive of \(scope)"
    case .percentiles(let a, let b):
      let sorted = tensors.flatMap(\.elements).filter(\.isFinite).sorted()
      let at = { (percent: Float) -> Float in
        guard !sorted.isEmpty, percent.isFinite else { return 0 }
        let place = Double(min(max(percent, 0), 100)) / 100 * Double(sorted.count - 1)
        return sorted[Int(place.rounded())]
      }
      (low, high) = (min(at(a), at(b)), max(at(a), at(b)))
      rule = "percentiles \(Numeral.short(a)) to \(Numeral.short(b)) of \(scope)"
    }
    (self.low, self.high) = (low, high)
    sentence = "Colours: \(map.name), \(Numeral.short(low)) to \(Numeral.short(high)) (\(rule))."
  }

  /// Where a number lies from 0 (the lower end) to 1; beyond the ends it stays there.
  ///
  /// Nil where it is not a number.
  public func position(_ number: Float) -> Float? {
    guard !number.isNaN else { return nil }
    if number <= low { return 0 }
    if number >= high { return high > low ? 1 : 0 }
    if isLogarithmic {
      let start = log(Double(low))
      return Float((log(Double(number)) - start) / (log(Double(high)) - start))
    }
    // In double precision, since the ends may lie further apart than a float can say.
    return Float((Double(number) - Double(low)) / (Double(high) - Double(low)))
  }

  /// The colour of a number, matplotlib's of 256; nil where it is not a number.
  public func colour(_ number: Float) -> Colour? {
    position(number).map { map.colours[min(255, max(0, Int($0 * 256)))] }
  }

  /// The colour of a number where it outlines a patch of a picture; nil where it is not a number.
  func colourOnPicture(_ number: Float) -> Colour? {
    position(number).map { map.onPictures[min(255, max(0, Int($0 * 256)))] }
  }

  /// At least three numbers to write beside a colour bar, from low to high.
  var ticks: [Float] {
    guard high > low else { return [low] }
    if isLogarithmic {
      let (a, b) = (log10(Double(low)), log10(Double(high)))
      let decades = (Int(a.rounded(.up))...max(Int(a.rounded(.up)), Int(b.rounded(.down))))
        .map { Float(pow(10, Double($0))) }.filter { $0 >= low && $0 <= high }
      if (3...8).contains(decades.count) { return decades }
      return [low, Float(pow(10, (a + b) / 2)), high]
    }
    let nice = Ticks.between(Double(low), Double(high), about: 5).map { Float($0) }
    return nice.count >= 3 ? nice : [low, Float((Double(low) + Double(high)) / 2), high]
  }
}

extension ColourMap {
  /// The name that people know the map by.
  public var name: String {
    switch self {
    case .redBlue: "RdBu"
    case .purpleOrange: "PuOr"
    default: rawValue
    }
  }
}

/// Round numbers along an axis.
enum Ticks {
  /// The multiples of 1, 2 or 5 times a power of ten from `low` to `high`, roughly `about` of them.
  static func between(_ low: Double, _ high: Double, about: Int) -> [Double] {
    let span = high - low
    guard span.isFinite, span > 0, about > 0 else { return [low] }
    let rough = span / Double(about)
    let power = pow(10, log10(rough).rounded(.down))
    guard power > 0, power.isFinite else { return [low] }
    let step = [1, 2, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? 10 * power
    let (first, last) = ((low / step - 1e-6).rounded(.up), (high / step + 1e-6).rounded(.down))
    guard last >= first, last - first <= 64 else { return [low] }
    return (0...Int(last - first)).map { (first + Double($0)) * step }
  }
}

/// Numbers as a reader wants them.
enum Numeral {
  /// Three significant digits, without an exponent where that stays short.
  static func short(_ number: Float) -> String { short(Double(number)) }

  /// Three significant digits, without an exponent where that stays short.
  static func short(_ number: Double) -> String {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "−∞" : "∞" }
    if number == 0 { return "0" }
    if number == number.rounded(), abs(number) < 1e6 {
      return String(Int(number)).replacing("-", with: "−")
    }
    return String(format: "%.3g", number).replacing("-", with: "−")
  }

  /// A count with thin gaps between thousands.
  static func count(_ number: Int) -> String {
    let digits = String(number.magnitude)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { result += "," }
      result.append(digit)
    }
    return (number < 0 ? "−" : "") + result
  }

  /// A cell's number beside others up to `largest`: as many decimals as say something.
  static func cell(_ number: Float, largest: Float) -> String {
    guard number.isFinite, largest >= 0.05, largest < 1000 else { return short(number) }
    if number == number.rounded() { return short(number) }
    let format = largest < 10 ? "%.2f" : largest < 100 ? "%.1f" : "%.0f"
    return String(format: format, Double(number)).replacing("-", with: "−")
  }
}
