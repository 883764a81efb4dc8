extension Int {
  /// The number as an amount of bytes for people: `512 bytes`, `3.4 MB`, `7.49 GB`, in powers of
  /// 1000.
  public var asByteCount: String {
    let units = [(1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "KB")]
    guard let (size, unit) = units.first(where: { self >= $0.0 }) else { return "\(self) bytes" }
    let digits = self >= 100 * size ? 1 : self >= 10 * size ? 10 : 100
    let rounded = (Double(self) / Double(size) * Double(digits)).rounded() / Double(digits)
    return digits == 1 || rounded >= 100 ? "\(Int(rounded)) \(unit)" : "\(rounded) \(unit)"
  }

  /// The number of bytes that a text such as `5GB`, `500 MB` or `1000000` stands for; nil where it
  /// stands for none above 0.
  public init?(byteCount text: String) {
    let units = [("KB", 1000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000)]
    let text = text.uppercased()
    let unit = units.first { text.hasSuffix($0.0) }
    let digits = text.dropLast(unit?.0.count ?? 0)
    guard let number = Double(digits.last == " " ? digits.dropLast() : digits), number > 0,
      let count = Int(exactly: (number * Double(unit?.1 ?? 1)).rounded()), count > 0
    else { return nil }
    self = count
  }
}
