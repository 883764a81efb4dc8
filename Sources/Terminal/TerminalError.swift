internal import Characters

/// What can go wrong between the program and a terminal, a stream or the history file.
public enum TerminalError: Error, Sendable, Equatable {
  /// The terminal refused its modes.
  case cannotSetModes(reason: String)
  /// Bytes could not be written to a stream: a full disk, a closed pipe.
  case cannotWrite(stream: String, reason: String, isClosedPipe: Bool = false)
  /// The history file, and what was tried: `read`, `written`.
  case historyFile(path: String, tried: String, reason: String)
  /// Signals could not be watched.
  case cannotWatchSignals(reason: String)
}

extension TerminalError: CustomStringConvertible {
  /// One sentence that names the thing, what happened and what to do.
  public var description: String {
    switch self {
    case .cannotSetModes(let reason):
      "the terminal's modes cannot be set: \(reason); TERM=dumb gives a plain prompt"
    case .cannotWrite(let stream, let reason, _): "\(stream): cannot be written: \(reason)"
    case .historyFile(let path, let tried, let reason):
      "\(path.visible): history cannot be \(tried): \(reason); FOVEA_HISTORY names another file"
    case .cannotWatchSignals(let reason): "signals cannot be watched: \(reason)"
    }
  }

  /// Whether there is nobody at the other end any more.
  public var isClosedPipe: Bool {
    if case .cannotWrite(_, _, isClosedPipe: true) = self { true } else { false }
  }

  /// The process exit status that fits: 74 for input and output, else 71.
  public var exitCode: Int32 {
    switch self {
    case .cannotSetModes, .cannotWatchSignals: 71
    case .cannotWrite, .historyFile: 74
    }
  }
}
