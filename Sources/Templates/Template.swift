internal import Budget
public import Files
internal import Synchronization

/// A template in Jinja's language, as models bring theirs to lay out a conversation.
public struct Template: Sendable {
  /// What it is called, such as its file.
  public let name: String
  /// Its text as it was given.
  public let text: String
  private let source: Text
  private let statements: [Statement]

  /// Reads a template.
  ///
  /// - Parameter name: what errors call it.
  /// - Throws: `TemplateError` where it is none, or has what is not built.
  public init(_ text: String, name: String = "template") throws {
    (self.name, self.text) = (name, text)
    let source = Lexer.normalized(Text(text))
    self.source = source
    guard source.count <= Self.longest else {
      throw TemplateError(
        name: name, line: 1, column: 1, kind: .limit,
        message: "the template has \(source.count) characters, at most \(Self.longest) are read")
    }
    do throws(Fault) {
      statements = try Parser.statements(of: try Lexer.tokens(of: source))
    } catch {
      throw Self.error(error, name, source)
    }
  }

  /// The most characters of a template.
  public static let longest = 1 << 21

  /// What a template wrote.
  public struct Rendering: Sendable, Equatable {
    /// The text.
    public let text: String
    /// Where the answers of the model stand that the template marks with `generation`, counted in Unicode's
    /// scalars.
    public let generated: [Range<Int>]

    /// What a template wrote.
    public init(text: String, generated: [Range<Int>]) {
      (self.text, self.generated) = (text, generated)
    }
  }

  /// Renders the template.
  ///
  /// - Parameters:
  ///   - variables: what it can name.
  ///   - limits: what it may take.
  ///   - now: the moment that `strftime_now` tells.
  /// - Throws: `TemplateError` where it refuses or fails, `CancellationError` where the work was stopped.
  public func render(
    _ variables: JSON.Object, limits: TemplateLimits = TemplateLimits(), now: TemplateDate? = nil
  ) throws -> Rendering {
    let outcome = Mutex<Result<Rendering, Fault>?>(nil)
    // A template from a stranger may call itself deeply: on a stack that has room for what the limits allow.
    let statements = statements
    try DeepThread.run(stackSize: 256 << 20) {
      let result: Result<Rendering, Fault>
      do throws(Fault) {
        result = .success(try Self.render(statements, variables, limits, now))
      } catch {
        result = .failure(error)
      }
      outcome.withLock { $0 = result }
    }
    switch outcome.withLock({ $0 }) {
    case .success(let rendering)?: return rendering
    case .failure(let fault)?:
      if fault.wasStopped { throw CancellationError() }
      throw Self.error(fault, name, source)
    case nil: throw CancellationError()
    }
  }

  private static func render(
    _ statements: [Statement], _ variables: JSON.Object, _ limits: TemplateLimits,
    _ now: TemplateDate?
  ) throws(Fault) -> Rendering {
    var items: [String: Item] = [:]
    for (name, value) in variables.members { items[name] = try Item(value) }
    let renderer = Renderer(items, limits: limits) { now ?? .now }
    try renderer.render(statements)
    return Rendering(text: renderer.output.string, generated: renderer.generated)
  }

  private static func error(_ fault: Fault, _ name: String, _ source: Text) -> TemplateError {
    let before = source[..<min(fault.place ?? 0, source.count)]
    let line = before.count { $0 == "\n" } + 1
    let column = before.count - (before.lastIndex(of: "\n").map { $0 + 1 } ?? 0) + 1
    return TemplateError(
      name: name, line: line, column: column, kind: fault.kind, message: fault.message)
  }
}

extension Item {
  init(_ json: JSON) throws(Fault) {
    switch json {
    case .null: self = .none
    case .bool(let truth): self = .bool(truth)
    case .integer(let number): self = .integer(number)
    case .number(let number): self = .float(number)
    case .string(let text): self = .text(text)
    case .array(let entries):
      var items: [Item] = []
      for entry in entries { items.append(try Item(entry)) }
      self = try .list(items)
    case .object(let object):
      var pairs: [(key: Item, value: Item)] = []
      for (name, value) in object.members { pairs.append((.text(name), try Item(value))) }
      self = .dictionary(try Dictionary(pairs))
    }
  }
}
