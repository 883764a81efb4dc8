extension Int {
  /// The number with what is counted: 1 picture, 2 pictures.
  ///
  /// - Parameter plural: where it is not the word with an s.
  package func counted(_ word: String, _ plural: String? = nil) -> String {
    "\(self) \(self == 1 ? word : plural ?? word + "s")"
  }
}
