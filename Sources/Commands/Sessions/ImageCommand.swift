internal import Characters
internal import Foundation
internal import Images
internal import Models
internal import Runtime

extension Command {
  static let image = Command(
    "image", group: "Pictures",
    "Reads a picture file, turned upright, or makes a picture of a tensor.",
    Parameter.any(
      "path", expects: "a path or a tensor", words: .path,
      "The file, a relative path is read next to the script; or pixels [3, Y, X] as preprocess() "
        + "gives, patches as patchify() gives, or levels from 0 to 255, [Y, X, 3]."),
    Parameter.optional(
      .choice(
        "alpha", of: Transparency.allCases.map(\.rawValue),
        "What is made of a file's transparent parts: \"white\" lays them on white, \"drop\" takes "
          + "them for opaque; None leaves it to the model, as its own processor does with an opened "
          + "picture.")),
    returns: "an Image",
    details: """
      PNG, JPEG, WebP, TIFF, GIF, BMP, AVIF, HEIC and JPEG 2000, told by their bytes; of several \
      pictures in a file the first. Where a path is given to another command, transparent parts are \
      dropped, as transformers' load_image does, for a model in OpenCLIP's layout after the resize, \
      as its transform does. Of pixels and patches the model's normalisation is undone: the picture is \
      what the model sees, resized and cropped. Numbers that no picture has are cut, which is said.
      """,
    examples: [
      Example(
        "save(scene(7), \"picture.png\")\nimg = image(\"fovea-out/picture.png\")",
        "Write a picture and read it back."),
      Example("image(preprocess(scene(7)))", "What the model sees."),
    ], seeAlso: ["scene", "preprocess", "show"]
  ) { session, source, alpha in
    guard let path = source.text, !path.isEmpty else {
      if alpha != nil {
        throw ArgumentFailure(
          parameter: "alpha", "is for a file: a tensor has no transparent parts")
      }
      return .object(try Picture.made(of: source, in: session))
    }
    let file = try PictureFile(path, in: session)
    guard let rule = alpha.flatMap(Transparency.init(rawValue:)) else {
      file.say(session.wordsOnTransparency, session.note)
      return .object(Picture(file.image, name: file.name, path: path))
    }
    file.say("\(rule.inWords), as asked for", session.note)
    return .object(Picture(file.image.opaque(by: rule), name: file.name, path: path))
  }
}

extension Picture {
  /// Reads a picture file whose path was given where a picture is expected.
  static func read(_ path: String, in session: Session) throws -> Picture {
    let file = try PictureFile(path, in: session)
    // The model that is going to see it; one that cannot be read is the next command's to tell.
    let isChosen = session[CurrentModel.self] != nil || session[StartingModel.self] != nil
    let model = isChosen ? try? session.model().model : nil
    return Picture(
      file.loaded(for: model?.seeing?.preprocessing, session.note), name: file.name, path: path)
  }
}

extension PictureFile {
  fileprivate init(_ path: String, in session: Session) throws {
    guard !path.hasPrefix("http://"), !path.hasPrefix("https://") else {
      throw RuntimeFailure(
        .value,
        "\(Value.text(path).represented.shortened(toColumns: 80)) is an address, and nothing is "
          + "downloaded; save the picture and give the path of its file")
    }
    let url = session.readableURL(for: path)
    do {
      self = try NearestFile.suggesting(for: path, at: url) {
        try PictureFile(
          url, path: path, memory: { session.availableMemory },
          isStopped: { session.isCancelled }, note: session.note)
      }
    } catch ImageError.stopped {
      try session.checkCancellation()
      throw ImageError.stopped(name: path)
    }
  }
}

extension Session {
  /// What the current model makes of the transparent parts of an opened picture.
  fileprivate var wordsOnTransparency: String {
    guard let model = self[CurrentModel.self], let seer = model.model.seeing else {
      return "kept, for the model's own processor: transformers' lay them on white"
    }
    let preprocessing = seer.preprocessing
    let isLast = preprocessing.conversion == .afterResizing
    return preprocessing.transparency.inWords + (isLast ? " after the resize" : "")
      + ", as the processor of \(model.name) does; alpha=\"white\" or \"drop\" chooses"
  }
}

extension Transparency {
  /// What is done, in a word or two.
  fileprivate var inWords: String {
    switch self {
    case .white: "laid on white"
    case .drop: "dropped"
    }
  }
}
