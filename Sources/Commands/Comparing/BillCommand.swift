internal import Checkpoints
internal import Models
internal import Runtime

extension Command {
  static let bill = Command(
    "bill", group: "Looking",
    "Tells what each precision saves in each part of the model, and what it costs in the answer.",
    Parameter.optional(
      .picture("image", "The picture, or its path; None for a model that reads text alone.")),
    Parameter.text("prompt", default: "", "The text to go on from; none asks for a caption."),
    Parameter.list(
      of: .precision(
        "precisions", of: [.float16, .bfloat16, .int8, .int4], "The precisions to try."),
      default: ["bfloat16", "int8", "int4"]),
    Parameter.maxNewTokens,
    returns: "a Table with a row a part and precision, the least damage for a byte saved first",
    details: """
      One part after the other is read in one precision, all others as stored. divergence is the \
      Kullback-Leibler divergence of the next token's distribution from that of the model as \
      stored, in nats, the mean over the answer; both read the same words. worst is its largest. A \
      model that knows classes has one distribution. What is stored in a precision already saves \
      nothing and has no row.
      """,
    examples: [
      Example(
        "bill(scene(7), \"Question: how many shapes are there? Answer:\")",
        "Which part bears fewer bits?"),
      Example("bill(scene(7), precisions=[\"int4\"])[\"part\"]", "Four bits for each part."),
    ], seeAlso: ["load", "compare"]
  ) { session, picture, prompt, precisions, maxNewTokens in
    let model = try session.model()
    try model.checkPicture(picture != nil)
    try model.refuse(for: "bill")
    let bill = try Bill(
      of: model, picture: picture, prompt: prompt, maxNewTokens: maxNewTokens,
      precisions: precisions.compactMap { Precision(rawValue: $0) }, in: session)
    return .object(bill.table)
  }
}
