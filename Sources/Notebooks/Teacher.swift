public import Language
public import Runtime
internal import Tensors

/// Knows the answers to a lesson's questions, and judges what somebody says to them.
public struct Teacher {
  let document: Document
  let session: Session
  let words: TutorWords

  /// A teacher of a lesson, whose answers come from what a session holds at that moment.
  public init(document: Document, session: Session, words: TutorWords = TutorWords()) {
    (self.document, self.session, self.words) = (document, session, words)
  }

  /// Why a lesson cannot go on.
  public struct Problem: Error {
    /// What is wrong, each with its place in the lesson.
    public let diagnostics: [Diagnostic]
    /// Whether somebody stopped it.
    public let wasInterrupted: Bool
  }

  /// What is to be said of an answer.
  public enum Verdict: Sendable, Equatable {
    /// It is right; what there is to say to that.
    case right(String)
    /// It is wrong: what of it, and the reason where the lesson knows one.
    case wrong(String, reason: String = "")
    /// It cannot be judged: why not.
    case unclear(String)
  }

  private var source: Source { document.source }

  /// The value of an expression of the lesson.
  func value(_ range: SourceRange) throws(Problem) -> Value {
    let result = session.unseen { session.run(source, range: range) }
    guard result.succeeded else {
      throw Problem(diagnostics: result.diagnostics, wasInterrupted: result.wasInterrupted)
    }
    return result.value ?? .none
  }

  /// What is right, in words.
  ///
  /// The code that does a task runs, and must do it.
  public func answer(to question: Question) -> Result<String, Problem> {
    Result { () throws(Problem) in try rightAnswer(to: question) }
  }

  private func rightAnswer(to question: Question) throws(Problem) -> String {
    switch question.kind {
    case .choice:
      return question.options.enumerated().filter(\.element.isRight)
        .map { "\(Self.letter($0.offset)) \($0.element.text)" }.joined(separator: "\n")
    case .prediction:
      guard let answer = question.answer else { return "" }
      return try value(answer).represented
    case .patch:
      guard let answer = question.answer else { return "" }
      let side = try side(of: question)
      return try patches(answer).map { Self.patchWords($0, side) }.joined(separator: " · ")
    case .task:
      guard let solution = question.solution else { return "" }
      let result = session.run(source, range: solution)
      guard result.succeeded else {
        throw Problem(diagnostics: result.diagnostics, wasInterrupted: result.wasInterrupted)
      }
      if let missing = try missing(of: question) {
        throw problem("the solution does not do what is asked: this is not true", missing)
      }
      var text = source.text(of: solution)[...]
      while text.last?.isWhitespace == true { text.removeLast() }
      return String(text)
    }
  }

  /// The first check of a task that does not hold; nil once it is done.
  func missing(of question: Question) throws(Problem) -> SourceRange? {
    for check in question.checks {
      guard case .bool(let holds) = try value(check) else {
        throw problem("a check is true or false", check)
      }
      if !holds { return check }
    }
    return nil
  }

  // MARK: Judging

  /// What is to be said of what somebody typed; code of a task has run already.
  public func judge(_ typed: String, to question: Question) throws(Problem) -> Verdict {
    let typed = typed.trimmingSpaces
    switch question.kind {
    case .choice: return choice(typed, question)
    case .prediction: return try prediction(typed, question)
    case .patch: return try patch(typed, question)
    case .task:
      // While a task is not done its checks may well fail to run: a name is not there yet.
      let missing: SourceRange?
      do { missing = try self.missing(of: question) } catch {
        if error.wasInterrupted { throw error }
        missing = question.checks.first
      }
      guard let missing else { return .right(question.why) }
      let plain = typed.filter { !$0.isWhitespace }
      let known = question.mistakes.first { $0.text.filter { !$0.isWhitespace } == plain }
      return .wrong(
        words("not yet: %1 is not true", source.text(of: missing)), reason: known?.reason ?? "")
    }
  }

