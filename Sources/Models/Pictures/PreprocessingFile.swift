internal import Checkpoints
internal import Files
internal import Foundation
internal import Images

/// The files that say how the published processor prepares a picture.
///
/// In the reference's order: `image_processor` in `processor_config.json`, where it is; then
/// `preprocessor_config.json`. Keys that are absent mean what the class does that the file names.
struct PreprocessingFile {
  private let reader: ConfigurationReader
  private let processor: ProcessorClass
  private let imageSize: Int
  /// The key of the model's own size in `config.json`.
  private let sizeKey: String

  private static let name = "preprocessor_config.json"
  private static let combined = "processor_config.json"
  private static let part = "image_processor"

  /// Reads the settings of a model whose pictures have `imageSize` pixels a side.
  ///
  /// - Parameters:
  ///   - processor: the class that the family's models have.
  ///   - queryCount: how many queries the processor must count on; nil where there are none.
  ///   - imageTokenCount: how many rows of a picture it must count on; nil where it counts on none.
  /// - Throws: for a value that makes no sense, that is not built or that the model cannot take.
  static func read(
    _ folder: CheckpointFolder, imageSize: Int, processor: ProcessorClass,
    sizeKey: String = "vision_config.image_size", queryCount: Int? = nil,
    imageTokenCount: Int? = nil
  ) throws -> PictureSettings {
    let whole = ConfigurationReader(
      file: folder.url.appending(path: combined).path, path: "",
      json: try folder.jsonIfPresent(combined))
    if let queryCount, let counted = try whole.index("num_query_tokens") {
      try whole.require(
        counted == queryCount, "num_query_tokens", "\(queryCount), as in config.json")
    }
    if let imageTokenCount, let counted = try whole.index("image_seq_len") {
      try whole.require(
        counted == imageTokenCount, "image_seq_len",
        "\(imageTokenCount), as perceiver_config.resampler_n_latents in config.json")
    }
    let nested = try whole.section(part)
    let found: (reader: ConfigurationReader, source: String)
    if nested.json?.object != nil {
      found = (nested, "\(part) in \(combined)")
    } else if let json = try folder.jsonIfPresent(name) {
      found = (
        ConfigurationReader(file: folder.url.appending(path: name).path, path: "", json: json), name
      )
    } else {
      let assumed = PreprocessingFile(
        reader: ConfigurationReader(file: name, path: "", json: nil),
        processor: processor.sized(to: imageSize), imageSize: imageSize, sizeKey: sizeKey)
      let preprocessing = try assumed.preprocessing()
      return PictureSettings(
        preprocessing, source: "assumed, for there is no \(name)",
        notes: [
          "\(name) is missing in \(folder.url.lastPathComponent), and \(combined) says nothing of "
            + "pictures: assumed is what \(processor.name) does, \(preprocessing.inWords); a model "
            + "trained otherwise answers wrongly"
        ])
    }
    guard found.reader.json?.object != nil else {
      throw ModelError.noSettings(
        file: found.reader.file, found: found.reader.json?.kindName ?? "null")
    }
    let keys: ConfigurationKeys =
      processor.takesAnySize ? .idefics2ImageProcessor : .imageProcessor
    let unknown = try keys.unknownKeys(in: found.reader)
    if let own = try named(found.reader), own.takesAnySize != processor.takesAnySize {
      throw found.reader.bad(
        "image_processor_type", .string(own.name),
        "'\(processor.name)', as the model's family has it")
    }
    let file = PreprocessingFile(
      reader: found.reader, processor: try named(found.reader) ?? processor, imageSize: imageSize,
      sizeKey: sizeKey)
    return PictureSettings(
      try file.preprocessing(), source: found.source,
      notes: ConfigurationKeys.note(unknown, file: found.source).map { [$0] } ?? [])
  }

  /// The class that a file names; nil where it names none.
  private static func named(_ reader: ConfigurationReader) throws -> ProcessorClass? {
    for key in ["image_processor_type", "feature_extractor_type"] {
      guard let value = reader.json?[key], !value.isNull else { continue }
      guard let name = value.text, let found = ProcessorClass.named(name) else {
        throw reader.bad(
          key, value,
          "one of the classes read here: "
            + ProcessorClass.all.map(\.name).joined(separator: ", "))
      }
      return found
    }
    return nil
  }

  private func preprocessing() throws -> Preprocessing {
    try reader.require(try does("do_resize", default: true), "do_resize", "true")
    let crop = try does("do_center_crop", default: processor.crop != nil) ? try cropSize() : nil
    try requireGiven("resample")
    let code = try reader.index("resample") ?? processor.filter.rawValue
    guard let filter = ResampleFilter(rawValue: code) else {
      throw reader.bad(
        "resample", .integer(code), "0 (nearest), 1 (lanczos), 2 (bilinear) or 3 (bicubic)")
    }
    return try Preprocessing(
      target: try target(crop: crop), filter: filter, crop: crop,
      rescaleFactor: try does("do_rescale", default: true) ? try rescaleFactor() : nil,
      normalisation: try does("do_normalize", default: true) ? try normalisation() : nil,
      transparency: try does("do_convert_rgb", default: processor.convertsColours) ? .white : .drop,
      splits: processor.takesAnySize
        ? try reader.flag("do_image_splitting", default: false) : false)
  }

