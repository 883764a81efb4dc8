internal import Files
public import Foundation
public import Language

/// A lesson or a script, taken apart into what is read and what is run.
///
/// A lesson is Markdown with fenced cells; a script is all code, in cells where lines of `# %%`
/// divide it.
public struct Document: Sendable {
  /// One part, in the order of the text.
  public struct Part: Sendable {
    /// What it is.
    public let kind: Kind
    /// Its body in the text, fences not included.
    public let range: SourceRange
    /// The name given by `{#name}`, without the `#`.
    public let name: String?
    /// The name of the cell it is about, given by `{for=#name}`.
    public let subject: String?
  }

  /// The kinds of parts.
  public enum Kind: Sendable, Equatable {
    /// Text to read.
    case prose
    /// Code to run.
    case code
    /// Something that is asked.
    case question(Question.Kind)
    /// What answers a question, with hints and reasons.
    case answer
    /// Code that does what a task asks for.
    case solution
    /// Values that must come out.
    case expectation
  }

  /// The whole text.
  public let source: Source
  /// Its parts.
  public let parts: [Part]
  /// The values between `---` lines at the top, such as `title`.
  public let properties: [(name: String, value: String)]
  /// What it asks, in order.
  public private(set) var questions: [Question] = []
  /// What is wrong with the fences and with what they ask.
  public private(set) var diagnostics: [Diagnostic]
  /// Whether it is Markdown.
  public let isLesson: Bool

  /// Takes a text apart; `isLesson` says whether it is Markdown.
  public init(_ source: Source, isLesson: Bool) {
    self.source = source
    self.isLesson = isLesson
    var reader = isLesson ? FenceReader(source) : FenceReader(script: source)
    reader.run()
    (parts, properties, diagnostics) = (reader.parts, reader.properties, reader.diagnostics)
    var questions = QuestionReader(self)
    self.questions = parts.compactMap { questions.read($0) }
    diagnostics += questions.diagnostics
  }

  /// A value between the `---` lines at the top.
  public func property(_ name: String) -> String? { properties.first { $0.name == name }?.value }

  /// The question that a part asks.
  func question(of part: Part) -> Question? { questions.first { $0.name == part.name } }

  /// What is wrong with its form, code and answers included; nothing of it has to run for that.
  public var complaints: [Diagnostic] {
    let code = parts.filter { $0.kind == .code || $0.kind == .solution }.map(\.range)
    let expressions = questions.flatMap { question in
      [question.answer, question.picture, question.side].compactMap { $0 } + question.checks
    }
    return diagnostics
      + (code + expressions).flatMap { Program(parsing: source, range: $0).diagnostics }
  }

  /// Reads a file: Markdown where its name ends in `.md`, else a script.
  ///
  /// - Throws: `FileFailure` for a file that is missing, no text, or larger than 16 MB.
  public init(file: URL) throws {
    let text = try WholeFile.readText(file, limit: 16 << 20)
    let kind = file.pathExtension.lowercased()
    self.init(
      Source(name: file.relativePath, text: text), isLesson: kind == "md" || kind == "markdown")
  }
}
