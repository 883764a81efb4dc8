/// The entry most like a missing one: of the same shape if there is any, then of the nearest name.
func closestName(to key: String, shape: [Int]?, among entries: [TensorEntry]) -> String? {
  let sameShape = entries.filter { $0.shape == shape }
  // Each is compared letter by letter: of very many the first have to do.
  let candidates = (sameShape.isEmpty ? entries : sameShape).prefix(10_000)
  let wanted = Array(key.utf8)
  var best: (name: String, distance: Int)?
  for entry in candidates {
    // Half of the longer name may differ: names of layers share endings such as ".weight".
    let limit = min(
      best.map { $0.distance - 1 } ?? .max, max(wanted.count, entry.name.utf8.count) / 2)
    if let distance = editDistance(wanted, Array(entry.name.utf8), atMost: limit) {
      best = (entry.name, distance)
    }
  }
  return best?.name
}

/// How many bytes must be changed, added or removed to make `b` of `a`; nil if more than `limit`.
func editDistance(_ a: [UInt8], _ b: [UInt8], atMost limit: Int) -> Int? {
  guard limit >= 0, abs(a.count - b.count) <= limit else { return nil }
  var row = Array(0...b.count)
  for i in 0..<a.count {
    var diagonal = row[0]
    row[0] = i + 1
    var smallest = row[0]
    for j in 0..<b.count {
      let changed = diagonal + (a[i] == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(changed, diagonal + 1, row[j] + 1)
      smallest = min(smallest, row[j + 1])
    }
    if smallest > limit { return nil }
  }
  return row[b.count] <= limit ? row[b.count] : nil
}
