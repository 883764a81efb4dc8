internal import Characters

/// How far a long job is, on standard error: a bar that redraws itself at a terminal, a line for
/// every tenth elsewhere, after its first second.
public struct ProgressBar: Sendable {
  private let name: String
  private let total: Int
  private let unit: String
  private let isTerminal: Bool
  private let columns: Int
  private let write: @Sendable (String) -> Void
  /// Seconds before which nothing is shown: a job that is over at once needs no bar.
  private var patience = 0.3
  private let now: @Sendable () -> Double
  private let begun: Double
  private var lastDrawn = -Double.infinity
  private var lastTenth = 0
  private var isShown = false
  private var last: (done: Int, words: String) = (0, "")
  /// How many steps were done when it began; nil before its first state.
  private var doneBefore: Int?

  /// A bar that begins now.
  ///
  /// - Parameters:
  ///   - name: What is being done.
  ///   - total: How many steps there are; 0 where nobody knows.
  ///   - unit: What a step is, in the plural: `scenes`.
  ///   - isTerminal: Whether to redraw one line.
  ///   - columns: The terminal's width.
  ///   - now: Seconds of a clock that only goes forward.
  ///   - write: Where text goes.
  public init(
    _ name: String, total: Int, unit: String, isTerminal: Bool, columns: Int,
    now: @escaping @Sendable () -> Double, write: @escaping @Sendable (String) -> Void
  ) {
    (self.name, self.total, self.unit) = (name, max(0, total), unit)
    (self.isTerminal, self.columns) = (isTerminal, columns)
    (self.now, self.write, begun) = (now, write, now())
  }

  /// A bar on standard error.
  public init(_ name: String, total: Int, unit: String, environment: Environment = .process) {
    let stream = Output.standardError
    let clock = ContinuousClock()
    let start = clock.now
    self.init(
      name, total: total, unit: unit,
      isTerminal: stream.isTerminal && environment.hasEscapes,
      columns: stream.size(in: environment).columns,
      now: { (clock.now - start) / .seconds(1) },
      write: { text in try? stream.write(exactly: text) })
  }

  /// So many steps are done.
  ///
  /// Draws at most ten times a second.
  ///
  /// - Parameter words: what has come of it so far; a terminal shows its end in the bar's place.
  public mutating func update(done: Int, words: String = "") {
    let time = now()
    last = (done, words)
    // What is done as it begins says nothing of how fast it goes.
    if doneBefore == nil { doneBefore = time - begun < 0.01 ? done : 0 }
    if isTerminal {
      guard time - lastDrawn >= 0.1, time - begun >= patience else { return }
      lastDrawn = time
      isShown = true
      write("\r\u{1B}[K" + line(done: done, elapsed: time - begun, words: words))
    } else if total > 0, done * 10 / total > lastTenth, done < total, time - begun >= 1 {
      lastTenth = done * 10 / total
      write(line(done: done, elapsed: time - begun) + "\n")
    }
  }

  /// Shows itself from the first state on: it follows another bar, and so is part of a long job.
  public mutating func showAtOnce() { patience = 0 }

  /// Draws the last state again where a quarter of a second has passed, so that something moves while a long step
  /// runs; a terminal alone shows it.
  public mutating func tick() {
    guard isTerminal, now() - lastDrawn >= 0.25 else { return }
    update(done: last.done, words: last.words)
  }

  /// Steps a second so far.
  public func rate(done: Int) -> Double { rate(done: done, elapsed: now() - begun) }

  private func rate(done: Int, elapsed: Double) -> Double {
    elapsed > 0 ? Double(done - (doneBefore ?? 0)) / elapsed : 0
  }

  /// How long the rest takes at this rate, in words; nil where that cannot be told.
  public func left(done: Int) -> String? { left(done: done, elapsed: now() - begun) }

  private func left(done: Int, elapsed: Double) -> String? {
    let rate = rate(done: done, elapsed: elapsed)
    guard rate > 0, done < total else { return nil }
    return Self.duration(Double(total - done) / rate)
  }

  /// A sign of life that turns with the time.
  public static func spinner(at seconds: Double) -> Character {
    let frames: [Character] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
    return frames[Int(max(0, seconds) * 8) % frames.count]
  }

  /// The job is over; its last line stays, with the time it took.
  public mutating func finish(done: Int? = nil) {
    let done = done ?? total
    let time = Self.duration(now() - begun)
    write((isTerminal ? "\r\u{1B}[K" : "") + "\(name.visible): \(done) \(unit) in \(time)\n")
    isShown = false
  }

  /// Takes the bar off the screen, for an error or other text; the next update draws it again.
  public mutating func hide() {
    if isShown { write("\r\u{1B}[K") }
    (isShown, lastDrawn) = (false, -.infinity)
  }

  func line(done: Int, elapsed: Double, words: String = "") -> String {
    guard total > 0 else {
      return "\(Self.spinner(at: elapsed)) \(name.visible)  \(Self.duration(elapsed))"
        .truncated(toColumns: max(4, columns - 1))
    }
    let sign = isTerminal ? "\(Self.spinner(at: elapsed)) " : ""
    let share = total > 0 ? min(1, max(0, Double(done) / Double(total))) : 0
    let rate = rate(done: done, elapsed: elapsed)
    let counts = "\(done)/\(total) \(unit)"
    let speed = rate > 0 ? "  \(Self.short(rate))/s" : ""
    let rest = left(done: done, elapsed: elapsed).map { "  \($0) left" } ?? ""
    let facts = counts + speed + rest
    let room = columns - 3 - name.displayWidth - facts.displayWidth - 6
    guard isTerminal, room >= 10 else {
      return "\(sign)\(name.visible): \(facts)".truncated(toColumns: max(4, columns - 1))
    }
    if !words.isEmpty {
      // A line break would leave rows behind that nothing takes off the screen.
      return
        "\(sign)\(name.visible)  \(facts)  …\(Self.end(of: words.visibleOnOneLine, columns: room + 1))"
    }
    let cells = min(30, room)
    let filled = Int((share * Double(cells)).rounded(.down))
    let bar = String(repeating: "━", count: filled) + String(repeating: "╌", count: cells - filled)
    return "\(sign)\(name.visible)  \(bar)  \(facts)"
  }

  /// As much of the end of a text as has room.
  private static func end(of text: String, columns: Int) -> Substring {
    var rest = text.suffix(columns)
    while rest.displayWidth > columns { rest.removeFirst() }
    return rest
  }

  static func short(_ value: Double) -> String {
    guard value < 100 else { return value < 1e15 ? "\(Int(value))" : "many" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }

  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e9 else { return "?" }
    if seconds < 9.95 { return "\(short(seconds)) s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
