/// A share in per cent, with as many digits as it takes to tell it from nothing and from all.
public enum Percentage {
  /// One decimal where that says something; of what is nearly nothing, or nearly all, two digits of what
  /// is left.
  ///
  /// `76.5 %`, `0.031 %`, `3.1e-6 %`, `99.98 %`; exactly nothing is `0 %`, exactly all `100 %`.
  /// - Parameter share: 1 is all.
  public static func text(_ share: some BinaryFloatingPoint) -> String {
    let share = Double(share)
    guard share.isFinite else { return share.isNaN ? "nan" : share < 0 ? "-inf %" : "inf %" }
    let (sign, percent) = (share < 0 ? "-" : "", abs(share) * 100)
    if percent == 0 { return "0 %" }
    if percent == 100 { return "\(sign)100 %" }
    if percent < 0.1 {
      let (digits, exponent) = twoDigits(percent)
      guard exponent >= -3 else {
        return "\(sign)\(digits / 10).\(digits % 10)e\(exponent) %"
      }
      return "\(sign)0." + String(repeating: "0", count: -exponent - 1)
        + (digits.isMultiple(of: 10) ? "\(digits / 10)" : "\(digits)") + " %"
    }
    let rest = 100 - percent
    guard rest > 0, rest < 0.05 else { return "\(sign)\((percent * 10).rounded() / 10) %" }
    // Down to the first digit of the rest that is not 9, and never up to all.
    let factor = (0..<min(12, max(2, -twoDigits(rest).exponent))).reduce(1.0) { product, _ in
      product * 10
    }
    return "\(sign)\((percent * factor).rounded(.down) / factor) %"
  }

  /// The first two digits, 10 to 99, and the power of ten of the first.
  private static func twoDigits(_ number: Double) -> (digits: Int, exponent: Int) {
    var (rest, exponent) = (number, 0)
    while rest < 1 { (rest, exponent) = (rest * 10, exponent - 1) }
    let digits = Int((rest * 10).rounded())
    return digits == 100 ? (10, exponent + 1) : (digits, exponent)
  }
}
