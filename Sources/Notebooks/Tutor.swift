public import Language
public import Runtime

/// A lesson on its way, a step at a time.
///
/// A step is a cell that runs or a question, with the text before it. Any can be begun with: what the
/// steps before it make is made again, unseen.
public final class Tutor {
  /// A step.
  public struct Step: Sendable {
    /// What there is to do.
    public enum Deed: Sendable {
      /// Code runs.
      case code(SourceRange)
      /// Something is asked.
      case question(Question)
      /// Nothing: the lesson ends with words.
      case end
    }

    /// The same for the same cell, whatever stands around it.
    public let key: String
    /// What is read first, as Markdown.
    public let prose: String
    /// What there is to do.
    public let deed: Deed
  }

  /// How a step was left.
  public enum Mark: String, Sendable {
    /// It ran, or was answered.
    case done
    /// Its answer was shown.
    case shown
    /// It was passed by.
    case skipped
  }

  /// What is taught.
  public let document: Document
  /// Its steps, in order.
  public let steps: [Step]
  /// Where it stands: the number of a step; as many as there are at the end.
  public private(set) var place = 0
  /// How steps were left, by their keys.
  public private(set) var marks: [String: Mark]
  private let session: Session
  private let teacher: Teacher
  private var hintCount = 0

  /// A lesson that goes on at the first step without a mark.
  public init(
    _ document: Document, in session: Session, marks: [String: Mark] = [:],
    words: TutorWords = TutorWords()
  ) {
    teacher = Teacher(document: document, session: session, words: words)
    (self.document, self.session, self.marks) = (document, session, marks)
    steps = Self.steps(of: document)
    place = steps.firstIndex { marks[$0.key] == nil } ?? steps.count
  }

  /// How many steps before one that was left have changed since they were: they have no mark, and marks
  /// have no step.
  public var changedCount: Int {
    let keys = Set(steps.map(\.key))
    guard marks.keys.contains(where: { !keys.contains($0) }),
      let last = steps.lastIndex(where: { marks[$0.key] != nil })
    else { return 0 }
    return steps[..<last].count { marks[$0.key] == nil }
  }

  /// The step that it stands at; nil at the end.
  public var step: Step? { steps.indices.contains(place) ? steps[place] : nil }

  private static func steps(of document: Document) -> [Step] {
    var steps: [Step] = []
    var prose: [String] = []
    var seen: [String: Int] = [:]
    func add(_ deed: Step.Deed, _ text: String) {
      let hash = fingerprint(text)
      let number = seen[hash, default: 0]
      seen[hash] = number + 1
      steps.append(
        Step(
          key: number == 0 ? hash : "\(hash)-\(number)",
          prose: prose.joined(separator: "\n\n"), deed: deed))
      prose = []
    }
    for part in document.parts {
      let text = document.source.text(of: part.range)
      switch part.kind {
      case .prose:
        let words = document.prose(of: part)
        if !words.isEmpty { prose.append(words) }
      case .code: add(.code(part.range), text)
      case .question:
        guard let question = document.question(of: part) else { continue }
        let answers = document.parts.filter { $0.subject == part.name && part.name != nil }
        add(
          .question(question),
          ([text] + answers.map { document.source.text(of: $0.range) }).joined(separator: "\n"))
      case .answer, .solution, .expectation: break
      }
    }
    if !prose.isEmpty { add(.end, "") }
    return steps
  }

  /// FNV-1a in 64 bits: tells texts apart, no more.
  private static func fingerprint(_ text: String) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return String(hash, radix: 16)
  }

  // MARK: Going about

  /// Makes again what the steps before the present one make; nothing of it is to be seen.
  ///
  /// - Throws: `Teacher.Problem` where the lesson itself is wrong, or somebody stopped it.
  public func prepare() throws(Teacher.Problem) {
    session.reset()
    hintCount = 0
    for step in steps.prefix(place) {
      switch step.deed {
      case .code(let range):
        let result = session.run(document.source, range: range)
        if !result.succeeded {
          throw Teacher.Problem(
            diagnostics: result.diagnostics, wasInterrupted: result.wasInterrupted)
        }
      case .question(let question) where question.kind == .task:
        _ = try teacher.answer(to: question).get()
      case .question, .end: break
      }
    }
  }

  /// Leaves the present step and goes to the next.
  public func leave(_ mark: Mark) {
    guard let step else { return }
    marks[step.key] = mark
    (place, hintCount) = (place + 1, 0)
  }

  /// Goes back a step; false at the first.
  public func back() -> Bool {
    guard place > 0 else { return false }
    place -= 1
    hintCount = 0
    return true
  }

  // MARK: The present step

  /// What the present step asks, with its numbers as they are; nil where it asks nothing.
  public var question: Question? {
    guard case .question(let question)? = step?.deed else { return nil }
    return question.told(in: session)
  }

  /// What is read before the present step, as Markdown, with its numbers as they are.
  public var prose: String { MadeNumber.told(step?.prose ?? "", in: session) }

  /// Runs the present step's code.
  public func run() -> CellResult? {
    guard case .code(let range)? = step?.deed else { return nil }
    return session.run(document.source, range: range)
  }

  /// The text of the present step's code.
  public var code: String? {
    guard case .code(let range)? = step?.deed else { return nil }
    return document.source.text(of: range).trimmingSpaces
  }

  /// What is to be said of an answer to the present question.
  public func judge(_ typed: String) throws(Teacher.Problem) -> Teacher.Verdict {
    guard let question else { return .unclear("nothing is asked") }
    return try teacher.judge(typed, to: question)
  }

  /// The next hint to the present question; nil when there is none left.
  public func hint() -> String? {
    guard let question, hintCount < question.hints.count else {
      return nil
    }
    hintCount += 1
    return question.hints[hintCount - 1]
  }

  /// The answer to the present question, and what there is to say to it.
  ///
  /// A task's solution has run then.
  public func show() throws(Teacher.Problem) -> (answer: String, why: String)? {
    guard let asked = question else { return nil }
    let answer = try teacher.answer(to: asked).get()
    // What is said then may be of what a task has made.
    let question = question ?? asked
    let reasons = question.options.filter(\.isRight).map(\.reason) + [question.why]
    return (answer, reasons.filter { !$0.isEmpty }.joined(separator: "; "))
  }

  /// The line that shows the picture that the present question points at, with its rows and columns
  /// numbered, so that "row 3, column 5" can be read off.
  public var pictureLine: String? {
    guard let question, let picture = question.picture else { return nil }
    let name = document.source.text(of: picture).trimmingSpaces
    let side = question.side.map { ", side=\(document.source.text(of: $0).trimmingSpaces)" } ?? ""
    // Quiet: the picture is drawn, what a figure says of itself is not printed.
    return "grid(\(name)\(side));"
  }
}
