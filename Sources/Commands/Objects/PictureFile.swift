internal import Characters
public import Files
internal import Foundation
public import Images

extension ImageError: HasExitCode {}

/// A picture's file on its way in: the one place where commands and tools read one.
struct PictureFile {
  /// The picture, with alpha where parts are transparent.
  let image: Image
  /// Its last name.
  let name: String
  private let path: String

  /// Reads and decodes a file.
  ///
  /// - Parameters:
  ///   - path: what to call it; nil for its last name.
  ///   - memory: the bytes that decoding may take.
  ///   - note: gets a line where the picture is not all that the file holds.
  /// - Throws: `FileFailure`, `ImageError`.
  init(
    _ url: URL, path: String? = nil, memory: @escaping @Sendable () -> Int,
    isStopped: (@Sendable () -> Bool)? = nil, note: (String) -> Void
  ) throws {
    name = url.lastPathComponent
    self.path = path ?? name
    var limits = Image.Limits()
    limits.memory = memory
    let file = try DecodedPicture(
      try WholeFile.read(url), named: self.path, limits: limits, isStopped: isStopped)
    image = file.image
    guard file.isCut else { return }
    note(
      "\(self.path.visibleOnOneLine) is grey of more than 8 bits: levels beyond 255 are cut, as "
        + "Pillow's convert(\"RGB\") does")
  }

  /// The picture that a path stands for, as the library of a model's `preprocessing` takes it.
  ///
  /// Where there is no model, as transformers' `load_image` does. `note` is told what becomes of
  /// transparent parts.
  func loaded(for preprocessing: Preprocessing?, _ note: (String) -> Void) -> Image {
    let done =
      preprocessing?.conversion == .afterResizing
      ? "dropped after the resize, as OpenCLIP does" : "dropped, as transformers' load_image does"
    say("\(done); image(path, alpha=\"white\") lays them on white", note)
    return preprocessing?.loaded(image) ?? image.opaque(by: .drop)
  }

  /// Tells `note` what becomes of transparent parts, where there are any.
  func say(_ done: String, _ note: (String) -> Void) {
    guard image.alpha != nil else { return }
    note(
      "\(path.visibleOnOneLine) has transparent parts, "
        + "\(Percentage.text(Float(image.transparentShare))) of its pixels: \(done)")
  }
}
