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
}
