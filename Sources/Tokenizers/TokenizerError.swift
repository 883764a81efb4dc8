public import Files

/// Why a tokenizer could not be read.
public enum TokenizerError: Error, Equatable {
  /// The folder has none of the files that make a tokenizer.
  case noTokenizer(folder: String)
  /// A file cannot be read.
  case unreadable(FileFailure)
  /// Something in a file is not what it must be.
  case wrong(file: String, key: String, found: String, expected: String)
  /// A file asks for a part that this program does not have.
  case unsupported(file: String, key: String, found: String, supported: String)
}

extension TokenizerError {
  /// Says that `place` of `file` is not what it must be.
  public init(file: String, place: String, found: String, expected: String) {
    self = .wrong(file: file, key: place, found: found, expected: expected)
  }
}

extension TokenizerError: CustomStringConvertible {
  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .noTokenizer(let folder):
      """
      '\(folder)' has no tokenizer; expected tokenizer.json, or vocab.json with merges.txt, or \
      vocab.txt, or tokenizer.model, or qwen.tiktoken
      """
    case .unreadable(let failure): failure.description
    case .wrong(let file, let key, let found, let expected):
      "'\(file)', \(key): found \(found), expected \(expected)"
    case .unsupported(let file, let key, let found, let supported):
      "'\(file)', \(key): \(found) is not supported; supported: \(supported)"
    }
  }
}

extension TokenizerError: HasExitCode {
  /// Bad data, or what the file failed with.
  public var exitCode: Int32 {
    switch self {
    case .noTokenizer: ExitCode.missingInput
    case .unreadable(let failure): failure.exitCode
    case .wrong, .unsupported: ExitCode.badData
    }
  }
}

extension String {
  /// Quoted, on one line, and not longer than a sentence bears.
  var quoted: String {
    let short = unicodeScalars.count > 60 ? String(unicodeScalars.prefix(60)) + "…" : self
    return "'\(short.withVisibleControls)'"
  }
}
