/// What was entered before, oldest first; an entry that comes again moves to the end.
public struct History: Sendable, Equatable {
  /// The entries, oldest first, each whole however many lines it has.
  public private(set) var entries: [String] = []
  /// How many entries are kept.
  public let limit: Int

  /// A history that keeps the last `limit` of `entries`.
  public init(_ entries: [String] = [], limit: Int = 10_000) {
    self.limit = max(1, limit)
    // From the newest, so that of equal entries the last one stays.
    var seen: Set<String> = []
    var kept: [String] = []
    for entry in entries.reversed() where Self.isWorthKeeping(entry) && kept.count < self.limit {
      if seen.insert(entry).inserted { kept.append(entry) }
    }
    self.entries = kept.reversed()
  }

  /// Whether an entry is remembered: not blank, and not begun with a space, which is how a person
  /// says that it should not be.
  public static func isWorthKeeping(_ entry: String) -> Bool {
    !entry.hasPrefix(" ") && !entry.allSatisfy(\.isWhitespace)
  }

  /// Remembers an entry; false where it is not worth keeping or repeats the last one.
  @discardableResult public mutating func add(_ entry: String) -> Bool {
    guard Self.isWorthKeeping(entry), entries.last != entry else { return false }
    entries.removeAll { $0 == entry }
    entries.append(entry)
    if entries.count > limit { entries.removeFirst(entries.count - limit) }
    return true
  }

  /// The place of the newest entry before `place` that begins with `prefix`.
  func older(than place: Int, beginningWith prefix: String) -> Int? {
    entries[..<place].lastIndex { $0.hasPrefix(prefix) }
  }

  /// The place of the oldest entry after `place` that begins with `prefix`.
  func newer(than place: Int, beginningWith prefix: String) -> Int? {
    entries[min(place + 1, entries.count)...].firstIndex { $0.hasPrefix(prefix) }
  }

  /// The place of the newest entry before `place` in which `query` occurs; capital letters count
  /// only where the query has some.
  func older(than place: Int, containing query: String) -> Int? {
    entries[..<place].lastIndex { Self.occurs(query, in: $0) }
  }

  /// The place of the oldest entry after `place` in which `query` occurs.
  func newer(than place: Int, containing query: String) -> Int? {
    entries[min(place + 1, entries.count)...].firstIndex { Self.occurs(query, in: $0) }
  }

  private static func occurs(_ query: String, in entry: String) -> Bool {
    query.contains(where: \.isUppercase)
      ? entry.contains(query) : entry.lowercased().contains(query.lowercased())
  }
}
