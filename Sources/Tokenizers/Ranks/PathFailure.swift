public import Files

/// Why a text with picture tags cannot be read; characters are counted from 1, in form C.
public enum PathFailure: Error, Equatable {
  /// A path has more bytes than a picture has places.
  case tooLong(path: String, bytes: Int, at: Int)
  /// A path has no end.
  case startWithoutEnd(at: Int)
  /// An end has no start.
  case endWithoutStart(at: Int)
  /// Another special token stands in a path.
  case tagInPath(String, at: Int, start: Int)
}

extension PathFailure: CustomStringConvertible {
  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .tooLong(let path, let bytes, let place):
      "the path \(path) after <img> at character \(place) has \(bytes) bytes; a path has at most "
        + "\(PicturePaths.limit)"
    case .startWithoutEnd(let place):
      "<img> at character \(place) has no </img>; a path stands between the two, as in "
        + "<img>cat.jpg</img>"
    case .endWithoutStart(let place):
      "</img> at character \(place) has no <img> before it; a path stands between the two, as in "
        + "<img>cat.jpg</img>"
    case .tagInPath(let tag, let place, let start):
      "\(tag) at character \(place) stands in the path that <img> at character \(start) begins; "
        + "expected </img>"
    }
  }
}

extension PathFailure: HasExitCode {
  /// Bad data.
  public var exitCode: Int32 { ExitCode.badData }
}
