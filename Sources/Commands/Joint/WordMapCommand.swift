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
    Parameter.truncate,
    returns: "a PatchMap [rows, columns] of cosines, for overlay()",
    details: "Every patch's token is normalised and projected as the class token is, and compared "
      + "with the text. The model learned this for the class token alone, so read such maps with "
      + "care: a text often fits a patch that has gathered the whole picture.",
    examples: [
      Example(
        "s = scene(7)\nsave(overlay(word_map(s, \"a red circle\"), s, cmap=\"magma\"), "
          + "\"where.png\")", "Where does the text fit?")
    ], seeAlso: ["overlay", "similarity", "attention"]
  ) { session, picture, text, truncate in
    let (part, model) = try session.able(.embedding, for: "word_map")
    return .object(
      PatchMap(
        numbers: try part.cuttingTexts(truncate).wordMap(picture.image, text: text),
        title: "\(Value.text(text).represented) on \(picture.name)", model: model))
  }
}
