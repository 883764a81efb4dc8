public import Files

/// What is wrong with a template, or went wrong while it was rendered, with its place.
public struct TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What kind of failure it is.
  public enum Kind: String, Sendable {
    /// The text is no template.
    case syntax
    /// The template refused by itself, with `raise_exception`.
    case raised
    /// A value is not there or is not of the kind that is needed.
    case value
    /// Jinja has it, and it is not built here.
    case notBuilt
    /// It would take more depth, steps or memory than a template may.
    case limit
  }

  /// What the template is called, such as its file.
  public let name: String
  /// The line, counted from 1.
  public let line: Int
  /// The column, counted from 1 in Unicode's scalars.
  public let column: Int
  /// What kind of failure it is.
  public let kind: Kind
  /// One sentence, lower case, without a full stop; what a template raised is as it says.
  public let message: String

  /// The sentence shown to people.
  public var description: String {
    let place = "\(name):\(line):\(column): "
    return place + (kind == .raised ? "the template refuses: \(message)" : message)
  }
}

extension TemplateError: HasExitCode {
  /// A template that refuses a conversation is right to; the others are bad files.
  public var exitCode: Int32 { kind == .raised ? ExitCode.failure : ExitCode.badData }
}

/// A failure inside the room, before it has a name and perhaps before it has a place.
struct Fault: Error {
  var kind: TemplateError.Kind
  var message: String
  /// Where, as an index into the template's scalars.
  var place: Int?
  /// Whether somebody stopped the work; then it is no failure of the template.
  var wasStopped = false

  init(_ kind: TemplateError.Kind, _ message: String, at place: Int? = nil) {
    (self.kind, self.message, self.place) = (kind, message, place)
  }

  /// A value that does not fit.
  static func value(_ message: String) -> Fault { Fault(.value, message) }
  /// Something that Jinja has and this room has not.
  static func notBuilt(_ what: String) -> Fault { Fault(.notBuilt, "\(what) is not built here") }
  /// A limit that would be passed.
  static func limit(_ message: String) -> Fault { Fault(.limit, message) }

  static var stopped: Fault {
    var fault = Fault(.limit, "stopped")
    fault.wasStopped = true
    return fault
  }
}
