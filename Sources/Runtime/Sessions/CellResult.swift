public import Language

/// What running one text gave.
public struct CellResult: Sendable {
  /// The value of the last statement, where that is an expression.
  public var value: Value?
  /// What the prompt shows of it; nil where there is nothing to show or a `;` keeps it quiet.
  public var shown: String?
  /// What is wrong with the text, or what stopped it.
  public var diagnostics: [Diagnostic]
  /// What stopped it while it ran.
  public var failure: RuntimeFailure?
  /// How long it ran.
  public var duration: Duration

  init(diagnostics: [Diagnostic], duration: Duration) {
    (self.diagnostics, self.duration) = (diagnostics, duration)
  }

  /// A text that something stopped before it began.
  init(failure: RuntimeFailure, in source: Source) {
    self.init(diagnostics: [failure.diagnostic(in: source)], duration: .zero)
    self.failure = failure
  }

  /// Whether it ran to its end.
  public var succeeded: Bool { !diagnostics.contains { $0.severity == .error } }
  /// Whether it was stopped by `Session.cancel`.
  public var wasInterrupted: Bool { failure?.kind == .interrupted }
}
