internal import Characters
internal import Generation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let run = Command(
    "run", group: "Stages", "Takes a picture, or a text alone, through all stages and answers.",
    Parameter.optional(
      .picture("image", "The picture, or its path; None for a model that reads text alone.")),
    Parameter.text("prompt", default: "", "The text to go on from; none asks for a caption."),
    Parameter.maxNewTokens,
    Parameter.keep,
    Parameter.changes,
    returns: "a Run: the answer and the trace of every stage",
    examples: [
      Example(
        "run(scene(7), \"Question: how many shapes are there? Answer:\")",
        "From picture to answer in one step."),
      Example("run(scene(7)).text", "A caption."),
    ], seeAlso: ["decode", "compare", "stages"]
  ) { session, picture, prompt, maxNewTokens, keep, changes in
    let model = try session.model()
    try model.checkPicture(picture != nil)
    if let picture { session.noteUnfit(picture, for: model) }
    try session.checkMemory(
      model: model, input: Input(image: picture?.image, prompt: prompt), keep: keep,
      newTokens: maxNewTokens ?? model.model.writing?.defaultOptions.maxNewTokens)
    let run = try Run.of(
      picture, prompt: prompt, maxNewTokens: maxNewTokens, model: model, keep: keep,
      changes: changes, in: session)
    session.note(run.trace, keptNothingOf: keep, by: model, on: run.input)
    try session.checkFinite(run)
    return .object(run)
  }
}

extension Session {
  /// Says where a run's numbers broke, if it ended in NaN or infinity.
  func checkFinite(_ run: Run) throws {
    let result = run.answer?.probabilities ?? run.last ?? Tensor([], shape: [0])
    let alterations = run.course.alterations
    try checkFinite(result, of: run.model) {
      [
        WayToResult(from: run.input) { trace in
          trace.alterations = alterations
          try run.model.model.pass(run.input, trace: &trace)
        }
      ]
    }
  }

  /// What some changes, and those that a model keeps, come to in a run.
  ///
  /// - Parameter names: the stages that are going to run; nil for all. What a model keeps may lie
  ///   elsewhere, what is given for this run may not.
  /// - Throws: `RuntimeFailure` for a change that fits no place, or not the place's shape.
  func alterations(
    _ changes: [Change], of model: LoadedModel, on input: Input, in names: [String]? = nil
  ) throws -> [Address: [Alteration]] {
    guard !model.changes.isEmpty || !changes.isEmpty else { return [:] }
    let places = try model.model.outline(input).places
    let steps = model.model.stages.filter { names?.contains($0.name) ?? true }.steps
    let passed = places.filter { place in steps.contains { $0.passes(place.address) } }
    return try alterations(changes, of: model, on: input, places: places, passed: passed)
  }
}

extension Session {
  /// What some changes, and those that a model keeps, come to among some places.
  ///
  /// - Parameter passed: the places of them that what is given may lie at.
  func alterations(
    _ changes: [Change], of model: LoadedModel, on input: Input, places: [Outline.Place],
    passed: [Outline.Place]
  ) throws -> [Address: [Alteration]] {
    let kept = try ResolvedChanges(
      model.changes, of: model, on: input, places: places, areKept: true)
    for line in kept.notes { note(line) }
    let given = try ResolvedChanges(changes, of: model, on: input, places: passed)
    return kept.alterations.merging(given.alterations) { $0 + $1 }
  }
}

extension Run {
  /// Answers a conversation that ends with a question.
  static func answering(
    _ conversation: Conversation, by model: LoadedModel, options: GenerationOptions, keep: String,
    changes: [Change] = [], in session: Session, tellsStop: Bool = true,
    onWords: (String) -> Void = { _ in }
  ) throws -> Run {
    let chat = try model.able(.chatting, for: "chat")
    let (input, cut) = try chat.reading(conversation.input)
    if cut > 0 {
      session.note(
        "\(cut.counted(as: "earlier question")) with the answers did not fit the window of "
          + "\(chat.settings.maxWindowSize.value) tokens and fell off")
    }
    try session.checkMemory(
      model: model, input: input, keep: keep, newTokens: options.maxNewTokens)
    var course = Course(keep: keep, options: options, changes: changes, last: Slots(input))
    course.isConversation = true
    let trace = try session.trace(keeping: keep, of: model, on: input, changes: changes)
    var run = try Run(
      from: 0, of: course, after: nil, input: input, picture: conversation.pictures.last,
      model: model, trace: trace, in: session, tellsStop: tellsStop, onWords: onWords)
    (run.history, run.cut) = (conversation.answered(by: run), cut)
    return run
  }