  /// The letter of an answer to choose.
  public static func letter(_ index: Int) -> String {
    String(UnicodeScalar(UInt8(97 + min(25, index))))
  }

  private func choice(_ typed: String, _ question: Question) -> Verdict {
    let last = Self.letter(question.options.count - 1)
    let index = question.options.indices.first {
      let letter = Self.letter($0)
      return [letter, "\($0 + 1)", question.options[$0].text.lowercased()]
        .contains(typed.lowercased())
    }
    guard let index else { return .unclear(words("a letter from a to %1 is an answer", last)) }
    let option = question.options[index]
    guard option.isRight else {
      return .wrong(words("not %1", Self.letter(index)), reason: option.reason)
    }
    return .right([option.reason, question.why].filter { !$0.isEmpty }.joined(separator: "; "))
  }

  private func prediction(_ typed: String, _ question: Question) throws(Problem) -> Verdict {
    guard let answer = question.answer else { return .right("") }
    let wanted = try value(answer)
    guard let given = self.given(typed, like: wanted) else {
      return .unclear(words("that cannot be read as %1", words(Self.kind(of: wanted))))
    }
    let comparison = Comparison(tolerance: question.tolerance, words: words)
    guard let difference = comparison.difference(given, from: wanted) else {
      return .right(question.why)
    }
    for mistake in question.mistakes {
      guard let known = self.given(mistake.text, like: wanted) else { continue }
      if comparison.difference(given, from: known) == nil {
        return .wrong(difference, reason: mistake.reason)
      }
    }
    return .wrong(difference)
  }

  private func patch(_ typed: String, _ question: Question) throws(Problem) -> Verdict {
    guard let answer = question.answer else { return .right("") }
    let side = try side(of: question)
    let right = try patches(answer)
    guard let given = Self.patch(typed, side) else {
      return .unclear(
        words(
          side == nil
            ? "a patch is its number, counted from 0"
            : "a patch is its row and column, as 3, 4, counted from 0; or its number"))
    }
    if right.contains(given) { return .right(question.why) }
    let known = question.mistakes.first { Self.patch($0.text, side) == given }
    return .wrong(words("not %1", Self.patchWords(given, side)), reason: known?.reason ?? "")
  }

  /// The number of a patch that is said as row and column, or as a number.
  private static func patch(_ typed: String, _ side: Int?) -> Int? {
    let numbers = typed.split { !$0.isNumber }.compactMap { Int($0) }
    switch (numbers.count, side) {
    case (1, _): return numbers[0]
    case (2, let side?) where numbers[1] < side: return numbers[0] * side + numbers[1]
    default: return nil
    }
  }

  private static func patchWords(_ patch: Int, _ side: Int?) -> String {
    side.map { "\(patch / $0), \(patch % $0)" } ?? "\(patch)"
  }

  /// How many patches stand in a row of a question's picture: so many as the lesson says, else as the
  /// model at hand has.
  private func side(of question: Question) throws(Problem) -> Int? {
    if let range = question.side {
      guard let side = try value(range).integer, side > 0 else {
        throw problem("this is no number of patches", range)
      }
      return side
    }
    guard let picture = question.picture else { return nil }
    let name = source.text(of: picture).trimmingSpaces
    let result = session.unseen {
      session.run(Source(name: "grid", text: "grid(\(name)).columns"))
    }
    guard let side = result.value?.integer else {
      if result.wasInterrupted { throw Problem(diagnostics: [], wasInterrupted: true) }
      throw problem("the model at hand has no grid of patches on this", picture)
    }
    return side
  }

  /// The numbers of the patches that an expression gives.
  private func patches(_ range: SourceRange) throws(Problem) -> [Int] {
    guard let numbers = Comparison.numbers(try value(range)), !numbers.isEmpty else {
      throw problem("this gives no patches", range)
    }
    return numbers.map { Int($0) }
  }

