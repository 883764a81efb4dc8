/// How the rows and columns of a stored picture lie in the scene: EXIF tag 0x0112.
public enum Orientation: Int, Sendable, CaseIterable {
  /// As stored.
  case upright = 1
  /// Left and right are exchanged.
  case mirrored
  /// Upside down.
  case halfTurned
  /// Top and bottom are exchanged.
  case flipped
  /// Rows and columns are exchanged.
  case transposed
  /// To be turned by a quarter clockwise.
  case quarterTurned
  /// Rows and columns are exchanged and both run backwards.
  case transversed
  /// To be turned by a quarter anticlockwise.
  case quarterTurnedBack

  /// Whether rows become columns.
  public var exchangesSides: Bool { rawValue >= 5 }

  /// The size that a stored picture has once it is upright; the inverse is the same function.
  public func upright(_ stored: PixelSize) -> PixelSize {
    exchangesSides ? PixelSize(width: stored.height, height: stored.width) : stored
  }
}
