public import Tensors

/// What a difference between two runs is, judged by how often it is the error that arithmetic makes
/// in the same step.
///
/// The error that arithmetic makes, the floor, is measured: the step is run again on the same numbers
/// in higher precision. Two right computations differ by about as much as each is wrong.
public enum Verdict: String, Sendable, CaseIterable, Comparable {
  /// As large as rounding.
  case noise
  /// Larger than rounding usually is; a different order of sums, or a small mistake.
  case suspicious
  /// Nothing that rounding does.
  case bug

  /// Up to so many times the floor is noise.
  public static let noiseLimit = 16.0
  /// Beyond so many times the floor is a bug.
  public static let bugLimit = 64.0

  /// Up to so many times a floor that a lower precision makes is noise: 2.4 was the most.
  public static let coarseNoiseLimit = 6.0
  /// Beyond so many times such a floor is a bug.
  public static let coarseBugLimit = 12.0

  /// Judges an error of `ratio` times its floor; not a number is a bug.
  ///
  /// - Parameter isCoarse: whether the floor is what a lower precision makes, which is measured on
  ///   the same numbers, and so is closer to what is to be expected.
  public init(ratio: Double, isCoarse: Bool = false) {
    self =
      isCoarse
      ? Self(ratio, noise: Self.coarseNoiseLimit, bug: Self.coarseBugLimit)
      : Self(ratio, noise: Self.noiseLimit, bug: Self.bugLimit)
  }

  private init(_ ratio: Double, noise: Double, bug: Double) {
    self = ratio <= noise ? .noise : ratio <= bug ? .suspicious : .bug
  }

  /// Up to so many times what rounding to its steps makes, a quantized row or group is right: half a
  /// step everywhere is √3, and what a range that was cut off costs is a little more.
  public static let roundingNoiseLimit = 2.0
  /// Beyond so many times it is a bug: a zero point that is off by one gives 3.6.
  public static let roundingBugLimit = 3.0

  /// Up to so many times what rounding makes, the median of weights that GPTQ moved is noise.
  ///
  /// 1.05 to 1.32 was measured; where a reader leaves out the order of the groups, 2.9 and more.
  public static let movedNoiseLimit = 1.75
  /// Beyond so many times it is a bug.
  public static let movedBugLimit = 2.5
  /// Up to so many times a single group may be off that GPTQ moved: 9.4 was measured, in a group
  /// whose weights are all small.
  public static let movedGroupNoiseLimit = 10.0
  /// Beyond so many times it is a bug; integers in wrong places give 14 and more.
  public static let movedGroupBugLimit = 16.0

  /// Judges weights by what rounding made of them.
  public init(_ rounding: RoundingError) {
    guard let movement = rounding.movement else {
      self.init(rounding.ratio, noise: Self.roundingNoiseLimit, bug: Self.roundingBugLimit)
      return
    }
    self = max(
      movement.systematic > Self.roundingBugLimit ? .bug : .noise,
      Self(movement.median, noise: Self.movedNoiseLimit, bug: Self.movedBugLimit),
      Self(rounding.ratio, noise: Self.movedGroupNoiseLimit, bug: Self.movedGroupBugLimit))
  }

  /// Noise comes before suspicion, and suspicion before a bug.
  public static func < (a: Verdict, b: Verdict) -> Bool { a.rank < b.rank }
  private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
