public import Budget

/// The process exit codes that scripts can rely on, after BSD's sysexits.h.
public enum ExitCode {
  /// A command failed.
  public static let failure: Int32 = 1
  /// The command line was not understood.
  public static let usage: Int32 = 64
  /// A file's contents are wrong: a corrupt model, a picture that is not one.
  public static let badData: Int32 = 65
  /// A file that should be read is not there.
  public static let missingInput: Int32 = 66
  /// Too little memory.
  public static let outOfMemory: Int32 = 71
  /// A file cannot be created.
  public static let cannotCreate: Int32 = 73
  /// Reading or writing failed, as on a full disk.
  public static let inputOutput: Int32 = 74
  /// The system forbids it.
  public static let permission: Int32 = 77
}

/// An error that knows the exit code of a process that ends because of it.
public protocol HasExitCode: Error {
  /// One of `ExitCode`.
  var exitCode: Int32 { get }
}

extension MemoryShortage: HasExitCode {
  /// Too little memory.
  public var exitCode: Int32 { ExitCode.outOfMemory }
}

extension ThreadShortage: HasExitCode {
  /// Too little of what the system gives.
  public var exitCode: Int32 { ExitCode.outOfMemory }
}
