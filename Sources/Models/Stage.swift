public import Tensors
public import Tracing

/// One step of a run: it reads slots, writes others, and passes its numbers through the trace.
///
/// The smallest thing that a run does between two places where it can stop and go on.
public struct Step: Sendable {
  /// Every place that it passes lies at or below one of these.
  public let roots: [Address]
  let run: @Sendable (inout Slots, inout Trace) throws -> Void

  init(
    _ roots: String..., run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    (self.roots, self.run) = (roots.map { Address($0) }, run)
  }

  /// A step that every picture of the input goes through, one after the other; where the model splits
  /// pictures, every view of each.
  init(
    eachPicture roots: String..., viewCount: Int = 1,
    run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    self.init(eachPicture: roots.map { Address($0) }, viewCount: viewCount, run: run)
  }

  /// Whether it passes a place, of whichever picture.
  public func passes(_ address: Address) -> Bool {
    let place = address.picture.place
    return roots.contains { place.isInside($0) }
  }
}

/// A named range of steps on the way from a picture or a text to an answer.
///
/// The list of stages is the one description of what a model does: running, stopping and going on,
/// editing, comparing, measuring, graphs and lessons read it, and nothing else drives a model.
public struct Stage: Sendable {
  /// Whose way a stage lies on.
  public enum Branch: Sendable {
    /// From a picture on.
    case picture
    /// From a text alone on, where a model reads pictures and texts apart.
    case text
  }

  /// What to type.
  public let name: String
  /// What the stage does, in one sentence.
  public let summary: String
  /// What goes in, such as `[P, 768]`, with this model's numbers.
  public let input: String
  /// What comes out, with this model's numbers.
  public let output: String
  /// Whose way it lies on.
  public let branch: Branch
  /// What it reads of the stage before, and its shape, in which nil fits any length but 0; nil for a
  /// stage that begins with the input.
  public let takes: (slot: Slot, shape: [Int?])?
  /// What it writes.
  public let gives: Slot
  /// What it does.
  public let steps: [Step]
  /// Whether it is left out where the input holds no picture.
  public private(set) var isForPictures = false

  init(
    _ name: String, _ summary: String, from input: String, to output: String,
    branch: Branch = .picture, takes: (slot: Slot, shape: [Int?])? = nil, gives: Slot,
    steps: [Step]
  ) {
    (self.name, self.summary, self.input, self.output) = (name, summary, input, output)
    (self.branch, self.takes, self.gives, self.steps) = (branch, takes, gives, steps)
  }

  /// The same stage, which is left out where the input holds no picture.
  var forPictures: Stage {
    var copy = self
    copy.isForPictures = true
    return copy
  }

  /// A stage of one step, which every picture goes through; its places lie at or below `roots`.
  init(
    _ name: String, _ summary: String, from input: String, to output: String,
    branch: Branch = .picture, takes: (slot: Slot, shape: [Int?])? = nil, gives: Slot,
    eachPictureAt roots: String..., viewCount: Int = 1,
    run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    self.init(
      name, summary, from: input, to: output, branch: branch, takes: takes, gives: gives,
      steps: [Step(eachPicture: roots.map { Address($0) }, viewCount: viewCount, run: run)])
  }

  /// A stage of one step, whose places lie at or below `roots`.
  init(
    _ name: String, _ summary: String, from input: String, to output: String,
    branch: Branch = .picture, takes: (slot: Slot, shape: [Int?])? = nil, gives: Slot,
    at roots: String..., run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    self.init(
      name, summary, from: input, to: output, branch: branch, takes: takes, gives: gives,
      steps: [Step(roots: roots.map { Address($0) }, run: run)])
  }
}

extension Step {
  fileprivate init(
    roots: [Address], run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    (self.roots, self.run) = (roots, run)
  }

