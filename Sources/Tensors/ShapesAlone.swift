/// Running a model for its shapes: every operation gives a tensor that has a shape and no numbers.
///
/// Whatever makes a tensor asks here, so the forward functions themselves tell what they are going to
/// make, and nothing is told twice.
public enum ShapesAlone {
  @TaskLocal static var isOn = false

  /// Runs `body` for its shapes: nothing is computed, and nothing allocated but by who makes numbers
  /// without an operation.
  public static func run<R>(_ body: () throws -> R) rethrows -> R {
    try $isOn.withValue(true, operation: body)
  }
}

extension Tensor {
  /// Whether it has a shape alone.
  public var isOutline: Bool { elements.isEmpty && !shape.contains(0) }
}
