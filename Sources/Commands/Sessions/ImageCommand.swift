internal import Files
internal import Foundation
internal import Images
internal import Runtime

extension Command {
  static let image = Command(
    "image", group: "Pictures",
    "Reads a PNG or JPEG file, turned upright, or makes a picture of a tensor.",
    Parameter.any(
      "path", expects: "a path or a tensor", words: .path,
      "The file, a relative path is read next to the script; or pixels [3, Y, X] as preprocess() "
        + "gives, patches as patchify() gives, or levels from 0 to 255, [Y, X, 3]."),
    returns: "an Image",
    details: "Of pixels and patches the model's normalisation is undone: the picture is what the "
      + "model sees, resized and cropped. Numbers that no picture has are cut, which is said.",
    examples: [
      Example(
        "save(scene(7), \"picture.png\")\nimg = image(\"fovea-out/picture.png\")",
        "Write a picture and read it back."),
      Example("image(preprocess(scene(7)))", "What the model sees."),
    ], seeAlso: ["scene", "preprocess", "show"]
  ) { session, source in
    .object(try Picture.made(of: source, in: session))
  }
}

extension Picture {
  /// Reads a picture file.
  static func read(_ path: String, in session: Session) throws -> Picture {
    let url = session.readableURL(for: path)
    let bytes = try NearestFile.suggesting(for: path, at: url) { try WholeFile.read(url) }
    return Picture(try Image(decoding: bytes, named: path), name: url.lastPathComponent)
  }
}
