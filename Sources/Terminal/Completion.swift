/// One way to go on from what is typed.
public struct Candidate: Sendable, Equatable {
  /// What is put into the text.
  public let replacement: String
  /// What the menu shows for it.
  public let label: String
  /// A few words beside the label, or nothing.
  public let detail: String

  /// A candidate; the label is the replacement unless told otherwise.
  public init(_ replacement: String, label: String? = nil, detail: String = "") {
    (self.replacement, self.label, self.detail) = (replacement, label ?? replacement, detail)
  }
}

/// What can replace a range of the text.
public struct Completions: Equatable {
  /// The part of the text that a candidate replaces; it ends at the cursor or behind it.
  public let range: Range<String.Index>
  /// The candidates, best first.
  public let candidates: [Candidate]

  /// Candidates for a range of the text that was asked about.
  public init(replacing range: Range<String.Index>, with candidates: [Candidate]) {
    (self.range, self.candidates) = (range, candidates)
  }
}

/// Finds completions for a text with a cursor; nil where there is nothing to complete.
public typealias Completer = (_ text: String, _ cursor: String.Index) -> Completions?

/// A completion under way: the candidates, the text without any of them, and the one chosen.
struct CompletionMenu: Equatable {
  let candidates: [Candidate]
  /// The text left and right of what is replaced, and what stood there.
  let head: String
  let original: String
  let tail: String
  var selected: Int?

  init?(_ completions: Completions?, in content: EditedText) {
    guard let completions, !completions.candidates.isEmpty else { return nil }
    let text = content.text
    head = String(text[..<completions.range.lowerBound])
    original = String(text[completions.range])
    tail = String(text[completions.range.upperBound...])
    candidates = completions.candidates
  }

  /// The text with the chosen candidate, or as it was.
  var content: EditedText {
    let middle = selected.map { candidates[$0].replacement } ?? original
    return EditedText(before: head + middle, after: tail)
  }

  /// The longest beginning that all candidates have in common.
  var commonPrefix: String {
    var prefix = candidates.first?.replacement ?? ""
    for candidate in candidates {
      prefix = String(
        zip(prefix, candidate.replacement).prefix { $0 == $1 }.map { $0.0 })
    }
    return prefix
  }

  /// Chooses the next candidate, or the one before, around the ends.
  mutating func move(by step: Int) {
    guard let selected else {
      selected = step > 0 ? 0 : candidates.count - 1
      return
    }
    self.selected = (selected + step + candidates.count) % candidates.count
  }
}
