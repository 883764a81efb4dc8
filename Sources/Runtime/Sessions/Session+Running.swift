internal import Budget
public import Language
internal import Synchronization
internal import Tensors

extension Session {
  /// Runs a text, or the part of it in `range`, to its end or to the first error.
  ///
  /// Everything wrong with its form is reported before anything runs. Blocks until it is done;
  /// from any thread, one text at a time.
  public func run(_ source: Source, range: SourceRange? = nil) -> CellResult {
    let program = Program(parsing: source, range: range)
    let number = past.withLock { past in
      past.texts.append(source.text(of: range ?? source.range))
      return past.texts.count
    }
    if program.diagnostics.contains(where: { $0.severity == .error }) {
      return CellResult(diagnostics: program.diagnostics, duration: .zero)
    }
    // A command that runs a script is on the right thread already.
    if isOnOwnThread { return execute(program, as: number) }
    return alone {
      counters.withLock { $0 = Counters() }
      return withDeepStack(program.source) { [self] in execute(program, as: number) }
    }
  }

  /// Does something as if a text did it: alone, against the memory there is, until it is asked to stop.
  public func performing<R: Sendable>(_ body: () throws -> R) throws -> R {
    if isOnOwnThread { return try body() }
    return try alone { Result { try body() } }.get()
  }

  /// Does something while nothing else runs; what is asked to stop meanwhile is this.
  private func alone<R: Sendable>(_ body: () -> R) -> R {
    var outcome: R?
    turn.withLock { _ in
      stop.clear()
      defer { stop.clear() }
      outcome = Stop.$current.withValue(stop) {
        MemoryGate.$current.withValue(memory, operation: body)
      }
    }
    guard let outcome else { preconditionFailure("nothing was done") }
    return outcome
  }

  /// Calls a function or command as a script would; for commands that take a function.
  ///
  /// - Throws: `RuntimeFailure`, with the place in the function's own text.
  public func call(_ function: Value, _ arguments: [Argument]) throws -> Value {
    let nowhere = SourceRange(0, 0)
    let evaluator = Evaluator(session: self, source: Source(name: "fovea", text: ""))
    let plain = arguments.map { Argument($0.value, label: $0.label) }
    do {
      return try evaluator.call(function, plain, callRange: nowhere, calleeRange: nowhere)
    } catch var failure as RuntimeFailure {
      // The call has no text of its own: the chain begins in the function.
      failure.calls.removeAll { $0.source === evaluator.source }
      if failure.source === evaluator.source { (failure.source, failure.range) = (nil, nil) }
      throw failure
    }
  }

  private func execute(_ program: Program, as number: Int) -> CellResult {
    let clock = ContinuousClock()
    let start = clock.now
    var result = CellResult(diagnostics: program.diagnostics, duration: .zero)
    do {
      let evaluator = Evaluator(session: self, source: program.source)
      if let last = try evaluator.run(program.statements) {
        result.value = last.value
        if !last.isQuiet {
          var name: String?
          if case .name(let variable) = last.expression.kind, variable != "_" { name = variable }
          result.shown = shown(last.value, name: name)
          if case .none = last.value {} else { past.withLock { $0.keep(last.value, of: number) } }
        }
      }
      // What was asked to stop may have left its results unfinished.
      try checkCancellation()
    } catch {
      let failure = error as? RuntimeFailure ?? RuntimeFailure(.command, "\(error)")
      (result.value, result.shown) = (nil, nil)
      result.failure = failure
      result.diagnostics.append(failure.diagnostic(in: program.source))
    }
    result.duration = clock.now - start
    return result
  }

  // MARK: The thread

  private static var stackSize: Int { 512 << 20 }

  /// Whether the current thread is the one that runs this session's text.
  private var isOnOwnThread: Bool {
    guard let base = counters.withLock({ $0.stackBase }) else { return false }
    let here = Self.stackPlace()
    return here <= base && base - here < UInt(Self.stackSize)
  }

  /// Whether there is room for another call of a script's function.
  ///
  /// Expressions are nested only so deep that one call never takes more than what is kept free.
  var hasStackLeft: Bool {
    guard let base = counters.withLock({ $0.stackBase }) else { return true }
    let here = Self.stackPlace()
    return here > base || base - here < UInt(Self.stackSize - (96 << 20))
  }

  private static func stackPlace() -> UInt {
    var mark: UInt8 = 0
    return withUnsafePointer(to: &mark) { UInt(bitPattern: $0) }
  }

  /// Runs `body` on a thread with a deep stack and waits for it; where the system has no thread,
  /// that is what stopped the text.
  private func withDeepStack(
    _ source: Source, _ body: @escaping @Sendable () -> CellResult
  ) -> CellResult {
    let box = Mutex(CellResult(diagnostics: [], duration: .zero))
    let threads = Parallelism.threadCount
    do {
      try DeepThread.run(stackSize: Self.stackSize) { [self] in
        counters.withLock { $0.stackBase = Self.stackPlace() }
        // A new thread does not inherit the task's values.
        let result = Parallelism.$threadCount.withValue(threads) { body() }
        counters.withLock { $0.stackBase = nil }
        box.withLock { $0 = result }
      }
    } catch {
      var failure = RuntimeFailure(.limit, "\(error)")
      failure.underlying = error
      return CellResult(failure: failure, in: source)
    }
    return box.withLock { $0 }
  }
}
