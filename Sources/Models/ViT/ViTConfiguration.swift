public import Files
public import Layers

extension ViT {
  /// The sizes of a ViT, from `config.json`; absent values are the published library's defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision transformer.
    public let vision: VisionTransformer.Sizes
    /// The names of the classes; empty in a checkpoint without a classifier.
    public let labels: [String]
  }
}

extension ViT.Configuration {
  /// Reads and checks `config.json`; `file` names it in errors.
  public init(_ json: JSON, file: String) throws(ModelError) {
    let reader = ConfigurationReader(file: file, path: "", json: json)
    var vision = try VisionTransformer.Sizes(
      vision: reader,
      defaults: VisionTransformer.Sizes(
        width: 768, hiddenWidth: 3072, blockCount: 12, headCount: 12, imageSize: 224,
        patchSize: 16, epsilon: 1e-12, activation: .gelu))
    vision.hasInputBias = try reader.flag("qkv_bias", default: true)
    self.vision = vision
    let hasClassifier =
      json["architectures"]?.array?.contains { $0.text == "ViTForImageClassification" } ?? true
    labels = hasClassifier ? try Self.labels(reader) : []
  }

  /// The names in `id2label`, in the order of their numbers; the library's own where there are none.
  private static func labels(_ reader: ConfigurationReader) throws(ModelError) -> [String] {
    guard let names = reader.json?["id2label"], names != .null else {
      return (0..<(try reader.count("num_labels", default: 2))).map { "LABEL_\($0)" }
    }
    let labels = (0..<(names.object?.count ?? 0)).compactMap { names["\($0)"]?.text }
    try reader.require(
      !labels.isEmpty && labels.count == names.object?.count, "id2label",
      "an object with a text for each class, numbered \"0\", \"1\" and so on")
    return labels
  }
}
