/// A place in a picture, in pixels from its top left corner; a pixel's centre lies at a half.
public struct Point: Sendable, Hashable {
  /// To the right.
  public var x: Double
  /// Downwards.
  public var y: Double

  /// Names a place.
  public init(x: Double, y: Double) { (self.x, self.y) = (x, y) }
}
