/// One thing in a scene.
public struct SceneObject: Sendable, Equatable {
  /// What it is.
  public var shape: Shape
  /// The name of its colour.
  public var color: Color
  /// Small or large.
  public var size: Size
  /// Where it is.
  public var box: Box

  /// The shapes that a scene knows.
  ///
  /// Any rectangle is a rectangle, a square one too.
  public enum Shape: String, Sendable, CaseIterable {
    case circle, rectangle, triangle, star, cross

    /// The word for several of them.
    public var plural: String {
      self == .cross ? "crosses" : rawValue + "s"
    }
  }

  /// The colours that a scene knows: the eight of easy-VQA.
  public enum Color: String, Sendable, CaseIterable {
    case red, green, blue, yellow, black, gray, brown, teal

    /// Red, green and blue of the pure colour, 0 to 255.
    public var components: [Int] {
      switch self {
      case .red: [255, 0, 0]
      case .green: [0, 255, 0]
      case .blue: [0, 0, 255]
      case .yellow: [255, 255, 0]
      case .black: [0, 0, 0]
      case .gray: [128, 128, 128]
      case .brown: [165, 42, 42]
      case .teal: [0, 128, 128]
      }
    }
  }

  /// Small (44 to 58 pixels across, on average over both directions) or large (80 to 104).
  public enum Size: String, Sendable, CaseIterable {
    case small, large
  }

  /// A rectangle of pixels: `left..<right` by `top..<bottom`, the origin at the upper left.
  public struct Box: Sendable, Equatable {
    /// First column.
    public var left: Int
    /// First row.
    public var top: Int
    /// Column after the last.
    public var right: Int
    /// Row after the last.
    public var bottom: Int

    /// A box from its edges.
    public init(left: Int, top: Int, right: Int, bottom: Int) {
      self.left = left
      self.top = top
      self.right = right
      self.bottom = bottom
    }

    /// Pixels from left to right.
    public var width: Int { right - left }
    /// Pixels from top to bottom.
    public var height: Int { bottom - top }
    /// Twice the centre's column: whole numbers stay exact.
    public var doubledCenterX: Int { left + right }
    /// Twice the centre's row.
    public var doubledCenterY: Int { top + bottom }

    /// Whether the two come closer than `gap` pixels to each other.
    public func isNear(_ other: Box, gap: Int) -> Bool {
      left < other.right + gap && other.left < right + gap
        && top < other.bottom + gap && other.top < bottom + gap
    }
  }

  /// An object from its parts.
  public init(shape: Shape, color: Color, size: Size, box: Box) {
    self.shape = shape
    self.color = color
    self.size = size
    self.box = box
  }

  /// Colour and shape, "red circle": within a scene no two objects share it.
  public var name: String { "\(color.rawValue) \(shape.rawValue)" }
  /// Everything but the place: "small red circle".
  public var fullName: String { "\(size.rawValue) \(name)" }
}
