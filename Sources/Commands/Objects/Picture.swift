internal import Images
internal import Runtime
internal import Scenes

/// A picture, as scripts hold it.
struct Picture: ForeignObject {
  let image: Image
  /// Where it came from, for titles and file names.
  let name: String
  /// What is in it, if it was generated.
  let scene: Scene?

  init(_ image: Image, name: String, scene: Scene? = nil) {
    (self.image, self.name, self.scene) = (image, name, scene)
  }

  var typeName: String { "Image" }

  var shown: String {
    let size = "\(name): Image \(image.width) × \(image.height)"
    return scene.map { "\(size), \($0.caption)" } ?? size
  }

  var attributeNames: [String] {
    ["name", "size", "width", "height", "pixels"]
      + (scene == nil ? [] : ["caption", "objects", "questions", "seed"])
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch (attribute, scene) {
    case ("name", _): .text(name)
    case ("width", _): .integer(image.width)
    case ("height", _): .integer(image.height)
    case ("size", _): .tuple([.integer(image.width), .integer(image.height)])
    case ("pixels", _): .tensor(image.tensor, name: "\(name).pixels")
    case ("caption", let scene?): .text(scene.caption)
    case ("seed", let scene?): .integer(Int(truncatingIfNeeded: scene.seed))
    case ("objects", let scene?): .list(scene.objects.map(Self.describe))
    case ("questions", let scene?):
      .list(
        scene.questions.map {
          .dictionary([
            ("kind", .text($0.kind.rawValue)), ("question", .text($0.text)),
            ("answer", .text($0.answer)),
          ])
        })
    default: nil
    }
  }

  private static func describe(_ object: SceneObject) -> Value {
    .dictionary([
      ("shape", .text(object.shape.rawValue)), ("colour", .text(object.color.rawValue)),
      ("size", .text(object.size.rawValue)),
      (
        "box",
        .tuple(
          [object.box.left, object.box.top, object.box.right, object.box.bottom]
            .map { .integer($0) })
      ),
    ])
  }
}
