internal import Characters
internal import Figures
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let wordMap = Command(
    "word_map", group: "Words and pictures",
    "Tells how well a word or a text fits each patch of a picture.",
    Parameter.picture("image", "The picture, or its path."),
    Parameter.text("text", "A word or a text."),
    Parameter.optional(
      .list(
        of: .text(
          "without",
          "Texts whose mean map is subtracted; \"\" takes away what fits every text alike."))),
    Parameter.truncate,
    returns: "a PatchMap [rows, columns] of cosines, for overlay()",
    details: "Every patch's token is normalised and projected as the class token is, and compared "
      + "with the text. The model learned this for the class token alone, so read such maps with "
      + "care: a text often fits a patch that has gathered the whole picture, on plain ground say. "
      + "Subtracting the map of the empty text helps (as Li et al. 2023, arXiv:2304.05653, do with "
      + "features that all texts share): with the small CLIP that ships and the objects of "
      + "scene(seed, objects=3) for the seeds 900000300 to 900000339, each asked for as in \"a red "
      + "circle\", the peak lies on the object named for 48 of 120, without it for 34.",
    examples: [
      Example(
        "s = scene(7)\nsave(overlay(word_map(s, \"a red circle\"), s, cmap=\"magma\"), "
          + "\"where.png\")", "Where does the text fit?"),
      Example(
        "s = scene(7)\nword_map(s, \"a red circle\", without=\"\").shape",
        "The same without what fits every text."),
    ], seeAlso: ["overlay", "similarity", "attention"]
  ) { session, picture, text, without, truncate in
    let (able, model) = try session.able(.embedding, for: "word_map")
    let part = able.cuttingTexts(truncate)
    var areTextsBroken = false
    let numbers = try part.wordMap(
      picture.image, text: text, without: without ?? [],
      trace: try session.trace(keeping: "", of: model, on: Input(image: picture.image)),
      embedTexts: {
        let made = try Embeddings(
          $0.map { .text($0) }, by: part, of: model, keep: "", in: session,
          isTold: areTextsBroken)
        areTextsBroken = areTextsBroken || made.areBroken
        return made.rows
      })
    if !areTextsBroken {
      try session.checkFinite(numbers, of: model) {
        [part.way(of: .picture(picture))]
          + ([text] + (without ?? [])).map { part.way(of: .text($0)) }
      }
    }
    return .object(
      PatchMap(
        numbers: numbers, subject: "word map of \(picture.name.visibleOnOneLine)",
        choices: [
          Value.text(text).represented
            + (without ?? []).enumerated().map {
              ($0.offset == 0 ? " minus " : " and ") + Value.text($0.element).represented
            }.joined()
        ], model: model))
  }
}
