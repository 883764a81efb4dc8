internal import Budget
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

extension Command {
  static let match = Command(
    "match", group: "Stages", "Tells how well texts fit a picture, by both retrieval heads.",
    Parameter.picture("image", "The picture, or its path."),
    Parameter.list(of: .text("texts", "One text or a list of them."), mayBeEmpty: false),
    Parameter.changes,
    returns: "a Table: match is the probability by the head that sees picture and text together "
      + "(ITM), similarity the largest cosine of a query with the text (ITC)",
    examples: [
      Example(
        "s = scene(7)\nmatch(s, [s.caption, \"a scene with a purple elephant\"])",
        "The true caption against a wrong one.")
    ], seeAlso: ["run", "query"]
  ) { session, picture, texts, changes in
    let (model, loaded) = try session.able(.matching, for: "match")
    try MemoryGate.take(
      texts.count, of: 16_384, for: "what \(texts.count) texts and the picture have in common")
    var vision = session.trace(keeping: "")
    let all = loaded.changes + changes
    if !all.isEmpty {
      func longest(_ text: String) -> Int { loaded.model.textTokenizer?.encode(text).count ?? 0 }
      // All are filled up to the longest.
      let places = try model.matchingOutline(
        texts: texts.max { longest($0) < longest($1) }.map { [$0] } ?? []
      ).places
      vision.alterations = try session.alterations(
        changes, of: loaded, on: Input(image: picture.image), places: places, passed: places)
    }
    let start = vision
    let tokens = try model.see(picture.image, trace: &vision)
    let run = try model.match(tokens, vision: vision, texts: texts) { start }
    let numbers = Tensor(
      run.matches.flatMap { [$0.probability, $0.similarity] }, shape: [run.matches.count, 2])
    try session.checkFinite(numbers, of: loaded) {
      let broken = run.matches.filter { !$0.probability.isFinite || !$0.similarity.isFinite }
      return broken.prefix(1).map { match in
        WayToResult(from: Input(image: picture.image, prompt: match.text)) { trace in
          trace.alterations = start.alterations
          let start = trace
          let tokens = try model.see(picture.image, trace: &trace)
          _ = try model.match(tokens, vision: trace, texts: [match.text]) { start }
        }
      }
    }
    return .object(
      Table(
        ["text", "match", "similarity", "query"],
        run.matches.map { match in
          [
            .text(match.text), .float(Double(match.probability)),
            .float(Double(match.similarity)),
            .integer(Int(match.queryCosines.argmax(axis: 0).elements[0])),
          ]
        }, note: "query: the one whose cosine with the text is largest"))
  }
}
