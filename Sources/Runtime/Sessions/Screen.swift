internal import Characters

/// How many columns what is shown may take: those of a terminal; nil where lines have no end, as in a
/// file or a pipe.
public enum Screen: SessionKey {
  /// Lines have no end.
  public static var initial: Int? { nil }

  /// That number, while something is made for the screen: tables fit it.
  @TaskLocal public static var columns: Int?

  /// What `body` makes for a screen of so many columns: tables fit it, and lines that are longer even so
  /// are broken between words; nil where lines have no end.
  public static func fitted(to columns: Int?, _ body: () -> String) -> String {
    guard let columns else { return body() }
    return $columns.withValue(columns, operation: body).broken(toColumns: columns)
  }
}

/// Where long text goes that a person reads at leisure; nil for where all text goes.
public enum Paging: SessionKey {
  /// Where all text goes.
  public static var initial: (@Sendable (String) -> Void)? { nil }
}

extension Session {
  /// What showing a value prints; nil where there is nothing to say.
  ///
  /// - Parameter name: what it is called.
  public func shown(_ value: Value, name: String? = nil) -> String? {
    switch value {
    case .none: nil
    case .object, .command, .function:
      Screen.fitted(to: self[Screen.self]) { Showing.shown(value, name: name) ?? "" }
    // Values that can be typed stay as they would be.
    default: Showing.shown(value, name: name)
    }
  }

  /// What `show` writes of a value: tensors and objects as they are shown, all else as Python's.
  public func displayed(_ value: Value) -> String {
    guard case .object = value else { return value.displayed }
    return Screen.fitted(to: self[Screen.self]) { value.displayed }
  }

  /// What `print` writes of a value.
  ///
  /// - Throws: `MemoryShortage`; `CancellationError`.
  func printed(_ value: Value) throws -> String {
    guard let columns = self[Screen.self] else { return try Showing.printed(value, in: self) }
    return try Screen.$columns.withValue(columns) { try Showing.printed(value, in: self) }
  }

  /// Writes text and a line end: through a pager where a person would see only its end else.
  public func page(_ text: String) {
    if let pager = self[Paging.self] { pager(text) } else { print(text + "\n") }
  }
}
