internal import Checkpoints
internal import Files
internal import Foundation
internal import Images

/// `preprocessor_config.json`: how the published processor prepares a picture.
enum PreprocessingFile {
  private static let name = "preprocessor_config.json"
  /// The published defaults: CLIP's colours.
  private static let mean = [0.48145466, 0.4578275, 0.40821073]
  private static let deviation = [0.26862954, 0.26130258, 0.27577711]

  /// Reads the file; a folder without one gets the published defaults at `imageSize`.
  static func read(_ folder: CheckpointFolder, imageSize: Int) throws -> Preprocessing {
    let file = folder.url.appending(path: name).path
    let reader = ConfigurationReader(file: file, path: "", json: try folder.jsonIfPresent(name))
    let size = try reader.section("size")
    try reader.require(
      reader.json?["size"]?.object?.keys.allSatisfy { $0 == "height" || $0 == "width" } ?? true,
      "size", "an object of height and width")
    let height = try size.count("height", default: imageSize)
    let width = try size.count("width", default: imageSize)
    try reader.require(
      height == imageSize && width == imageSize, "size",
      "\(imageSize) × \(imageSize), as vision_config.image_size in config.json")
    try reader.require(try reader.flag("do_resize", default: true), "do_resize", "true")
    let code = try reader.index("resample") ?? ResampleFilter.bicubic.rawValue
    guard let filter = ResampleFilter(rawValue: code) else {
      throw ModelError.badConfiguration(
        file: file, key: "resample", found: "\(code)",
        expected: "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)")
    }
    let deviation = try reader.numbers("image_std", default: deviation, count: 3)
    try reader.require(
      deviation.allSatisfy { Float($0) != 0 }, "image_std", "numbers other than zero")
    let normalisation =
      try reader.flag("do_normalize", default: true)
      ? try Preprocessing.Normalisation(
        mean: try reader.numbers("image_mean", default: mean, count: 3),
        deviation: deviation) : nil
    return try Preprocessing(
      target: .exactly(PixelSize(width: width, height: height)), filter: filter,
      rescaleFactor: try reader.flag("do_rescale", default: true)
        ? try reader.number("rescale_factor", default: 1 / 255.0) : nil,
      normalisation: normalisation)
  }
}
