internal import Language

extension Document {
  /// Text to read, without the marks that fold answers away on a page, and with numbers as they stand.
  func prose(of part: Part) -> String {
    source.text(of: part.range).split(separator: "\n", omittingEmptySubsequences: false)
      .filter { line in
        let plain = line.drop { $0 == " " }
        return !["<details", "</details", "<summary", "</summary"].contains { plain.hasPrefix($0) }
      }
      .joined(separator: "\n").trimmingSpaces
  }
}
