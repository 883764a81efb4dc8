/// Something to tell the author of a text, at a place in it.
public struct Diagnostic: Sendable {
  /// How bad it is.
  public enum Severity: String, Sendable {
    /// The text cannot run, or stopped.
    case error
    /// It ran, but probably not as meant.
    case warning
  }

  /// A second place that belongs to it, such as the call that led there.
  public struct Related: Sendable {
    /// What happened there.
    public let message: String
    /// The text it is in.
    public let source: Source
    /// The place.
    public let range: SourceRange

    /// A place and what happened there.
    public init(_ message: String, source: Source, range: SourceRange) {
      (self.message, self.source, self.range) = (message.bounded(), source, range)
    }
  }

  /// How bad it is.
  public var severity: Severity
  /// One sentence: lower case, without a full stop.
  public var message: String
  /// The text it is about.
  public var source: Source
  /// The place in that text.
  public var range: SourceRange
  /// What to do about it, such as "did you mean 'mean'?".
  public var hint: String?
  /// Facts that help, one a line.
  public var notes: [String]
  /// Other places, outermost last.
  public var related: [Related]

  /// A diagnostic at `range` of `source`.
  public init(
    _ message: String, severity: Severity = .error, source: Source, range: SourceRange,
    hint: String? = nil, notes: [String] = [], related: [Related] = []
  ) {
    (self.severity, self.message, self.source) = (severity, message.bounded(), source)
    (self.range, self.hint, self.related) = (range, hint?.bounded(), related)
    self.notes = notes.map { $0.bounded() }
  }

  /// `file:line:column`, counted from 1.
  public var place: String {
    let (line, column) = source.position(of: range.start)
    return "\(source.name):\(line):\(column)"
  }
}
