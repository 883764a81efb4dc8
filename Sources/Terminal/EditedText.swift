internal import Characters

/// Text with a cursor between two grapheme clusters, and the edits that a person makes.
///
/// The text is kept as what is before and what is after the cursor, so that typing costs the same
/// at any length.
public struct EditedText: Sendable, Equatable {
  /// What is left of the cursor.
  public private(set) var before: String
  /// What is right of the cursor.
  public private(set) var after: String

  /// Text with the cursor at its end.
  public init(_ text: String = "") { (before, after) = (text, "") }

  /// Text with the cursor between two pieces.
  public init(before: String, after: String) {
    (self.before, self.after) = (before, after)
    joinClusters()
  }

  /// The whole text.
  public var text: String { before + after }
  /// Whether there is no text.
  public var isEmpty: Bool { before.isEmpty && after.isEmpty }
  /// Whether the cursor is on the first line.
  public var isOnFirstLine: Bool { !before.utf8.contains(0x0A) }
  /// Whether the cursor is on the last line.
  public var isOnLastLine: Bool { !after.utf8.contains(0x0A) }
  /// What is left of the cursor on its line.
  public var lineBefore: Substring { before[Self.lineStart(in: before)...] }

  /// Puts `inserted` at the cursor and moves behind it.
  public mutating func insert(_ inserted: String) {
    before += inserted
    joinClusters()
  }

  /// Replaces all text; the cursor goes to the end.
  public mutating func replaceAll(with text: String) { (before, after) = (text, "") }

  // MARK: Moving

  /// One character to the left; false at the beginning.
  @discardableResult public mutating func moveLeft() -> Bool {
    guard let last = before.popLast() else { return false }
    after.insert(last, at: after.startIndex)
    return true
  }

  /// One character to the right; false at the end.
  @discardableResult public mutating func moveRight() -> Bool {
    guard !after.isEmpty else { return false }
    before.append(after.removeFirst())
    return true
  }

  /// To the beginning of the line.
  public mutating func moveToLineStart() { moveLeft(to: Self.lineStart(in: before)) }

  /// To the end of the line.
  public mutating func moveToLineEnd() { moveRight(to: Self.lineEnd(in: after)) }

  /// To the beginning of the text.
  public mutating func moveToStart() { moveLeft(to: before.startIndex) }

  /// To the end of the text.
  public mutating func moveToEnd() { moveRight(to: after.endIndex) }

  /// To the beginning of this word or the one before.
  public mutating func moveWordLeft() { moveLeft(to: wordStart) }

  /// To the end of this word or the next.
  public mutating func moveWordRight() { moveRight(to: wordEnd) }

  /// A line up, keeping the column where that line is long enough; false on the first line.
  @discardableResult public mutating func moveUp() -> Bool {
    guard !isOnFirstLine else { return false }
    let column = lineBefore.displayWidth
    moveToLineStart()
    moveLeft()
    moveToLineStart()
    moveRight(toColumn: column)
    return true
  }

  /// A line down, keeping the column where that line is long enough; false on the last line.
  @discardableResult public mutating func moveDown() -> Bool {
    guard !isOnLastLine else { return false }
    let column = lineBefore.displayWidth
    moveToLineEnd()
    moveRight()
    moveRight(toColumn: column)
    return true
  }

  // MARK: Deleting

  /// Removes the character left of the cursor.
  public mutating func deleteLeft() { _ = before.popLast() }

  /// Removes the character right of the cursor.
  public mutating func deleteRight() {
    if !after.isEmpty { after.removeFirst() }
  }

  /// Removes to the beginning of the word; returns what was removed.
  public mutating func deleteWordLeft() -> String { removeLeft(to: wordStart) }

  /// Removes back to the nearest blank; returns what was removed.
  public mutating func deleteBlankDelimitedWordLeft() -> String {
    let end = before.lastIndex { !$0.isWhitespace } ?? before.startIndex
    let blank = before[..<end].lastIndex(where: \.isWhitespace)
    return removeLeft(to: blank.map { before.index(after: $0) } ?? before.startIndex)
  }

  /// Removes to the end of the word; returns what was removed.
  public mutating func deleteWordRight() -> String { removeRight(to: wordEnd) }

  /// Removes to the beginning of the line, or the line break when there already.
  public mutating func deleteToLineStart() -> String {
    let start = Self.lineStart(in: before)
    if start == before.endIndex, !before.isEmpty { return String(before.removeLast()) }
    return removeLeft(to: start)
  }

  /// Removes to the end of the line, or the line break when there already.
  public mutating func deleteToLineEnd() -> String {
    let end = Self.lineEnd(in: after)
    if end == after.startIndex, !after.isEmpty { return String(after.removeFirst()) }
    return removeRight(to: end)
  }

  /// Swaps the two characters around the cursor, or the last two at the end of a line.
  public mutating func transpose() {
    if after.isEmpty || after.first == "\n" { moveLeft() }
    guard let left = before.last, let right = after.first, left != "\n", right != "\n" else {
      if after.first != "\n" { moveRight() }
      return
    }
    before.removeLast()
    after.removeFirst()
    insert("\(right)\(left)")
  }

  // MARK: Inside

  private var wordStart: String.Index {
    var index = before.endIndex
    while index > before.startIndex, !Self.isWord(before[before.index(before: index)]) {
      index = before.index(before: index)
    }
    while index > before.startIndex, Self.isWord(before[before.index(before: index)]) {
      index = before.index(before: index)
    }
    return index
  }

  private var wordEnd: String.Index {
    var index = after.startIndex
    while index < after.endIndex, !Self.isWord(after[index]) { index = after.index(after: index) }
    while index < after.endIndex, Self.isWord(after[index]) { index = after.index(after: index) }
    return index
  }

  private static func isWord(_ character: Character) -> Bool {
    character.isLetter || character.isNumber || character == "_"
  }

  private static func lineStart(in text: String) -> String.Index {
    text.utf8.lastIndex(of: 0x0A).map { text.utf8.index(after: $0) } ?? text.startIndex
  }

  private static func lineEnd(in text: String) -> String.Index {
    text.utf8.firstIndex(of: 0x0A) ?? text.endIndex
  }

  private mutating func moveLeft(to index: String.Index) { after = removeLeft(to: index) + after }

  private mutating func moveRight(to index: String.Index) { before += removeRight(to: index) }

  private mutating func moveRight(toColumn column: Int) {
    var width = 0
    while let next = after.first, next != "\n", width + next.displayWidth <= column {
      width += next.displayWidth
      moveRight()
    }
  }

  private mutating func removeLeft(to index: String.Index) -> String {
    let removed = String(before[index...])
    before = String(before[..<index])
    return removed
  }

  private mutating func removeRight(to index: String.Index) -> String {
    let removed = String(after[..<index])
    after = String(after[index...])
    return removed
  }

  /// Moves the cursor off the middle of a cluster that an edit closed around it.
  private mutating func joinClusters() {
    guard let last = before.last, let first = after.first, let scalar = first.unicodeScalars.first,
      scalar.value >= 0x80 || last == "\r", String([last, first]).count == 1
    else { return }
    moveRight()
  }
}
