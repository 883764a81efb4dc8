public import Budget
internal import Synchronization

/// How much a script may use before it is stopped with an error.
public struct Limits: Sendable {
  /// Calls of script functions inside each other.
  public var recursion = 200
  /// Steps of loops in one cell.
  public var loopSteps = 10_000_000
  /// Elements of one list, text, range or tensor that a script makes.
  public var elements = 10_000_000

  /// The documented limits.
  public init() {}
}

/// How far a long command has come.
public struct Progress: Sendable {
  /// What is being done.
  public let label: String
  /// How much of it is done.
  public let completed: Int
  /// How much there is to do; nil where that is not known.
  public let total: Int?
  /// What has come of it so far, such as the words of an answer.
  public let detail: String

  /// A state of a long command.
  public init(_ label: String, completed: Int, total: Int?, detail: String = "") {
    (self.label, self.completed, self.total) = (label, completed, total)
    self.detail = detail
  }
}

/// A kind of state that commands keep in a session.
public protocol SessionKey {
  /// What is kept.
  associatedtype State: Sendable
  /// What it is before anything is kept.
  static var initial: State { get }
}

/// One conversation: variables, commands, and what the commands keep.
///
/// Everything here may be called from any thread. One text runs at a time.
public final class Session: Sendable {
  /// Every command, in the order of the reference.
  public let commands: [Command]
  /// What a script may use.
  public let limits: Limits
  /// Where a script may read and write.
  public let folders: Folders
  /// What is asked before anything large is made; holds the limit that a person set.
  public let memory = MemoryGate()
  let commandsByName: [String: Command]
  let globals = Scope()
  private let output: @Sendable (String) -> Void
  private let noteSink: @Sendable (String) -> Void
  private let exactOutput: @Sendable (String) -> Void
  private let progressSink: @Sendable (Progress) -> Void
  let stop = Stop()
  private let kept = Mutex<[ObjectIdentifier: any Sendable]>([:])
  let past = Mutex(Past())
  /// Held while a text runs.
  let turn = Mutex<Void>(())
  /// Of the text that runs now.
  let counters = Mutex(Counters())

  /// The names that a variable hides something by: commands, name spaces and functions.
  private let reserved: Set<String>

  struct Counters: Sendable {
    var loopSteps = 0
    /// Calls of script functions that are open.
    var calls = 0
    /// Where the evaluator's stack begins, while it runs.
    var stackBase: UInt?
  }

  /// A session that knows `commands`.
  ///
  /// - Parameters:
  ///   - output: gets what `print` and commands write, line ends included.
  ///   - exactOutput: gets what is meant to steer a terminal: Fovea's own drawings, and
  ///     `print(…, raw=True)`; by default the same as `output`.
  ///   - notes: gets what a command says beside its result, line ends included; nil for `output`.
  ///   - progress: gets the state of long commands, many times a second perhaps.
  public init(
    commands: [Command] = [], limits: Limits = Limits(), folders: Folders = Folders(),
    output: @escaping @Sendable (String) -> Void = { _ in },
    exactOutput: (@Sendable (String) -> Void)? = nil,
    notes: (@Sendable (String) -> Void)? = nil,
    progress: @escaping @Sendable (Progress) -> Void = { _ in }
  ) {
    (self.commands, self.limits, self.folders) = (commands, limits, folders)
    (self.output, self.exactOutput) = (output, exactOutput ?? output)
    (noteSink, progressSink) = (notes ?? output, progress)
    commandsByName = Dictionary(commands.map { ($0.name, $0) }) { first, _ in first }
    reserved = Set(commands.map { String($0.name.prefix { $0 != "." }) } + BuiltIns.names)
  }

  /// The command of that name.
  public func command(_ name: String) -> Command? { commandsByName[name] }

