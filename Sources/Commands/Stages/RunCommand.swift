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
    returns: "a Run: the answer and the trace of every stage",
    examples: [
      Example(
        "run(scene(7), \"Question: how many shapes are there? Answer:\")",
        "From picture to answer in one step."),
      Example("run(scene(7)).text", "A caption."),
    ], seeAlso: ["decode", "compare", "stages"]
  ) { session, picture, prompt, maxNewTokens, keep in
    let model = try session.model()
    try model.checkPicture(picture != nil)
    try session.checkMemory(
      model: model, prompt: prompt, keep: keep,
      newTokens: maxNewTokens ?? model.model.writing?.defaultOptions.maxNewTokens)
    let run = try Run.of(
      picture, prompt: prompt, maxNewTokens: maxNewTokens, model: model,
      trace: session.trace(keeping: keep), in: session)
    let input = Input(image: picture?.image, prompt: prompt)
    try session.checkFinite(run.last, of: model) {
      [WayToResult(from: input) { try model.model.pass(input, trace: &$0) }]
    }
    return .object(run)
  }
}

extension Run {
  /// What it ended in: the probabilities of an answer's tokens, or the last numbers that were kept.
  fileprivate var last: Tensor {
    answer?.probabilities ?? trace.records.last?.tensor ?? Tensor([], shape: [0])
  }

  /// Takes a picture, or a text alone, through all stages that the model has.
  static func of(
    _ picture: Picture?, prompt: String, maxNewTokens: Int?, model: LoadedModel, trace: Trace,
    in session: Session
  ) throws -> Run {
    var trace = trace
    let input = Input(image: picture?.image, prompt: prompt)
    if model.model.writing == nil {
      guard picture != nil else { throw model.lacks(.writing, for: "a text alone") }
      guard prompt.isEmpty else {
        throw ModelError.missingPart(
          wanted: "go on from a prompt", has: "it is \(model.model.kind)")
      }
    }
    var slots = Slots(input)
    try model.model.stages.of(input).steps.walk(&slots, trace: &trace)
    guard let writer = model.model.writing else {
      return Run(picture: picture, answer: nil, trace: trace, model: model)
    }
    var options = writer.defaultOptions
    if let maxNewTokens { options.maxNewTokens = maxNewTokens }
    let answer = try Answer.write(
      after: slots, prompt: prompt, writer: writer, model: model, options: options,
      trace: trace, in: session)
    return Run(picture: picture, answer: answer, trace: answer.answer.trace, model: model)
  }
}
