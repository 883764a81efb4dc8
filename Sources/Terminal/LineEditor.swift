/// The prompt's editor as a value: keys go in, an outcome comes out, and nothing is read or written.
///
/// Keys are Emacs's, as in readline: see the target's README for the list.
public struct LineEditor {
  /// What a key led to.
  public enum Outcome: Sendable, Equatable {
    /// The text or the cursor may have changed; draw again.
    case edited
    /// The key did nothing here.
    case refused
    /// The entry is complete.
    case submit(String)
    /// Control-C: the entry is given up; its text at that time.
    case interrupt(String)
    /// Control-D on an empty line.
    case end
    /// Control-Z.
    case suspend
    /// Control-L.
    case clearScreen
  }

  /// What the language says about text.
  public struct Rules {
    /// Whether Enter should continue the entry on another line.
    public var isIncomplete: (String) -> Bool
    /// The blanks that the line after this text begins with.
    public var indentation: (String) -> String
    /// What Tab offers.
    public var complete: Completer

    /// Rules; without any, each line is an entry and nothing completes.
    public init(
      isIncomplete: @escaping (String) -> Bool = { _ in false },
      indentation: @escaping (String) -> String = LineEditor.sameIndentation,
      complete: @escaping Completer = { _, _ in nil }
    ) {
      (self.isIncomplete, self.indentation, self.complete) = (isIncomplete, indentation, complete)
    }
  }

  enum Mode: Equatable {
    case editing
    case completing(CompletionMenu)
    case searching(HistorySearch)
  }

  /// The entry and its cursor.
  public internal(set) var content = EditedText()
  /// What was entered before.
  public internal(set) var history: History

  let rules: Rules
  var mode = Mode.editing
  var walk: HistoryWalk?
  private var killed = ""
  private var lastKeyKilled = false
  private var undone: [EditedText] = []
  private var lastKeyTyped = false

  /// An editor with an empty entry.
  public init(rules: Rules = Rules(), history: History = History()) {
    (self.rules, self.history) = (rules, history)
  }

  /// The blanks that the last line of `text` begins with.
  public static func sameIndentation(_ text: String) -> String {
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).last ?? ""
    return String(line.prefix { $0 == " " })
  }

  /// Takes one key.
  public mutating func handle(_ key: Key) -> Outcome {
    switch mode {
    case .editing: return edit(key)
    case .completing(let menu): return complete(key, menu)
    case .searching(let search): return self.search(key, search)
    }
  }

  /// Forgets the entry and begins a new one; history stays.
  public mutating func startEntry() {
    self = LineEditor(rules: rules, history: history, killed: killed)
  }

  private init(rules: Rules, history: History, killed: String) {
    (self.rules, self.history, self.killed) = (rules, history, killed)
  }

  mutating func edit(_ key: Key) -> Outcome {
    let earlier = content
    let outcome = apply(key)
    if content != earlier { noteChange(after: key, from: earlier) }
    return outcome
  }

  /// What follows from a change of text: it can be undone, and a walk through history ends.
  private mutating func noteChange(after key: Key, from earlier: EditedText) {
    guard content.text != earlier.text, walk == nil || content.text != walk?.shown else { return }
    walk = nil
    if key == .control("_") { return }
    var typed = false
    if case .character(let character) = key { typed = !character.isWhitespace }
    if !(typed && lastKeyTyped) { undone.append(earlier) }
    if undone.count > 200 { undone.removeFirst() }
    lastKeyTyped = typed
  }

  private mutating func apply(_ key: Key) -> Outcome {
    let killing = lastKeyKilled
    lastKeyKilled = false
    switch key {
    case .character(let character): content.insert(String(character))
    case .paste(let text): content.insert(Self.cleaned(text))
    case .enter, .control("m"): return enter()
    case .altEnter, .control("o"): newLine()
    case .tab: return openMenu()
    case .left, .control("b"): return content.moveLeft() ? .edited : .refused
    case .right, .control("f"): return content.moveRight() ? .edited : .refused
    case .up: return content.moveUp() ? .edited : older()
    case .down: return content.moveDown() ? .edited : newer()
    case .control("p"): return older()
    case .control("n"): return newer()
    case .home, .control("a"): content.moveToLineStart()
    case .end, .control("e"): content.moveToLineEnd()
    case .wordLeft, .alt("b"): content.moveWordLeft()
    case .wordRight, .alt("f"): content.moveWordRight()
    case .pageUp, .alt("<"): content.moveToStart()
    case .pageDown, .alt(">"): content.moveToEnd()
    case .backspace, .control("h"):
      guard !content.before.isEmpty else { return .refused }
      deleteLeft()
    case .delete: content.deleteRight()
    case .control("d"):
      if content.isEmpty { return .end }
      content.deleteRight()
    case .deleteWordLeft: kill(content.deleteWordLeft(), before: true, joining: killing)
    case .control("w"):
      kill(content.deleteBlankDelimitedWordLeft(), before: true, joining: killing)
    case .deleteWordRight, .alt("d"): kill(content.deleteWordRight(), joining: killing)
    case .control("u"): kill(content.deleteToLineStart(), before: true, joining: killing)
    case .control("k"): kill(content.deleteToLineEnd(), joining: killing)
    case .control("y"): content.insert(killed)
    case .control("t"): content.transpose()
    case .control("_"):
      guard let earlier = undone.popLast() else { return .refused }
      content = earlier
      lastKeyTyped = false
    case .control("r"): return beginSearch()
    case .control("c"): return .interrupt(content.text)
    case .control("z"): return .suspend
    case .control("l"): return .clearScreen
    default: return .refused
    }
    return .edited
  }

  /// Line breaks as the editor keeps them, and none at the end of a paste: the person presses
  /// Enter.
  static func cleaned(_ pasted: String) -> String {
    var text = pasted
    if text.utf8.contains(0x0D) {
      text = String(text.map { $0 == "\r\n" || $0 == "\r" ? "\n" : $0 })
    }
    while text.last == "\n" { text.removeLast() }
    return text
  }

  private mutating func enter() -> Outcome {
    let text = content.text
    // In the middle of several lines, Enter opens a line there; at the end it asks the language.
    guard content.isOnLastLine, !rules.isIncomplete(text) else {
      newLine()
      return .edited
    }
    return .submit(text)
  }

  private mutating func newLine() { content.insert("\n" + rules.indentation(content.before)) }

  private mutating func deleteLeft() {
    // In indentation, back to the next multiple of four.
    let line = content.lineBefore
    let blanks = line.count
    let isIndented = blanks > 0 && line.allSatisfy { $0 == " " } && content.before.contains("\n")
    for _ in 0..<(isIndented ? (blanks - 1) % 4 + 1 : 1) { content.deleteLeft() }
  }

  private mutating func kill(_ text: String, before: Bool = false, joining: Bool) {
    killed = !joining ? text : before ? text + killed : killed + text
    lastKeyKilled = true
  }
}
