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
    /// A question that is answered before the program answers it.
    case prediction
    /// Values that must come out.
    case expectation
    /// A question with answers to choose from.
    case quiz
  }

  /// The whole text.
  public let source: Source
  /// Its parts.
  public let parts: [Part]
  /// The values between `---` lines at the top, such as `title`.
  public let properties: [(name: String, value: String)]
  /// What is wrong with the fences.
  public let diagnostics: [Diagnostic]
  /// Whether it is Markdown.
  public let isLesson: Bool

  /// Takes a text apart; `isLesson` says whether it is Markdown.
  public init(_ source: Source, isLesson: Bool) {
    self.source = source
    self.isLesson = isLesson
    var reader = isLesson ? FenceReader(source) : FenceReader(script: source)
    reader.run()
    (parts, properties, diagnostics) = (reader.parts, reader.properties, reader.diagnostics)
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