  /// Takes a picture, or a text alone, through all stages that the model has.
  static func of(
    _ picture: Picture?, prompt: String, maxNewTokens: Int?, model: LoadedModel, keep: String,
    changes: [Change], in session: Session
  ) throws -> Run {
    if model.model.writing == nil {
      guard picture != nil else { throw model.lacks(.writing, for: "a text alone") }
      guard prompt.isEmpty else {
        throw ModelError.missingPart(
          wanted: "go on from a prompt", has: "it is \(model.model.kind)")
      }
    }
    let input = Input(image: picture?.image, prompt: prompt)
    var options = model.model.writing?.defaultOptions
    if let maxNewTokens { options?.maxNewTokens = maxNewTokens }
    let course = Course(keep: keep, options: options, changes: changes, last: Slots(input))
    let trace = try session.trace(keeping: keep, of: model, on: input, changes: changes)
    return try Run(
      from: 0, of: course, after: nil, input: input, picture: picture, model: model, trace: trace,
      in: session)
  }

  /// The same run with more changes, from the first step that they reach.
  ///
  /// - Returns: the run, and the number of the step that it went on from.
  static func of(
    _ run: Run, changedBy changes: [Change], in session: Session
  ) throws -> (run: Run, first: Int) {
    let steps = run.model.model.stages.of(run.input).steps
    let new = try ResolvedChanges(
      changes, of: run.model, on: run.input,
      places: try run.model.model.outline(run.input).places)
    let reached =
      steps.firstIndex { step in new.alterations.keys.contains { step.passes($0) } } ?? 0
    let first = run.course.states.keys.filter { $0 <= reached }.max() ?? 0
    var course = run.course
    course.changes += changes
    course.last = run.course.states[first] ?? Slots(run.input)
    course.states = run.course.states.filter { $0.key < first }
    let trace = try session.trace(
      keeping: run.course.keep, of: run.model, on: run.input, changes: course.changes)
    var changed = try Run(
      from: first, of: course, after: run.trace, input: run.input, picture: run.picture,
      model: run.model, trace: trace, in: session)
    (changed.history, changed.cut) = (run.history?.answered(by: changed), run.cut)
    try session.checkFinite(changed)
    return (changed, first)
  }

  /// Runs the steps from one on, and writes the answer.
  ///
  /// - Parameters:
  ///   - course: its last state is the one before the first step.
  ///   - earlier: what was kept of the steps before.
  private init(
    from first: Int, of course: Course, after earlier: Trace?, input: Input, picture: Picture?,
    model: LoadedModel, trace: Trace, in session: Session, tellsStop: Bool = true,
    onWords: (String) -> Void = { _ in }
  ) throws {
    var (course, trace) = (course, trace)
    course.alterations = trace.alterations
    let stages = model.model.stages.of(input)
    var steps: [Step] = []
    var beginnings: Set<Int> = []
    for stage in stages {
      beginnings.insert(steps.count)
      steps += stage.steps
    }
    var slots = course.last
    try steps.walk(&slots, from: first, trace: &trace) { index, state in
      let output = index > 0 ? steps[index - 1].roots.first.map { $0 / "output" } : nil
      // Where the trace keeps what the state holds, keeping the state costs nothing.
      if beginnings.contains(index) || output?.matches(course.keep) == true {
        course.states[index] = state
      }
    }
    course.last = slots
    trace = earlier?.followed(by: trace) ?? trace
    (self.picture, self.model, self.input, self.course) = (picture, model, input, course)
    self.trace = trace
    guard let writer = model.model.writing else {
      answer = nil
      return
    }
    answer = try Answer.write(
      after: slots, of: input, writer: writer, model: model,
      options: course.options ?? writer.defaultOptions,
      reading: course.isConversation ? model.model.chatting?.replyReading : nil,
      trace: trace, in: session, tellsStop: tellsStop, onWords: onWords)
  }
}
