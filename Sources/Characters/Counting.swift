extension Int {
  /// The number with what it counts: `1 picture`, `2 pictures`.
  ///
  /// - Parameter plural: where it is not the noun and an s.
  public func counted(as noun: String, plural: String? = nil) -> String {
    "\(self) " + (self == 1 ? noun : plural ?? noun + "s")
  }
}
