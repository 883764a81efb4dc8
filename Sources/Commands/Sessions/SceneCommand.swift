internal import Images
internal import Runtime
internal import Scenes

extension Command {
  static let scene = Command(
    "scene", group: "Pictures", "Makes a picture with known contents, the same for the same seed.",
    Parameter.integer("seed", in: 0...Int.max, "Which scene."),
    Parameter.optional(
      .integer("objects", in: 1...4, "How many shapes; None lets the seed decide.")),
    returns: "an Image with a caption, objects and questions",
    details: "Scenes are what the model that ships was trained on; it knows nothing else.",
    examples: [
      Example("s = scene(7)\ns.caption", "What is in scene 7?"),
      Example("scene(7, objects=3).questions[0]", "A question about it, with the true answer."),
    ], seeAlso: ["image", "run"]
  ) { _, seed, objects in
    .object(Picture.scene(UInt64(seed), objects: objects))
  }
}

extension Picture {
  /// The scene of a seed, with so many objects.
  static func scene(_ seed: UInt64, objects: Int?) -> Picture {
    let scene = Scene(seed: seed, population: objects.map { .exactly($0...$0) } ?? .usual)
    return Picture(scene.painted().image, name: "scene \(seed)", scene: scene)
  }
}
