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
    session.noteUnfit(picture, for: loaded)
    try MemoryGate.take(
      texts.count, of: 16_384, for: "what \(texts.count) texts and the picture have in common")
    var vision = session.trace(keeping: "")
    let start = vision
    let altered = try MatchAlterations(
      changes, of: loaded, by: model, on: Input(image: picture.image), texts: texts)
    vision.alterations = altered.vision
    let tokens = try model.see(picture.image, trace: &vision)
    let run = try model.match(tokens, vision: vision, texts: texts) { pass in
      var trace = start
      trace.alterations = altered[pass]
      return trace
    }
    let numbers = Tensor(
      run.matches.flatMap { [$0.probability, $0.similarity] }, shape: [run.matches.count, 2])
    try session.checkFinite(numbers, of: loaded) {
      let broken = run.matches.filter { !$0.probability.isFinite || !$0.similarity.isFinite }
      return broken.prefix(1).map { match in
        WayToResult(from: Input(image: picture.image, prompt: match.text)) { trace in
          let number = texts.firstIndex(of: match.text) ?? 0
          let start = trace
          trace.alterations = altered.vision
          let tokens = try model.see(picture.image, trace: &trace)
          _ = try model.match(tokens, vision: trace, texts: [match.text]) { pass in
            var trace = start
            trace.alterations = altered[pass.of(text: number)]
            return trace
          }
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
