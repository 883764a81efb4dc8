public import Budget

/// Why a figure cannot be drawn from what was given.
public enum FigureError: Error, Equatable, CustomStringConvertible {
  /// A tensor's shape does not suit the figure.
  case shape(figure: String, found: [Int], expected: String)
  /// There are more or fewer of something than the figure needs.
  case count(figure: String, what: String, found: Int, expected: Int)
  /// There is nothing to draw.
  case empty(figure: String, what: String)
  /// A number lies outside what makes sense.
  case range(figure: String, what: String, found: String, expected: String)
  /// The drawing would need more pixels than are allowed.
  case tooLarge(width: Int, height: Int, limit: Int)
  /// The drawing library failed, in its own words.
  case drawing(String)
  /// The layout library failed.
  case layout(String)
  /// Less memory than its pixels take.
  case memory(MemoryShortage)

  /// The sentence for a person.
  public var description: String {
    switch self {
    case .shape(let figure, let found, let expected):
      "\(figure): a tensor of shape \(found), expected \(expected)"
    case .count(let figure, let what, let found, let expected):
      "\(figure): \(found) \(what), expected \(expected)"
    case .empty(let figure, let what):
      "\(figure): no \(what) to draw, expected at least one"
    case .range(let figure, let what, let found, let expected):
      "\(figure): \(what) is \(found), expected \(expected)"
    case .tooLarge(let width, let height, let limit):
      "a picture of \(width) × \(height) pixels, expected at most \(limit) on a side; "
        + "ask for a smaller scale"
    case .drawing(let reason): "the drawing library failed: \(reason)"
    case .layout(let reason): "the graph could not be laid out: \(reason)"
    case .memory(let shortage): shortage.description
    }
  }
}
