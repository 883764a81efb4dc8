/// Why a file gave no picture, or why settings cannot be followed.
///
/// Each case holds the facts;
/// `description` says them in one line.
public enum ImageError: Error, Sendable, Equatable {
  /// The file holds no byte.
  case empty(name: String)
  /// The file is something else than a picture.
  case notAPicture(name: String, found: String)
  /// A picture of a format that is not read here.
  case unsupported(name: String, found: String)
  /// A format that is read, but of a kind that is not; `message` is what the decoder said.
  case unusual(name: String, format: String, message: String)
  /// The file ends after `byteCount` bytes, when `row` of `height` rows were complete; `height` is
  /// nil where it ends within the header.
  case truncated(name: String, format: String, byteCount: Int, row: Int, height: Int?)
  /// The file contradicts its format; `message` is what the decoder said.
  case damaged(name: String, format: String, message: String, row: Int, height: Int?)
  /// There are more than `limit` pixels.
  case tooManyPixels(name: String, size: PixelSize, limit: Int)
  /// Decoding takes more bytes than there are, beside the file's own `byteCount`.
  case tooLittleMemory(
    name: String, size: PixelSize, needed: Int, byteCount: Int, available: Int)
  /// Memory ran out while decoding.
  case outOfMemory(name: String, size: PixelSize?)
  /// Whoever asked for the picture wanted it no longer.
  case stopped(name: String)
  /// A value among the preprocessing settings that cannot be followed.
  case setting(String, found: String, expected: String)
  /// A tensor of another shape than the one that is worked on.
  case shape(found: [Int], expected: String)

  /// The status a program ends with when it cannot go on: wrong data, or too little memory for it.
  public var exitCode: Int32 {
    switch self {
    case .tooLittleMemory, .outOfMemory: 71
    case .stopped: 130
    default: 65
    }
  }
}

extension ImageError: CustomStringConvertible {
  /// One line: the file, what was found, what was expected, what to do.
  public var description: String {
    switch self {
    case .empty(let name):
      return "\(name) is empty (0 bytes); expected a picture. Fetch or save it again."
    case .notAPicture(let name, let found):
      return "\(name) is \(found); expected a picture. Give the picture file itself."
    case .unsupported(let name, let found):
      return "\(name) is \(found); \(PictureFormat.names) are read. Convert it to PNG."
    case .unusual(let name, let format, let message):
      return "\(name) is \(format), but of a kind that is not read (\(message)); expected one that "
        + "common programs write. Save it again as PNG."
    case .truncated(let name, let format, let byteCount, let row, let height):
      let place =
        height.map { row < $0 ? "in row \(row + 1) of \($0)" : "before its end mark" }
        ?? "in the header"
      return "\(name): the \(format) data end after \(Self.grouped(byteCount)) bytes, \(place); "
        + "expected the whole picture. Fetch or save it again."
    case .damaged(let name, let format, let message, let row, let height):
      let place =
        height.map { row < $0 ? " in row \(row + 1) of \($0)" : " after the last row" }
        ?? " in the header"
      return "\(name): the \(format) data are damaged\(place) (\(message)); "
        + "expected the whole picture. Fetch or save it again."
    case .tooManyPixels(let name, let size, let limit):
      let (count, overflow) = size.width.multipliedReportingOverflow(by: size.height)
      return "\(name) has \(size) pixels\(overflow ? "" : ", \(Self.grouped(count)) in all"); "
        + "expected at most \(Self.grouped(limit)). Scale it down."
    case .tooLittleMemory(let name, let size, let needed, let byteCount, let available):
      let file = byteCount < 1_000_000 ? "" : " beside the file's \(Self.megabytes(byteCount))"
      return "\(name) has \(size) pixels; decoding them takes \(Self.megabytes(needed)) of memory"
        + "\(file), and there are \(Self.megabytes(available)). Scale it down, or give more memory."
    case .outOfMemory(let name, let size):
      let pixels = size.map { " of \($0) pixels" } ?? ""
      return "\(name): not enough memory to decode the picture\(pixels). Scale it down."
    case .stopped(let name): return "\(name) was not read to its end: stopped"
    case .setting(let name, let found, let expected):
      return "preprocessing: \(name) is \(found); expected \(expected). Correct the setting."
    case .shape(let found, let expected):
      return "pixels of shape \(found); expected \(expected). Reshape or permute them."
    }
  }

  private static func megabytes(_ bytes: Int) -> String {
    "\(grouped(bytes / 1_000_000 + (bytes % 1_000_000 > 0 ? 1 : 0))) MB"
  }

  /// 64,000,000 rather than 64000000.
  private static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var place = digits.count - 3
    while place > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
      place -= 3
    }
    return digits
  }
}
