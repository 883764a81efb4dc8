internal import Checkpoints
internal import Files
internal import Images

/// `preprocessor_config.json`: how the published processor prepares a picture.
enum PreprocessingFile {
  private static let name = "preprocessor_config.json"

  /// Reads the file; a folder without one gets the published defaults at `imageSize`.
  static func read(_ folder: CheckpointFolder, imageSize: Int) throws -> Preprocessing {
    let reader = ConfigurationReader(
      file: name, path: "", json: try folder.jsonIfPresent(name))
    let size = try reader.section("size")
    let height = try size.count("height", default: imageSize)
    let width = try size.count("width", default: imageSize)
    try reader.require(
      height == imageSize && width == imageSize, "size",
      "\(imageSize) × \(imageSize), as vision_config.image_size in config.json")
    let code = try reader.index("resample") ?? ResampleFilter.bicubic.rawValue
    guard let filter = ResampleFilter(rawValue: code) else {
      throw ModelError.badConfiguration(
        file: name, key: "resample", found: "\(code)",
        expected: "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)")
    }
    return Preprocessing(
      size: try reader.flag("do_resize", default: true)
        ? .exactly(PixelSize(width: width, height: height)) : .asIs,
      filter: filter,
      rescaleFactor: try reader.flag("do_rescale", default: true)
        ? try reader.number("rescale_factor", default: 1 / 255.0) : 1,
      mean: try reader.channels("image_mean", default: Preprocessing.clipMean, unless: "do_normalize"),
      standardDeviation: try reader.channels(
        "image_std", default: Preprocessing.clipStandardDeviation, unless: "do_normalize"))
  }
}
