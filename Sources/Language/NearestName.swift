/// Finds the name that a misspelt one was most likely meant to be.
public enum NearestName {
  /// The closest of `candidates` to `name`, or nil where none is close.
  ///
  /// Close is at most a third of the letters changed (at least one allowed, swaps count once),
  /// or equal but for case. Among equals the first wins.
  public static func of(_ name: String, among candidates: [String]) -> String? {
    let lower = name.lowercased()
    if let same = candidates.first(where: { $0.lowercased() == lower && $0 != name }) {
      return same
    }
    let letters = Array(lower.unicodeScalars)
    guard !letters.isEmpty, letters.count <= 200 else { return nil }
    let allowed = max(1, letters.count / 3)
    var best: (name: String, distance: Int)?
    for candidate in candidates where candidate != name {
      let other = Array(candidate.lowercased().unicodeScalars)
      guard abs(other.count - letters.count) <= allowed else { continue }
      let distance = distance(letters, other)
      if distance <= allowed, distance < letters.count, distance < best?.distance ?? .max {
        best = (candidate, distance)
      }
    }
    return best?.name
  }

  /// "did you mean 'x'?", or nil.
  public static func hint(_ name: String, among candidates: [String]) -> String? {
    of(name, among: candidates).map { "did you mean '\($0)'?" }
  }

  /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
  private static func distance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var before: [Int] = []
    var previous = Array(0...b.count)
    for i in 0..<a.count {
      var row = [i + 1]
      for j in 0..<b.count {
        var cost = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
        row.append(cost)
      }
      (before, previous) = (previous, row)
    }
    return previous[b.count]
  }
}