  /// Writes `text` where the session's output goes; a line end is not added.
  ///
  /// A long text is handed over in pieces, and what is left of it dropped once the session is asked
  /// to stop.
  public func print(_ text: String) {
    guard text.utf8.count > Self.printedPiece else { return output(text) }
    var rest = text[...]
    while !rest.isEmpty, !isCancelled {
      let end =
        rest.unicodeScalars.index(
          rest.startIndex, offsetBy: Self.printedPiece, limitedBy: rest.endIndex) ?? rest.endIndex
      output(String(rest[..<end]))
      rest = rest[end...]
    }
  }

  private static let printedPiece = 1 << 16

  /// Says something beside a command's result, such as what a model's files lack; a line.
  public func note(_ text: String) { noteSink("note: \(text)\n") }

  /// Writes text whose escape sequences a terminal is meant to obey.
  public func print(exactly text: String) { exactOutput(text) }

  /// Reports the state of a long command.
  public func report(_ progress: Progress) { progressSink(progress) }

  /// What commands keep under a key.
  ///
  /// What was asked to stop keeps nothing: it may be unfinished.
  public subscript<K: SessionKey>(_ key: K.Type) -> K.State {
    get { kept.withLock { $0[ObjectIdentifier(key)] as? K.State } ?? K.initial }
    set {
      guard !isCancelled else { return }
      kept.withLock { $0[ObjectIdentifier(key)] = newValue }
    }
  }

  // MARK: Variables

  /// The session's variables, in the order of their first assignment.
  public var variables: [(name: String, value: Value)] {
    globals.names.compactMap { name in globals[name].map { (name: name, value: $0) } }
  }

  /// A variable; nil where there is none.
  public subscript(_ name: String) -> Value? {
    get { globals[name] }
    set {
      if let newValue { globals.set(name, to: newValue) } else { globals.remove(name) }
    }
  }

  /// The names of the variables whose value fits.
  public func names(where fits: (Value) -> Bool) -> [String] {
    variables.filter { fits($0.value) }.map(\.name)
  }

  /// The last shown result, which scripts call `_`.
  public var lastResult: Value? { past.withLock { $0.results.last?.value } }

  /// The number of the next text that runs; the first is 1.
  public var nextEntryNumber: Int { past.withLock { $0.texts.count + 1 } }

  /// What has run, in order; what could not be read is among it.
  public var history: [String] { past.withLock { $0.texts } }

  /// Forgets every variable and result; commands and what they keep stay.
  public func reset() {
    globals.removeAll()
    past.withLock { past in
      (past.results, past.hiding) = ([], [])
    }
  }

  // MARK: Hidden names

  /// Says that a variable hides a command or a function of its name, the first time that it does.
  func noteHiding(by name: String) {
    guard reserved.contains(name), let thing = thing(hiddenBy: name),
      past.withLock({ $0.hiding.insert(name).inserted })
    else { return }
    note("\(name) is a variable of yours now, and hides \(thing); del \(name) brings that back")
  }

  /// What a variable of that name hides, such as "the command query"; nil for nothing.
  func thing(hiddenBy name: String) -> String? {
    guard reserved.contains(name) else { return nil }
    if commandsByName[name] != nil { return "the command \(name)" }
    return BuiltIns.functions[name] != nil
      ? "the function \(name)" : "the commands that begin with \(name)."
  }

  /// How to reach again what a variable of that name hides; nil where it hides nothing.
  func wayBack(from name: String) -> String? {
    guard globals[name] != nil, let thing = thing(hiddenBy: name) else { return nil }
    return "\(name) is a variable here, and hides \(thing); del \(name) brings that back"
  }

  // MARK: Stopping

  /// Asks what runs now to stop; does nothing where nothing runs.
  public func cancel() { stop.request() }

  /// Whether what runs now was asked to stop; long commands poll this every few milliseconds.
  public var isCancelled: Bool { stop.isRequested }

  /// - Throws: `RuntimeFailure` of kind `.interrupted` where what runs now was asked to stop.
  public func checkCancellation() throws {
    if isCancelled { throw RuntimeFailure(.interrupted, "interrupted") }
  }
}