  fileprivate init(
    eachPicture roots: [Address], viewCount: Int,
    run: @escaping @Sendable (inout Slots, inout Trace) throws -> Void
  ) {
    self.init(roots: roots) { slots, trace in
      defer { (slots.picture, trace.picture) = (0, 0) }
      for picture in 0..<max(1, slots.input.viewCount(each: viewCount)) {
        if picture > 0 { try trace.checkCancellation() }
        (slots.picture, trace.picture) = (picture, picture)
        try run(&slots, &trace)
      }
    }
  }
}

extension Stage {
  /// The state before the stage, with numbers that somebody hands over.
  ///
  /// - Parameters:
  ///   - given: what the stage before gives; nil for a stage that begins with the input.
  ///   - input: what the run started from, as far as it is known.
  /// - Throws: `ModelError.wrongShape`.
  public func slots(_ given: Tensor?, of input: Input = Input()) throws(ModelError) -> Slots {
    var slots = Slots(input)
    guard let takes else { return slots }
    guard let given, given.rank == takes.shape.count,
      zip(given.shape, takes.shape).allSatisfy({ $0 == $1 ?? max($0, 1) })
    else {
      let expected = takes.shape.map { $0.map(String.init) ?? "*" }.joined(separator: ", ")
      throw .wrongShape(stage: name, found: given?.shape ?? [], expected: "[\(expected)]")
    }
    slots[takes.slot] = given
    return slots
  }

  /// Runs the stage alone, on numbers that somebody hands over.
  ///
  /// - Throws: `ModelError.wrongShape`; `Cancelled`; what the steps throw.
  public func run(
    _ given: Tensor?, of input: Input = Input(), trace: inout Trace
  ) throws -> Tensor {
    var slots = try slots(given, of: input)
    try steps.walk(&slots, trace: &trace)
    return slots.take(gives)
  }
}

extension [Stage] {
  /// Those that a run of `input` goes through: all of a picture's, and a text's where there are words.
  public func of(_ input: Input) -> [Stage] {
    let hasPicture = contains { $0.branch == .picture }
    let hasWords = input.words != nil
    return filter { $0.branch == .picture || hasWords || !hasPicture }.needed(by: input)
  }

  /// Those that are not left out for want of a picture.
  func needed(by input: Input) -> [Stage] {
    input.pictures.isEmpty ? filter { !$0.isForPictures } : self
  }

  /// All steps, in order.
  public var steps: [Step] { flatMap(\.steps) }

  /// The stage of a name, and those before it on the same branch.
  func upTo(_ name: String) -> [Stage] {
    guard let last = firstIndex(where: { $0.name == name }) else { return [] }
    return self[...last].filter { $0.branch == self[last].branch }
  }

  /// The stage that a place belongs to; nil where none passes it.
  public func stage(of address: Address) -> Stage? {
    first { $0.steps.contains { $0.passes(address) } }
  }
}

extension [Step] {
  /// Runs the steps, from one on, and asks before each whether to stop.
  ///
  /// - Parameter before: gets the number of each step and the state before it.
  public func walk(
    _ slots: inout Slots, from first: Int = 0, trace: inout Trace,
    before: (Int, Slots) throws -> Void = { _, _ in }
  ) throws {
    for index in first..<Swift.max(first, count) {
      try trace.checkCancellation()
      if trace.onStep != nil { tell(index, trace) }
      try before(index, slots)
      try self[index].run(&slots, &trace)
    }
  }

  /// Says which step comes next, and where it stands among those of its kind, such as a tower's blocks.
  private func tell(_ index: Int, _ trace: Trace) {
    func kind(_ step: Step) -> Address? {
      step.roots.first.map { root in
        let parts = root.parts.prefix { !$0.allSatisfy(\.isNumber) }
        return Address(parts.joined(separator: "."))
      }
    }
    guard let name = kind(self[index]) else { return }
    var (start, end) = (index, index + 1)
    while start > 0, kind(self[start - 1]) == name { start -= 1 }
    while end < count, kind(self[end]) == name { end += 1 }
    trace.onStep?(name.ofPicture(trace.picture), index - start, end - start)
  }
}
