internal import Language

/// Something that a lesson asks.
///
/// What is asked stands where the reader meets it; the answer, with hints and reasons, in cells of its
/// own, which a page can fold away.
public struct Question: Sendable {
  /// How it is answered.
  public enum Kind: String, Sendable {
    /// With a value, said before it is seen.
    case prediction = "predict"
    /// With one of several answers.
    case choice = "quiz"
    /// With a patch of a picture.
    case patch = "point"
    /// With code.
    case task
  }

  /// An answer to choose.
  public struct Option: Sendable, Equatable {
    /// The answer.
    public let text: String
    /// Whether it is right.
    public let isRight: Bool
    /// Why it is or is not.
    public let reason: String
  }

  /// An answer that is known to be wrong: a value, or code.
  struct Mistake: Sendable {
    let text: String
    let range: SourceRange
    let reason: String
  }

  /// What the cell is called.
  public let name: String
  /// How it is answered.
  public let kind: Kind
  /// What is asked.
  public let ask: String
  /// The answers to choose from.
  public let options: [Option]
  /// What helps, the weakest first.
  public let hints: [String]
  /// What there is to say once it is answered.
  public let why: String
  /// The expression whose value is right; of a patch, all patches that are.
  let answer: SourceRange?
  /// How far a number may be from the right one; nil where whole numbers are exact and others within a
  /// thousandth.
  let tolerance: Double?
  /// The expression of the picture that is pointed at.
  let picture: SourceRange?
  /// The expression of how many patches a side it has, where a patch may be said as row and column.
  let side: SourceRange?
  /// The expressions that are true once a task is done.
  let checks: [SourceRange]
  /// Code that does it.
  let solution: SourceRange?
  let mistakes: [Mistake]
}

/// Puts a question together from its cell and those that answer it.
struct QuestionReader {
  let document: Document
  private(set) var diagnostics: [Diagnostic] = []

  init(_ document: Document) { self.document = document }

  private var source: Source { document.source }

  private mutating func complain(_ message: String, _ range: SourceRange, hint: String? = nil) {
    diagnostics.append(Diagnostic(message, source: source, range: range, hint: hint))
  }

  /// The question that a part asks; nil where something is wrong with it, which is among the
  /// diagnostics then.
  mutating func read(_ part: Document.Part) -> Question? {
    guard case .question(let kind) = part.kind else { return nil }
    let before = diagnostics.count
    let opening = document.opening(of: part)
    guard let name = part.name else {
      complain(
        "this question has no name", opening,
        hint: "write ```\(kind.rawValue) {#name}, and its answer below in ```answer {for=#name}")
      return nil
    }
    // Whose an answer is would not be known; that was said where the cells were read.
    guard document.parts.count(where: { $0.name == name }) == 1 else { return nil }
    let lines = document.lines(of: part, ["ask", "on", "side"])
    let answers = document.parts.filter { $0.kind == .answer && $0.subject == name }
      .flatMap { document.lines(of: $0, Self.keys) }
    func all(_ key: String) -> [CellLine] { answers.filter { $0.key == key } }
    if answers.isEmpty {
      complain(
        "nothing answers '#\(name)'", opening, hint: "write ```answer {for=#\(name)} below it")
    }
    for line in answers where line.key.isEmpty {
      complain(
        "a line of an answer begins with \(Self.keys.joined(separator: ", ")) and a colon",
        line.range)
    }
    let asks = lines.filter { $0.key == "ask" }
    if asks.isEmpty { complain("a question needs a line 'ask: …'", opening) }
    var texts: [CellLine] = []
    for line in lines where line.key.isEmpty {
      if kind == .choice, line.text.hasPrefix("- ") {
        texts.append(line)
      } else {
        complain(
          kind == .choice
            ? "an answer to choose begins with '- '" : "a line of a question begins with 'ask:'",
          line.range)
      }
    }
    var tolerance: Double?
    if let near = all("near").first {
      tolerance = Double(near.text)
      if tolerance == nil { complain("after near: comes a number", near.range) }
    }
    let solutions = document.parts.filter { $0.kind == .solution && $0.subject == name }
    switch kind {
    case .prediction, .patch:
      if all("answer").count != 1, !answers.isEmpty {
        complain("'#\(name)' needs one line 'answer: …'", opening)
      }
      if kind == .patch, !lines.contains(where: { $0.key == "on" }) {
        complain("a question about a patch needs a line 'on: picture'", opening)
      }
    case .choice: break
    case .task:
      if all("check").isEmpty, !answers.isEmpty {
        complain("a task needs a line 'check: …' that is true once it is done", opening)
      }
      if solutions.count != 1 {
        complain("a task needs one cell ```solution {for=#\(name)}", opening)
      }
    }
    let options = kind == .choice ? options(texts, all("right"), all("wrong"), opening) : []
    guard diagnostics.count == before else { return nil }
    return Question(
      name: name, kind: kind, ask: asks.map(\.text).joined(separator: " "), options: options,
      hints: all("hint").map(\.text), why: all("why").map(\.text).joined(separator: " "),
      answer: all("answer").first?.range, tolerance: tolerance,
      picture: lines.first { $0.key == "on" }?.range,
      side: lines.first { $0.key == "side" }?.range, checks: all("check").map(\.range),
      solution: solutions.first?.range,
      mistakes: kind == .choice
        ? []
        : all("wrong").map { line in
          let parts = line.text.splitOnce("::")
          let text = parts.0.trimmingSpaces
          return Question.Mistake(
            text: text,
            range: SourceRange(line.range.start, line.range.start + text.utf8.count),
            reason: parts.1.trimmingSpaces)
        })
  }

  private static let keys = ["answer", "near", "right", "wrong", "check", "hint", "why"]

  /// Options with what the answer says of each: `right: 2 :: why`.
  private mutating func options(
    _ texts: [CellLine], _ right: [CellLine], _ wrong: [CellLine], _ opening: SourceRange
  ) -> [Question.Option] {
    var said: [Int: (isRight: Bool, reason: String)] = [:]
    for (line, isRight) in right.map({ ($0, true) }) + wrong.map({ ($0, false) }) {
      let parts = line.text.splitOnce("::")
      guard let number = Int(parts.0.trimmingSpaces), texts.indices.contains(number - 1) else {
        complain("a number from 1 to \(texts.count) says which answer is meant", line.range)
        continue
      }
      if said[number] != nil { complain("answer \(number) is judged twice", line.range) }
      let reason = parts.1.trimmingSpaces
      if reason.isEmpty { complain("a reason is missing: '\(number) :: why'", line.range) }
      said[number] = (isRight, reason)
    }
    for number in texts.indices where said[number + 1] == nil {
      complain("nothing says whether this is right", texts[number].range)
    }
    if texts.count < 2 || !said.values.contains(where: \.isRight) {
      complain("a quiz needs two answers or more, one of them right", opening)
    }
    return texts.enumerated().map { number, line in
      let judged = said[number + 1]
      return Question.Option(
        text: String(line.text.dropFirst(2)).trimmingSpaces, isRight: judged?.isRight ?? false,
        reason: judged?.reason ?? "")
    }
  }
}
