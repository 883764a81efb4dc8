internal import Glibc

/// Environment variables: the process's, or a given few.
public struct Environment: Sendable {
  private let given: [String: String]?

  /// The variables of this process.
  public static let process = Environment(given: nil)

  /// Exactly these variables.
  public init(_ variables: [String: String]) { self.init(given: variables) }

  private init(given: [String: String]?) { self.given = given }

  /// The value of a variable, if it is set.
  public subscript(name: String) -> String? {
    if let given { return given[name] }
    return getenv(name).map { String(cString: $0) }
  }
}

extension Environment {
  /// Whether `TERM` names a terminal that understands escape sequences: neither `dumb` nor nothing.
  public var hasEscapes: Bool { !["", "dumb"].contains(self["TERM"] ?? "") }
}
