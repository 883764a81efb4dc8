internal import Language

/// Finds the fenced cells of a lesson, or the `# %%` cells of a script.
struct FenceReader {
  private let source: Source
  private let isScript: Bool
  var parts: [Document.Part] = []
  var properties: [(name: String, value: String)] = []
  var diagnostics: [Diagnostic] = []
  private var line = 1
  private var proseStart = 0

  private static let kinds: [String: Document.Kind] = [
    "fovea": .code, "expect": .expectation, "predict": .question(.prediction),
    "quiz": .question(.choice), "point": .question(.patch), "task": .question(.task),
    "answer": .answer, "solution": .solution,
  ]

  init(_ source: Source) { (self.source, isScript) = (source, false) }
  init(script source: Source) { (self.source, isScript) = (source, true) }

  private var lineCount: Int { source.lineStarts.count }
  private func text(_ line: Int) -> String { source.text(of: source.range(ofLine: line)) }

  mutating func run() {
    if isScript { return readScript() }
    readProperties()
    proseStart = line <= lineCount ? source.lineStarts[line - 1] : source.bytes.count
    while line <= lineCount {
      if let fence = fence(text(line)) { readFence(fence) } else { line += 1 }
    }
    endProse(at: source.bytes.count)
  }

  // MARK: Scripts

  private mutating func readScript() {
    var start = 0
    for line in 1...lineCount {
      let text = text(line)
      guard text.hasPrefix("# %%") || text.hasPrefix("#%%") else { continue }
      addCode(start, source.lineStarts[line - 1])
      start = source.lineStarts[line - 1]
    }
    addCode(start, source.bytes.count)
  }

  private mutating func addCode(_ start: Int, _ end: Int) {
    let range = SourceRange(start, end)
    guard source.text(of: range).contains(where: { !$0.isWhitespace }) else { return }
    parts.append(Document.Part(kind: .code, range: range, name: nil, subject: nil))
  }

  // MARK: Lessons

  /// `name: value` lines between two lines of `---` at the very top.
  private mutating func readProperties() {
    guard text(1) == "---",
      let end = (2...max(2, lineCount)).first(where: {
        $0 <= lineCount && text($0) == "---"
      })
    else { return }
    for line in 2..<end {
      let text = text(line)
      guard let colon = text.firstIndex(of: ":") else { continue }
      let value = text[text.index(after: colon)...].drop { $0 == " " }
      properties.append((String(text[..<colon]), String(value)))
    }
    line = end + 1
  }

  private struct Fence {
    let mark: Character
    let length: Int
    let info: String
  }

  private func fence(_ text: String) -> Fence? {
    let rest = text.drop { $0 == " " }
    guard text.count - rest.count <= 3, let mark = rest.first, mark == "`" || mark == "~" else {
      return nil
    }
    let length = rest.prefix { $0 == mark }.count
    let info = rest.dropFirst(length).drop { $0 == " " }
    guard length >= 3, mark == "~" || !info.contains("`") else { return nil }
    return Fence(mark: mark, length: length, info: String(info))
  }

  private mutating func readFence(_ fence: Fence) {
    let opening = line
    let word = String(fence.info.prefix { $0 != " " && $0 != "{" })
    line += 1
    let bodyStart = line <= lineCount ? source.lineStarts[line - 1] : source.bytes.count
    while line <= lineCount {
      let rest = text(line).drop { $0 == " " }
      if rest.prefix(while: { $0 == fence.mark }).count >= fence.length,
        rest.allSatisfy({ $0 == fence.mark || $0 == " " || $0 == "\t" })
      {
        break
      }
      line += 1
    }
    let isClosed = line <= lineCount
    let bodyEnd = isClosed ? source.lineStarts[line - 1] : source.bytes.count
    line += 1
    guard let kind = Self.kinds[word] else {
      if let hint = NearestName.of(word, among: Self.kinds.keys.sorted()) {
        warn(
          "this fence is called '\(word)', and is shown but not run", opening,
          hint: "did you mean '\(hint)'?")
      }
      return
    }
    if !isClosed {
      diagnostics.append(
        Diagnostic(
          "this fence is never closed", source: source, range: source.range(ofLine: opening)))
    }
    endProse(at: source.lineStarts[opening - 1])
    let attributes = attributes(fence.info)
    if let name = attributes.name, parts.contains(where: { $0.name == name }) {
      diagnostics.append(
        Diagnostic(
          "there is a cell '#\(name)' above already", source: source,
          range: source.range(ofLine: opening)))
    }
    if let subject = attributes.subject, !parts.contains(where: { $0.name == subject }) {
      diagnostics.append(
        Diagnostic(
          "there is no cell '#\(subject)' above", source: source,
          range: source.range(ofLine: opening),
          hint: NearestName.hint(subject, among: parts.compactMap(\.name))))
    }
    if kind == .answer || kind == .solution, attributes.subject == nil {
      diagnostics.append(
        Diagnostic(
          "this cell does not say what it answers", source: source,
          range: source.range(ofLine: opening), hint: "write ```\(word) {for=#name}"))
    }
    parts.append(
      Document.Part(
        kind: kind, range: SourceRange(bodyStart, bodyEnd), name: attributes.name,
        subject: attributes.subject))
    proseStart = line <= lineCount ? source.lineStarts[line - 1] : source.bytes.count
  }

  private mutating func warn(_ message: String, _ line: Int, hint: String) {
    diagnostics.append(
      Diagnostic(
        message, severity: .warning, source: source, range: source.range(ofLine: line), hint: hint))
  }

  /// `#name` and `for=#name` between the braces of an opening fence.
  private func attributes(_ info: String) -> (name: String?, subject: String?) {
    guard let open = info.firstIndex(of: "{"), let close = info.lastIndex(of: "}"), open < close
    else { return (nil, nil) }
    var (name, subject): (String?, String?) = (nil, nil)
    for word in info[info.index(after: open)..<close].split(separator: " ") {
      if word.hasPrefix("#") { name = String(word.dropFirst()) }
      if word.hasPrefix("for=") {
        subject = String(word.dropFirst(4).drop { $0 == "#" || $0 == "\"" }.prefix { $0 != "\"" })
      }
    }
    return (name, subject)
  }

  private mutating func endProse(at end: Int) {
    let range = SourceRange(proseStart, end)
    guard source.text(of: range).contains(where: { !$0.isWhitespace }) else { return }
    parts.append(Document.Part(kind: .prose, range: range, name: nil, subject: nil))
  }
}
