/// How Qwen-VL hides the paths of pictures among ids: between `<img>` and `</img>` stand as many ids as
/// the model has places for a picture, first the path's bytes, each as the id of its number (not of the
/// token that spells it), then `<imgpad>`.
struct PicturePaths: Sendable, Equatable {
  /// The ids of `<img>`, `</img>` and `<imgpad>`.
  let start, end, padding: Int

  /// How many ids stand between the tags: the most bytes of a path.
  static let limit = 256

  /// The tags by name.
  static let (startTag, endTag, paddingTag) = ("<img>", "</img>", "<imgpad>")

  /// What stands around pictures' paths, names and places.
  static let tags: Set = [
    "<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", startTag, endTag, paddingTag,
  ]

  /// A part of a text.
  enum Part {
    case token(Int)
    case text(ArraySlice<UInt8>)
    /// What stands between the tags.
    case path(ArraySlice<UInt8>)
  }

  /// The ids between the tags.
  func ids(of path: ArraySlice<UInt8>) -> [Int] {
    path.map { Int($0) } + [Int](repeating: padding, count: Self.limit - path.count)
  }

  /// Takes what stands between the tags for paths.
  ///
  /// - Parameters:
  ///   - parts: of `text`, in order.
  ///   - name: the text of a token.
  func parts(
    _ parts: [AddedTokenFinder.Part], of text: ArraySlice<UInt8>, name: (Int) -> String
  ) throws(PathFailure) -> [Part] {
    var result: [Part] = []
    // Where the tag stands that no end has been found for.
    var open: Int?
    var path = text[text.startIndex..<text.startIndex]
    func character(_ place: Int) -> Int {
      text[..<place].count { $0 & 0xC0 != 0x80 } + 1
    }
    for part in parts {
      switch (part, open) {
      case (.text(let piece), nil): result.append(.text(piece))
      case (.text(let piece), _?): path = piece
      case (.token(start, let place), nil):
        result.append(.token(start))
        (open, path) = (place, text[place..<place])
      case (.token(end, _), let tag?):
        guard path.count <= Self.limit else {
          throw .tooLong(path: Self.shown(path), bytes: path.count, at: character(tag))
        }
        result += [.path(path), .token(end)]
        open = nil
      case (.token(end, let place), nil): throw .endWithoutStart(at: character(place))
      case (.token(let id, let place), let tag?):
        throw .tagInPath(name(id), at: character(place), start: character(tag))
      case (.token(let id, _), nil): result.append(.token(id))
      }
    }
    if let open { throw .startWithoutEnd(at: character(open)) }
    return result
  }

  private static func shown(_ path: ArraySlice<UInt8>) -> String {
    String(decoding: path, as: UTF8.self).quoted
  }
}

/// Ids on their way to text, of which some are a path's.
struct PathReading: Sendable {
  /// What an id is.
  enum Step: Equatable {
    /// A token.
    case token
    /// A byte of a path.
    case byte(UInt8)
    /// What fills up a path.
    case padding
  }

  private enum State { case outside, path, padding }

  private let paths: PicturePaths?
  private var state = State.outside

  init(_ paths: PicturePaths?) { self.paths = paths }

  /// What the next id is; a path ends at its end tag, or where an id is neither a byte nor padding.
  mutating func next(_ id: Int) -> Step {
    guard let paths else { return .token }
    if id == paths.start {
      state = .path
    } else if state != .outside {
      if id == paths.padding || state == .padding && (0..<256).contains(id) {
        state = .padding
        return .padding
      }
      if let byte = UInt8(exactly: id) { return .byte(byte) }
      state = .outside
    }
    return .token
  }
}
