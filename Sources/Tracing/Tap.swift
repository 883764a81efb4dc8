/// What one axis of a tapped tensor counts, so that figures label it without guessing.
public enum Axis: String, Sendable {
  /// Attention heads.
  case head
  /// The positions that look, in an attention.
  case query
  /// The positions that are looked at, in an attention.
  case key
  /// Positions in a sequence: patches, text tokens or learned queries.
  case token
  /// Channels of a representation.
  case channel
  /// Entries of a vocabulary.
  case vocabulary
  /// Rows of pixels or patches, from the top.
  case row
  /// Columns of pixels or patches, from the left.
  case column
  /// Classes of a classifier.
  case label
}

/// A named place inside a layer where its numbers can be looked at or changed.
public struct Tap: Hashable, Sendable {
  /// The last part of the tap's address.
  public let name: String
  /// One entry for each axis, outermost first.
  public let axes: [Axis]
  /// What the numbers mean, in one sentence.
  public let summary: String

  /// Declares a tap on `axes`, outermost first.
  public init(_ name: String, _ axes: Axis..., says summary: String) {
    (self.name, self.axes, self.summary) = (name, axes, summary)
  }
}

/// A layer that says what can be looked at inside it.
public protocol Tapped {
  /// The layer's taps, in the order a run passes them.
  static var taps: [Tap] { get }
}
