public import Language

/// What stopped a script, and where.
public struct RuntimeFailure: Error, CustomStringConvertible {
  /// What went wrong, for whoever decides by it.
  public enum Kind: String, Sendable {
    /// A name that stands for nothing.
    case name
    /// A value of a kind that does not fit.
    case type
    /// A value of the right kind that does not fit.
    case value
    /// An index outside a sequence.
    case index
    /// A key that a dictionary or a trace does not hold.
    case key
    /// A name after a dot that the value does not have.
    case attribute
    /// Division by zero, overflow.
    case arithmetic
    /// Shapes that do not fit.
    case shape
    /// An `assert` that did not hold.
    case assertion
    /// An argument that does not fit a command.
    case argument
    /// A file or folder that may not be read or written.
    case permission
    /// A limit on depth, steps or size.
    case limit
    /// Ctrl-C.
    case interrupted
    /// Something a command reported.
    case command
  }

  /// What went wrong.
  public var kind: Kind
  /// One sentence: lower case, without a full stop.
  public var message: String
  /// What to do about it.
  public var hint: String?
  /// Facts that help, one a line.
  public var notes: [String]
  /// The place; whoever throws may leave it to the evaluator.
  public var range: SourceRange?
  /// The text that `range` is in.
  public var source: Source?
  /// The calls that led there, innermost first.
  public var calls: [Diagnostic.Related] = []
  /// How many calls were left out of `calls`.
  var omittedCalls = 0
  /// What a command threw, for its exit code.
  public var underlying: (any Error)?

  /// A failure whose place the evaluator fills in.
  public init(
    _ kind: Kind, _ message: String, hint: String? = nil, notes: [String] = [],
    range: SourceRange? = nil
  ) {
    (self.kind, self.message, self.hint, self.notes) = (kind, message, hint, notes)
    self.range = range
  }

  /// The message, hint and notes in one line.
  public var description: String {
    ([message] + [hint].compactMap { $0 } + notes).joined(separator: "; ")
  }
}

/// An error that knows what to do about it, apart from what went wrong.
public protocol HasHint: Error {
  /// What to do, in a sentence; nil where nothing is known.
  var hint: String? { get }
}

/// An argument that its command found wanting once it looked closer.
///
/// The evaluator puts "attention: block " before the message and the caret under the argument.
public struct ArgumentFailure: Error, CustomStringConvertible {
  /// The parameter's name.
  public let parameter: String
  /// What it must be and is not: "must be a whole number from 0 to 11, not 12".
  public let message: String
  /// A fact that helps, such as "this model has 12 blocks; block 11 is the last".
  public let note: String?

  /// An argument's failure.
  public init(parameter: String, _ message: String, note: String? = nil) {
    (self.parameter, self.message, self.note) = (parameter, message, note)
  }

  /// Parameter, message and note in one line.
  public var description: String {
    "\(parameter) \(message)" + (note.map { "; \($0)" } ?? "")
  }
}
