public import Files

/// Why scenes could not be made.
public enum SceneError: HasExitCode, Equatable, CustomStringConvertible {
  /// A population that is none of the known ones.
  case unknownPopulation(String)

  /// One sentence with what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .unknownPopulation(let text):
      "population '\(text)': expected usual, crowded, or a range of 1 to 4 objects such as 1-3"
    }
  }

  /// That of a word on the command line.
  public var exitCode: Int32 { ExitCode.usage }
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
