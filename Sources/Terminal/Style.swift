internal import Characters

/// When a person wants colour.
public enum ColorChoice: String, Sendable, CaseIterable {
  /// Where the stream is a terminal and nothing in the environment speaks against it.
  case auto
  /// Everywhere, pipes and files too.
  case always
  /// Nowhere.
  case never
}

/// How many colours a stream takes.
public enum ColorDepth: Sendable, Comparable {
  /// None: plain text.
  case none
  /// xterm's 256.
  case indexed
  /// 24 bits.
  case full

  /// The depth for a stream.
  ///
  /// An explicit choice wins. Then `NO_COLOR` (set and not empty) turns colour off;
  /// `CLICOLOR_FORCE` or `FORCE_COLOR` (set, not `0`) turn it on; a `TERM` of `dumb`, empty or
  /// not set, and a stream that is no terminal turn it off. `COLORTERM` of `truecolor` or `24bit` means full colour.
  public init(_ choice: ColorChoice, isTerminal: Bool, in environment: Environment) {
    let isForced = ["CLICOLOR_FORCE", "FORCE_COLOR"].contains {
      environment[$0].map { !$0.isEmpty && $0 != "0" } ?? false
    }
    let isOn =
      switch choice {
      case .always: true
      case .never: false
      case .auto where !(environment["NO_COLOR"] ?? "").isEmpty: false
      case .auto: isForced || isTerminal && environment.hasEscapes
      }
    let isFull = ["truecolor", "24bit"].contains(environment["COLORTERM"] ?? "")
    self = !isOn ? .none : isFull ? .full : .indexed
  }
}

/// The few looks that the program's text has.
///
/// Colour never carries meaning alone.
public enum Style: Sendable {
  /// The prompt.
  case prompt
  /// The word "error" and the carets below a mistake.
  case error
  /// The word "warning".
  case warning
  /// What may be skipped: hints, details.
  case faint
  /// What matters.
  case strong
  /// The chosen line of a menu.
  case chosen

  /// `text`, made visible, in this style; without colours where there are none.
  public func apply(to text: String, _ depth: ColorDepth) -> String {
    guard depth != .none, !text.isEmpty else { return text.visible }
    return "\u{1B}[\(code)m\(text.visible)\u{1B}[0m"
  }

  private var code: String {
    switch self {
    case .prompt: "1;36"
    case .error: "1;31"
    case .warning: "1;33"
    case .faint: "2"
    case .strong: "1"
    case .chosen: "7"
    }
  }
}
