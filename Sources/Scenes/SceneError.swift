public import Files

/// Why scenes could not be made or written.
public enum SceneError: HasExitCode, Equatable, CustomStringConvertible {
  /// The folder for the pictures cannot be made.
  case noFolder(path: String)
  /// A population that is none of the known ones.
  case unknownPopulation(String)

  /// One sentence with what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .noFolder(let path):
      "\(path): cannot make this folder; name one in a place that you may write to"
    case .unknownPopulation(let text):
      "population '\(text)': expected usual, crowded, or a range of 1 to 4 objects such as 1-3"
    }
  }

  /// 73 for a folder, 64 for a word on the command line.
  public var exitCode: Int32 {
    switch self {
    case .noFolder: ExitCode.cannotCreate
    case .unknownPopulation: ExitCode.usage
    }
  }
}

extension Scene.Population {
  /// From a word of the command line: `usual`, `crowded`, `2` or `1-3`.
  public init(parsing text: String) throws(SceneError) {
    switch text {
    case "usual": self = .usual
    case "crowded": self = .crowded
    default:
      let numbers = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
      guard let first = numbers.first ?? nil, let last = numbers.last ?? nil, numbers.count <= 2,
        1 <= first, first <= last, last <= 4
      else { throw .unknownPopulation(text) }
      self = .exactly(first...last)
    }
  }
}
