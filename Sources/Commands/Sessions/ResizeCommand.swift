internal import Models
internal import Runtime

extension Command {
  static let resize = Command(
    "resize", group: "Model",
    "Makes the model in use read pictures of another size, by more or fewer patches, or in other views.",
    Parameter.optional(
      .integer(
        "size", in: 1...4096,
        "Width and height of the picture in pixels; of an Idefics2 the most that its longer side has. None "
          + "leaves it.")),
    Parameter.optional(
      .flag(
        "split", default: nil,
        "Of an Idefics2: whether a picture is split into its quarters and the whole; None leaves it."
      )),
    returns: "a Model",
    details: "Position embeddings are interpolated, as transformers does with "
      + "interpolate_pos_encoding; those of an Idefics2 are for shares of the sides, and stay. load() goes back.",
    examples: [
      Example("resize(192)\nencode(embed(patchify(preprocess(scene(7))))).shape", "More patches.")
    ], seeAlso: ["load", "position_similarity"]
  ) { session, size, split in
    guard size != nil || split != nil else {
      throw ArgumentFailure(parameter: "size", "must be given, or split")
    }
    var model = try session.model()
    if let size {
      model.model = try model.able(.seeing, for: "resize").resized(to: size)
    }
    if let split {
      model.model = try model.able(.seeing, for: "resize").splitting(split)
    }
    session[CurrentModel.self] = model
    return .object(model)
  }
}