  /// Whether a step is taken.
  ///
  /// A key that is absent means what the class does; null, as for the reference, that it is not.
  private func does(_ step: String, default fallback: Bool) throws -> Bool {
    if let value = reader.json?[step], value.isNull { return false }
    return try reader.flag(step, default: fallback)
  }

  /// Refuses null for what a step needs that is taken, as the reference does.
  private func requireGiven(_ key: String) throws {
    guard let value = reader.json?[key], value.isNull else { return }
    throw reader.bad(
      key, value, "a value, or to be left out for what \(processor.name) does")
  }

  private func cropSize() throws -> PixelSize {
    try requireGiven("crop_size")
    let side = processor.crop ?? imageSize
    let crop = try size("crop_size", orElse: PixelSize(width: side, height: side))
    try reader.require(
      crop == PixelSize(width: imageSize, height: imageSize), "crop_size",
      fitting("crop_size", crop))
    return crop
  }

  /// How large the picture is made before anything is cut.
  private func target(crop: PixelSize?) throws -> Preprocessing.Target {
    try requireGiven("size")
    if case .longestEdge(let longest, let least) = processor.size {
      let size = try reader.section("size")
      let ours = try size.count("longest_edge", default: longest)
      let other = try size.count("shortest_edge", default: least)
      try size.require(other <= ours, "shortest_edge", "at most longest_edge, \(ours)")
      return .longestEdge(ours, atLeast: other)
    }
    let value = reader.json?["size"] ?? .null
    let numberIsSquare =
      (reader.json?["default_to_square"] ?? .null).isNull
      ? processor.numberIsSquare : try reader.flag("default_to_square", default: true)
    var edge: Int?
    if value.object?["shortest_edge"] != nil {
      try reader.require(
        value.object?.count == 1, "size", "shortest_edge alone, or height and width")
      edge = try reader.section("size").count("shortest_edge", default: imageSize)
    } else if value.int != nil, !numberIsSquare {
      edge = try reader.count("size", default: imageSize)
    } else if value.isNull, case .shortestEdge(let side) = processor.size {
      edge = side
    }
    if let edge {
      guard crop != nil else {
        let asks = reader.json?["do_center_crop"].map { $0.isNull || $0.bool == false } ?? false
        guard asks else { throw reader.bad("size", value, Self.bothSides) }
        throw reader.bad(
          "do_center_crop", false, "true, for the model reads \(imageSize) × \(imageSize) pixels")
      }
      return .shortestEdge(edge)
    }
    var usual = PixelSize(width: imageSize, height: imageSize)
    if case .square(let side) = processor.size { usual = PixelSize(width: side, height: side) }
    let size = try size("size", orElse: usual)
    try reader.require(
      crop != nil || size == PixelSize(width: imageSize, height: imageSize), "size",
      fitting("size", size))
    return .exactly(size)
  }

  /// A size given as an object of height and width, a list of both or, in older files, as one number.
  private func size(_ key: String, orElse fallback: PixelSize) throws -> PixelSize {
    guard let value = reader.json?[key], !value.isNull else { return fallback }
    if value.int != nil {
      let side = try reader.count(key, default: 1)
      return PixelSize(width: side, height: side)
    }
    if let object = value.object {
      guard object.count == 2, object["height"] != nil, object["width"] != nil else {
        throw reader.bad(key, value, Self.bothSides)
      }
      let section = try reader.section(key)
      return PixelSize(
        width: try section.count("width", default: 0),
        height: try section.count("height", default: 0))
    }
    guard let sides = value.array, sides.count == 2, let height = sides[0].int,
      let width = sides[1].int, min(height, width) >= 1, max(height, width) <= 1 << 31
    else { throw reader.bad(key, value, Self.bothSides) }
    return PixelSize(width: width, height: height)
  }

  private static let bothSides = "an object of height and width, whole numbers of at least 1"

  private func rescaleFactor() throws -> Double {
    try requireGiven("rescale_factor")
    let factor = try reader.number("rescale_factor", default: 1 / 255.0)
    let isUsable = factor > 0 && Float(255 * factor).isFinite && Float(factor) > 0
    try reader.require(isUsable, "rescale_factor", "a number above 0, such as 0.00392156862745098")
    return factor
  }

  private func normalisation() throws -> Preprocessing.Normalisation {
    try requireGiven("image_mean")
    try requireGiven("image_std")
    let mean = try channels("image_mean", default: processor.mean)
    let deviation = try channels("image_std", default: processor.deviation)
    try reader.requireUsable(mean: mean, "image_mean", deviation: deviation, "image_std")
    return try Preprocessing.Normalisation(mean: mean, deviation: deviation)
  }

  /// Three numbers, or one for all channels.
  private func channels(_ key: String, default fallback: [Double]) throws -> [Double] {
    if let one = reader.json?[key]?.double { return [one, one, one] }
    return try reader.numbers(key, default: fallback, count: 3)
  }

  /// What a size must be that has to be the model's; an absent one is the class's.
  private func fitting(_ key: String, _ found: PixelSize) -> String {
    "\(imageSize) × \(imageSize), as \(sizeKey) in config.json"
      + ((reader.json?[key] ?? .null).isNull ? "; \(processor.name) makes \(found) of it" : "")
  }
}
