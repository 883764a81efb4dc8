/// A class of characters: its code points in ranges.
struct ScalarSet: Sendable {
  private let ranges: [ClosedRange<UInt32>]

  /// Code points as `80-9F A0`.
  init(points: String) {
    ranges = points.split(separator: " ").compactMap { part in
      let ends = part.split(separator: "-").compactMap { UInt32($0, radix: 16) }
      return ends.first.map { $0...max($0, ends.last ?? $0) }
    }
  }

  /// The characters of a text.
  init(_ characters: String) { ranges = characters.unicodeScalars.map { $0.value...$0.value } }

  private init(ranges: [ClosedRange<UInt32>]) { self.ranges = ranges }

  /// Whether the character is in it.
  func contains(_ scalar: Unicode.Scalar) -> Bool {
    ranges.contains { $0.contains(scalar.value) }
  }

  /// All characters in it.
  var scalars: [Unicode.Scalar] { ranges.flatMap { $0.compactMap(Unicode.Scalar.init) } }

  /// Both together.
  static func + (a: ScalarSet, b: ScalarSet) -> ScalarSet {
    ScalarSet(ranges: a.ranges + b.ranges)
  }

  static let smallLatin = ScalarSet(points: "61-7A")
  static let latin = ScalarSet(points: "41-5A 61-7A")
}
