public import Language

extension Session {
  /// Runs a text, or the part of it in `range`, to its end or to the first error.
  public func run(_ source: Source, range: SourceRange? = nil) -> CellResult {
    CellResult(value: nil, shown: nil, diagnostics: [], failure: nil, duration: .zero)
  }

  /// Calls a function or command as a script would.
  public func call(_ function: Value, _ arguments: [Argument]) throws -> Value {
    .none
  }
}
