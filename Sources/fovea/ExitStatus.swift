internal import Files
internal import Images
internal import Language
internal import Runtime
internal import Tensors
internal import Terminal

/// How results become the process's exit status.
enum ExitStatus {
  static let interrupted: Int32 = 130
  static let checkFailed: Int32 = 2

  /// The status that an error asks for.
  static func of(_ error: any Error) -> Int32 {
    switch error {
    case let error as any HasExitCode: error.exitCode
    case let error as TerminalError: error.exitCode
    case let error as ImageError: error.exitCode
    case is LibraryShortage: ExitCode.outOfMemory
    case let error as RuntimeFailure: of(error)
    default: ExitCode.failure
    }
  }

  /// The status of a cell that did not run to its end; a check is a lesson's `assert`.
  static func of(_ result: CellResult, isLesson: Bool) -> Int32 {
    guard !result.succeeded else { return 0 }
    // A text that does not parse is bad data, whoever wrote it.
    guard let failure = result.failure else { return ExitCode.badData }
    if isLesson, failure.kind == .assertion { return checkFailed }
    return of(failure)
  }

  private static func of(_ failure: RuntimeFailure) -> Int32 {
    switch failure.kind {
    case .interrupted: interrupted
    case .permission: ExitCode.permission
    default: failure.underlying.map { of($0) } ?? ExitCode.failure
    }
  }
}

/// A setting of the environment that cannot be.
struct SettingFailure: HasExitCode, CustomStringConvertible {
  let words: String

  var exitCode: Int32 { ExitCode.usage }
  var description: String { words }
}
