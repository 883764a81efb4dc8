internal import Characters
internal import Images
internal import Runtime
internal import Scenes

/// A picture, as scripts hold it.
struct Picture: ForeignObject {
  let image: Image
  /// Where it came from, for titles and file names.
  let name: String
  /// The file's path as somebody typed it; nil where it is of no file.
  let path: String?
  /// What is in it, if it was generated.
  let scene: Scene?

  init(_ image: Image, name: String, path: String? = nil, scene: Scene? = nil) {
    (self.image, self.name, self.path, self.scene) = (image, name, path, scene)
  }

  var typeName: String { "Image" }

  var shown: String {
    let size = "\(name.visibleOnOneLine): Image, \(image.width) × \(image.height) pixels"
    return scene.map { "\(size)\nin it: \($0.caption)" } ?? size
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
    case ("pixels", _):
      .tensor(
        image.tensor,
        from: Provenance("\(name).pixels", axes: ["row", "column", "channel"].map { .init($0) }))
    case ("caption", let scene?): .text(scene.caption)
    case ("seed", let scene?): .integer(Int(truncatingIfNeeded: scene.seed))
    case ("objects", let scene?): .newList(scene.objects.map(Self.describe))
    case ("questions", let scene?):
      .newList(
        scene.questions.map { question in
          .dictionary(
            Mapping([
              "kind": .text(question.kind.rawValue), "question": .text(question.text),
              "answer": .text(question.answer),
            ]))
        })
    default: nil
    }
  }

  private static func describe(_ object: SceneObject) -> Value {
    let box = object.box
    return .dictionary(
      Mapping([
        "shape": .text(object.shape.rawValue), "color": .text(object.color.rawValue),
        "size": .text(object.size.rawValue),
        "box": .tuple([box.left, box.top, box.right, box.bottom].map { .integer($0) }),
      ]))
  }
}
