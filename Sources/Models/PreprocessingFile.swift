internal import Checkpoints
internal import Files
internal import Foundation
internal import Images

/// `preprocessor_config.json`: how the published processor prepares a picture.
enum PreprocessingFile {
  private static let name = "preprocessor_config.json"

  /// What a family's processor does where the file says nothing.
  struct Defaults {
    let filter: ResampleFilter
    let mean, deviation: [Double]
    /// Whether `size` is the shorter side, and the middle is cut out.
    let isCropped: Bool
    /// Whether it makes pictures RGB itself, and lays what is transparent on white.
    var convertsColours = true
    /// The key of the model's own size in `config.json`.
    var sizeKey = "vision_config.image_size"

    /// BLIP's: squeezed to a square.
    static let blip = Defaults(
      filter: .bicubic, mean: clipMean, deviation: clipDeviation, isCropped: false)
    /// ViT's: squeezed to a square.
    static let vit = Defaults(
      filter: .bilinear, mean: [0.5, 0.5, 0.5], deviation: [0.5, 0.5, 0.5], isCropped: false,
      convertsColours: false, sizeKey: "image_size")
    /// CLIP's: the middle of the picture.
    static let clip = Defaults(
      filter: .bicubic, mean: clipMean, deviation: clipDeviation, isCropped: true)

    /// What a size must be that has to be the model's.
    func fitting(_ imageSize: Int) -> String {
      "\(imageSize) × \(imageSize), as \(sizeKey) in config.json"
    }

    private static let clipMean = [0.48145466, 0.4578275, 0.40821073]
    private static let clipDeviation = [0.26862954, 0.26130258, 0.27577711]
  }

  /// Reads the file; a folder without one gets the family's defaults at `imageSize`.
  static func read(
    _ folder: CheckpointFolder, imageSize: Int, defaults: Defaults = .blip
  ) throws -> Preprocessing {
    let file = folder.url.appending(path: name).path
    let reader = ConfigurationReader(file: file, path: "", json: try folder.jsonIfPresent(name))
    let cropped = try reader.flag("do_center_crop", default: defaults.isCropped)
    try reader.require(try reader.flag("do_resize", default: true), "do_resize", "true")
    let target = try target(reader, imageSize: imageSize, defaults: defaults, isCropped: cropped)
    let crop = try cropped ? size(reader, "crop_size", square: imageSize) : nil
    if let crop {
      try reader.require(
        crop == PixelSize(width: imageSize, height: imageSize), "crop_size",
        defaults.fitting(imageSize))
    }
    let code = try reader.index("resample") ?? defaults.filter.rawValue
    guard let filter = ResampleFilter(rawValue: code) else {
      throw ModelError.badConfiguration(
        file: file, key: "resample", found: "\(code)",
        expected: "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)")
    }
    let deviation = try reader.numbers("image_std", default: defaults.deviation, count: 3)
    try reader.require(
      deviation.allSatisfy { Float($0) != 0 }, "image_std", "numbers other than zero")
    let normalisation =
      try reader.flag("do_normalize", default: true)
      ? try Preprocessing.Normalisation(
        mean: try reader.numbers("image_mean", default: defaults.mean, count: 3),
        deviation: deviation) : nil
    return try Preprocessing(
      target: target, filter: filter, crop: crop,
      rescaleFactor: try reader.flag("do_rescale", default: true)
        ? try reader.number("rescale_factor", default: 1 / 255.0) : nil,
      normalisation: normalisation,
      transparency: try reader.flag("do_convert_rgb", default: defaults.convertsColours)
        ? .white : .drop)
  }

  /// How large the picture is made before anything is cut.
  private static func target(
    _ reader: ConfigurationReader, imageSize: Int, defaults: Defaults, isCropped: Bool
  ) throws -> Preprocessing.Target {
    let keys = reader.json?["size"]?.object?.keys ?? []
    let isShortest =
      keys.isEmpty ? defaults.isCropped : keys == ["shortest_edge"] && defaults.isCropped
    guard isShortest else {
      try reader.require(
        keys.allSatisfy { $0 == "height" || $0 == "width" }, "size",
        "an object of height and width")
      let size = try size(reader, "size", square: imageSize)
      try reader.require(
        isCropped || size == PixelSize(width: imageSize, height: imageSize), "size",
        defaults.fitting(imageSize))
      return .exactly(size)
    }
    // Older files have a bare number, which means the shorter side where the family crops.
    let edge =
      try reader.json?["size"]?.int != nil
      ? reader.count("size", default: imageSize)
      : reader.section("size").count("shortest_edge", default: imageSize)
    if !isCropped {
      throw ModelError.badConfiguration(
        file: reader.file, key: "do_center_crop", found: "false",
        expected: "true, for the model reads \(imageSize) × \(imageSize) pixels")
    }
    return .shortestEdge(edge)
  }

  /// A size given as an object of height and width or, in older files, as one number.
  private static func size(
    _ reader: ConfigurationReader, _ key: String, square: Int
  ) throws -> PixelSize {
    if reader.json?[key]?.int != nil {
      let side = try reader.count(key, default: square)
      return PixelSize(width: side, height: side)
    }
    let section = try reader.section(key)
    return PixelSize(
      width: try section.count("width", default: square),
      height: try section.count("height", default: square))
  }
}

extension Preprocessing {
  /// The same for another square size: target and crop grow together.
  ///
  /// - Throws: `ModelError.badSize` for a size that holds no whole patches.
  func resized(to side: Int, patchSize: Int) throws -> Preprocessing {
    guard side >= patchSize, side.isMultiple(of: patchSize), side <= 64 * patchSize
    else {
      throw ModelError.badSize(found: side, patchSize: patchSize)
    }
    let size = PixelSize(width: side, height: side)
    let target: Target? =
      switch target {
      case .shortestEdge(let edge):
        .shortestEdge(crop.map { (edge * side + $0.width / 2) / $0.width } ?? side)
      case .exactly, nil: .exactly(size)
      }
    return try Preprocessing(
      target: target, filter: filter, crop: crop == nil ? nil : size,
      cropRounding: cropRounding, rescaleFactor: rescaleFactor, normalisation: normalisation,
      transparency: transparency)
  }
}