  private func problem(_ message: String, _ range: SourceRange) -> Problem {
    Problem(
      diagnostics: [Diagnostic(message, source: source, range: range)], wasInterrupted: false)
  }

  /// What somebody typed as a value of the kind that is wanted: plain words and numbers first, else an
  /// expression.
  private func given(_ typed: String, like wanted: Value) -> Value? {
    switch wanted {
    case .text:
      let quotes: Set<Character> = ["\"", "'"]
      if let first = typed.first, quotes.contains(first), typed.count > 1, typed.last == first {
        return .text(String(typed.dropFirst().dropLast()))
      }
      if let value = evaluated(typed), case .text = value { return value }
      return .text(typed)
    case .bool:
      if ["yes", "y", "true", "是", "对"].contains(typed.lowercased()) { return .bool(true) }
      if ["no", "n", "false", "不", "不是", "否"].contains(typed.lowercased()) { return .bool(false) }
    default:
      // A shape may be typed as 3 x 160 x 160.
      let parts = typed.split { " ,x×[]()".contains($0) }
      let numbers = parts.compactMap { Int($0) }
      if parts.count > 1, numbers.count == parts.count {
        return .newList(numbers.map { .integer($0) })
      }
    }
    return evaluated(typed)
  }

  private func evaluated(_ typed: String) -> Value? {
    session.unseen { session.run(Source(name: "answer", text: typed)).value }
  }

  static func kind(of value: Value) -> String {
    switch value {
    case .text: "text"
    case .bool: "yes or no"
    case .list, .tuple: "a list of numbers"
    default: value.onlyNumber != nil ? "a number" : value.typeName
    }
  }
}

/// Whether two values are the same answer.
struct Comparison {
  let tolerance: Double?
  let words: TutorWords

  /// What differs, in words; nil where nothing does.
  func difference(_ given: Value, from wanted: Value) -> String? {
    switch (given, wanted) {
    case (.text(let one), .text(let other)):
      let (one, other) = (one.string.trimmingSpaces, other.string.trimmingSpaces)
      return one.lowercased() == other.lowercased()
        ? nil : words("not %1", Value.text(one).inMessage)
    case (.bool(let one), .bool(let other)):
      return one == other ? nil : words(one ? "no, it is not so" : "yes, it is so")
    default: break
    }
    guard let numbers = Self.numbers(given), let right = Self.numbers(wanted) else {
      return given.represented == wanted.represented
        ? nil : words("%1 is wanted, not %2", words(Teacher.kind(of: wanted)), given.inMessage)
    }
    let isSingle = wanted.onlyNumber != nil
    guard numbers.count == right.count else {
      return isSingle
        ? words("one number is wanted, not %1", "\(numbers.count)")
        : words("%1 numbers are wanted, not %2", "\(right.count)", "\(numbers.count)")
    }
    for (place, (one, other)) in zip(numbers, right).enumerated() where !agree(one, other) {
      return isSingle
        ? words(one < other ? "%1 is too small" : "%1 is too large", given.represented)
        : words("number %1 of %2 is not right", "\(place + 1)", "\(right.count)")
    }
    return nil
  }

  private func agree(_ one: Double, _ other: Double) -> Bool {
    if let tolerance { return abs(one - other) <= tolerance }
    return other == other.rounded() ? one == other : abs(one - other) <= 1e-3 * abs(other)
  }

  /// All numbers in a value, in order; nil where there is something else in it.
  static func numbers(_ value: Value) -> [Double]? {
    if let tensor = value.tensor { return tensor.elements.map { Double($0) } }
    switch value {
    case .list, .tuple:
      var all: [Double] = []
      for element in elements(value) {
        guard let some = numbers(element) else { return nil }
        all += some
      }
      return all
    default: return value.onlyNumber.map { [$0] }
    }
  }

  /// The elements of a list or a tuple; else the value itself.
  static func elements(_ value: Value) -> [Value] {
    switch value {
    case .list(let list): list.values
    case .tuple(let values): values
    default: [value]
    }
  }
}
