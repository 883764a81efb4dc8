public import Tensors

extension SplitMix64 {
  /// A number from `range`, evenly distributed to within 2⁻³².
  public mutating func number(in range: ClosedRange<Int>) -> Int {
    let width = UInt64(range.upperBound - range.lowerBound) &+ 1
    return range.lowerBound + Int(((next() >> 32) &* width) >> 32)
  }

  /// An element of `choices`, which must not be empty.
  public mutating func element<Element>(of choices: [Element]) -> Element {
    choices[number(in: 0...(choices.count - 1))]
  }

  /// True `percent` times in a hundred.
  public mutating func chance(percent: Int) -> Bool {
    number(in: 0...99) < percent
  }
}
