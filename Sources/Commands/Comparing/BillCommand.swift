internal import Checkpoints
internal import Models
internal import Runtime

extension Command {
  static let bill = Command(
    "bill", group: "Looking",
    "Tells what each precision saves in each part of the model, and what it costs in the answer.",
    Parameter.any(
      "image", expects: "a picture, a file's path, an answer or None", default: Value.none,
      words: .path,
      "The picture; or an answer of chat() or run(), whose question is asked again; None for a model that "
        + "reads text alone."),
    Parameter.text("prompt", default: "", "The text to go on from; none asks for a caption."),
    Parameter.list(
      of: .precision(
        "precisions", of: [.float32, .float16, .bfloat16, .int8, .int4], "The precisions to try."),
      default: ["bfloat16", "int8", "int4"]),
    Parameter.maxNewTokens,
    returns: "a Table with a row a part and precision, the least damage for a byte saved first",
    details: """
      The whole model is read in each precision, then one part after the other, all others as stored. divergence is the \
      Kullback-Leibler divergence of the next token's distribution from that of the model as \
      stored, in nats, the mean over the answer; both read the same words. worst is its largest. A \
      model that knows classes has one distribution. What is stored in a precision already saves \
      nothing and has no row.

      The table's answers has a row for the whole model in each precision: what it answers, how much its boxes share with \
      those of the model as stored, and how far what each stage gives is from what that gives. chart draws it: the \
      boxes on the picture, the words, a bar a stage.
      """,
    examples: [
      Example(
        "bill(scene(7), \"Question: how many shapes are there? Answer:\")",
        "Which part bears fewer bits?"),
      Example("bill(scene(7), precisions=[\"int4\"])[\"part\"]", "Four bits for each part."),
      Example(
        "a = chat(scene(7), \"how many shapes are there?\")\n"
          + "save(bill(a, precisions=[\"float32\", \"float16\"]).chart, \"alike.png\")",
        "Does a conversation go on alike in half precision?"),
    ], seeAlso: ["load", "compare"]
  ) { session, source, prompt, precisions, maxNewTokens in
    let question: BilledQuestion
    let model: LoadedModel
    if case .object(let run as Run) = source {
      guard prompt.isEmpty else {
        throw ArgumentFailure(
          parameter: "prompt", "stands beside an answer, which has its question already")
      }
      guard run.course.changes.isEmpty else {
        throw ArgumentFailure(
          parameter: "image", "is an answer that was changed on its way; give one that was not")
      }
      (model, question) = (run.model, BilledQuestion(run, maxNewTokens: maxNewTokens))
    } else {
      model = try session.model()
      let picture = try source.picture(for: "image", in: session)
      try model.checkPicture(picture != nil)
      question = BilledQuestion(picture: picture, prompt: prompt, maxNewTokens: maxNewTokens)
    }
    try model.refuse(for: "bill")
    return .object(
      try Bill(
        of: model, question, precisions: precisions.compactMap { Precision(rawValue: $0) },
        in: session
      ).table())
  }
}

extension Value {
  /// A picture, or that of a path; nil for None.
  fileprivate func picture(for parameter: String, in session: Session) throws -> Picture? {
    if case .none = self { return nil }
    if case .object(let picture as Picture) = self { return picture }
    guard let path = text else {
      throw ArgumentFailure(
        parameter: parameter,
        "must be a picture, a file's path, an answer of chat() or run(), or None, not \(inMessage)")
    }
    return try Picture.read(path, in: session)
  }
}
