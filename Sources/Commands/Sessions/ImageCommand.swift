internal import Files
internal import Foundation
internal import Images
internal import Runtime

extension Command {
  static let image = Command(
    "image", group: "Pictures", "Reads a PNG or JPEG file, turned upright.",
    Parameter.path("path", "The file; a relative path is read next to the script."),
    returns: "an Image",
    examples: [
      Example(
        "save(scene(7), \"picture.png\")\nimg = image(\"fovea-out/picture.png\")",
        "Write a picture and read it back.")
    ], seeAlso: ["scene", "preprocess", "show"]
  ) { session, path in
    .object(try Picture.read(path, in: session))
  }
}

extension Picture {
  /// Reads a picture file.
  static func read(_ path: String, in session: Session) throws -> Picture {
    let url = session.readableURL(for: path)
    let bytes = try WholeFile.read(url)
    return Picture(try Image(decoding: bytes, named: path), name: url.lastPathComponent)
  }
}
