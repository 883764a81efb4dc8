internal import Images

/// A published class that prepares pictures: what it does where its file says nothing.
///
/// From the classes of transformers 5, which share one way of working and differ in these numbers.
struct ProcessorClass: Sendable {
  /// Its name without the endings that files also have: `ViTImageProcessor`.
  let name: String
  /// Other names that files give it.
  var otherNames: [String] = []
  let filter: ResampleFilter
  let mean, deviation: [Double]
  let size: Size
  /// The side of the square that is cut out of the middle; nil where nothing is.
  var crop: Int?
  /// Whether one number as size is a square, and not the shorter side.
  var numberIsSquare = true
  /// Whether it makes pictures RGB itself, and lays what is transparent on white.
  var convertsColours = true

  enum Size: Sendable, Equatable {
    case square(Int)
    case shortestEdge(Int)
    /// At most the first, each side at least the second, whatever the proportions.
    case longestEdge(Int, atLeast: Int)
  }

  static let vit = ProcessorClass(
    name: "ViTImageProcessor", otherNames: ["ViTFeatureExtractor"], filter: .bilinear, mean: half,
    deviation: half, size: .square(224), convertsColours: false)
  static let clip = ProcessorClass(
    name: "CLIPImageProcessor", otherNames: ["CLIPFeatureExtractor"], filter: .bicubic,
    mean: CLIPColours.mean, deviation: CLIPColours.deviation, size: .shortestEdge(224), crop: 224,
    numberIsSquare: false)
  static let blip = ProcessorClass(
    name: "BlipImageProcessor", filter: .bicubic, mean: CLIPColours.mean,
    deviation: CLIPColours.deviation,
    size: .square(384))

  static let idefics2 = ProcessorClass(
    name: "Idefics2ImageProcessor", filter: .bilinear, mean: half, deviation: half,
    size: .longestEdge(980, atLeast: 378))

  /// The classes that can be read; the last three are other families', which some checkpoints name.
  static let all = [
    vit, clip, blip, idefics2,
    ProcessorClass(
      name: "DeiTImageProcessor", otherNames: ["DeiTFeatureExtractor"], filter: .bicubic,
      mean: half, deviation: half, size: .square(256), crop: 224, convertsColours: false),
    ProcessorClass(
      name: "SiglipImageProcessor", filter: .bicubic, mean: half, deviation: half,
      size: .square(224)),
    ProcessorClass(
      name: "BitImageProcessor", filter: .bicubic, mean: CLIPColours.mean,
      deviation: CLIPColours.deviation,
      size: .shortestEdge(224), crop: 224, numberIsSquare: false),
  ]

  /// The class that a file names; nil for one that is not read here.
  static func named(_ name: String) -> ProcessorClass? {
    let plain = name.droppingSuffix("Fast") ?? name.droppingSuffix("Pil") ?? name
    return all.first { $0.name == plain || $0.otherNames.contains(plain) }
  }

  /// Whether its pictures may have any proportions, and are cut into patches as they are.
  var takesAnySize: Bool { if case .longestEdge = size { true } else { false } }

  /// The same with the sizes of a model that reads `side` pixels.
  func sized(to side: Int) -> ProcessorClass {
    if case .longestEdge = size { return self }
    return ProcessorClass(
      name: name, otherNames: otherNames, filter: filter, mean: mean, deviation: deviation,
      size: crop == nil || numberIsSquare ? .square(side) : .shortestEdge(side),
      crop: crop.map { _ in side }, numberIsSquare: numberIsSquare,
      convertsColours: convertsColours)
  }

  private static let half = [0.5, 0.5, 0.5]
}

/// The colours of the pictures that CLIP was trained on, which many models centre theirs by.
public enum CLIPColours {
  /// Means of red, green and blue, of 1.
  public static let mean = [0.48145466, 0.4578275, 0.40821073]
  /// Their standard deviations.
  public static let deviation = [0.26862954, 0.26130258, 0.27577711]
}
