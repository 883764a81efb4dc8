internal import Models
internal import Runtime

extension Command {
  static let resize = Command(
    "resize", group: "Model",
    "Makes the model in use read pictures of another size, by more or fewer patches.",
    Parameter.integer("size", in: 1...4096, "Width and height of the picture, in pixels."),
    returns: "a Model",
    details: "Position embeddings are interpolated, as transformers does with "
      + "interpolate_pos_encoding. load() goes back.",
    examples: [
      Example("resize(192)\nencode(embed(patchify(preprocess(scene(7))))).shape", "More patches.")
    ], seeAlso: ["load", "position_similarity"]
  ) { session, size in
    var model = try session.model()
    model.model = try model.able(.seeing, for: "resize").resized(to: size)
    session[CurrentModel.self] = model
    return .object(model)
  }
}
