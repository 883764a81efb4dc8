extension String {
  /// The text as a message may hold it: the middle of one that is longer than `limit` bytes is left
  /// out, and how much it was is said.
  ///
  /// Names and values of any length stand in messages; nobody reads a name of 20 MB.
  public func bounded(to limit: Int = 1200) -> String {
    let count = utf8.count
    guard count > limit else { return self }
    var head = utf8.index(utf8.startIndex, offsetBy: limit * 3 / 4)
    var tail = utf8.index(utf8.startIndex, offsetBy: count - limit / 4)
    // No scalar is cut in two.
    while utf8[head] & 0xC0 == 0x80 { head = utf8.index(before: head) }
    while tail < utf8.endIndex, utf8[tail] & 0xC0 == 0x80 { tail = utf8.index(after: tail) }
    return "\(self[..<head]) … (\(count) bytes in all) … \(self[tail...])"
  }
}
