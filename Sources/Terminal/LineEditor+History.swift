/// A walk up through the entries that begin as the text did when the walk began.
struct HistoryWalk: Equatable {
  let prefix: String
  let draft: EditedText
  var place: Int
  /// The entry shown; another text ends the walk.
  var shown: String
}

/// A search through history while its words are typed.
struct HistorySearch: Equatable {
  var query = ""
  /// The place of the match shown; the number of entries before the first one.
  var place: Int
  var hasFailed = false
  /// What was being edited.
  let draft: EditedText
}

extension LineEditor {
  /// Up: the entry before that begins with what is left of the cursor.
  mutating func older() -> Outcome {
    var walk =
      walk
      ?? HistoryWalk(
        prefix: content.before, draft: content, place: history.entries.count, shown: content.text)
    var place = walk.place
    repeat {
      guard let next = history.older(than: place, beginningWith: walk.prefix) else {
        return .refused
      }
      place = next
    } while history.entries[place] == content.text
    (walk.place, walk.shown) = (place, history.entries[place])
    self.walk = walk
    content.replaceAll(with: walk.shown)
    return .edited
  }

  /// Down: back towards what was being typed.
  mutating func newer() -> Outcome {
    guard var walk else { return .refused }
    guard let place = history.newer(than: walk.place, beginningWith: walk.prefix) else {
      content = walk.draft
      self.walk = nil
      return .edited
    }
    (walk.place, walk.shown) = (place, history.entries[place])
    self.walk = walk
    content.replaceAll(with: walk.shown)
    return .edited
  }

  /// Control-R.
  mutating func beginSearch() -> Outcome {
    mode = .searching(HistorySearch(place: history.entries.count, draft: content))
    return .edited
  }

  /// A key while searching.
  mutating func search(_ key: Key, _ search: HistorySearch) -> Outcome {
    var search = search
    switch key {
    case .character(let character):
      search.query.append(character)
      // The match on show may still be one.
      look(&search, from: search.place + 1)
    case .paste(let text):
      search.query += text.split(separator: "\n").first ?? ""
      look(&search, from: search.place + 1)
    case .backspace, .control("h"):
      guard !search.query.isEmpty else { return .refused }
      search.query.removeLast()
      look(&search, from: history.entries.count)
    case .control("r"), .up: look(&search, from: search.place)
    case .control("s"), .down:
      if let place = history.newer(than: search.place, containing: search.query) {
        show(place, &search)
      } else {
        search.hasFailed = true
      }
    case .control("g"), .control("c"):
      content = search.draft
      mode = .editing
      return .edited
    case .escape, .tab:
      mode = .editing
      return .edited
    default:
      mode = .editing
      return edit(key)
    }
    mode = .searching(search)
    return search.hasFailed ? .refused : .edited
  }

  private mutating func look(_ search: inout HistorySearch, from place: Int) {
    guard !search.query.isEmpty else {
      content = search.draft
      (search.place, search.hasFailed) = (history.entries.count, false)
      return
    }
    let start = min(place, history.entries.count)
    if let found = history.older(than: start, containing: search.query) {
      show(found, &search)
    } else {
      search.hasFailed = true
    }
  }

  private mutating func show(_ place: Int, _ search: inout HistorySearch) {
    search.place = place
    search.hasFailed = false
    content.replaceAll(with: history.entries[place])
  }
}
