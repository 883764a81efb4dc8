public import Files
public import Layers

extension ViT {
  /// The sizes of a ViT, from `config.json`; absent values are the published library's defaults.
  public struct Configuration: Sendable, Equatable {
    /// The vision transformer.
    public let vision: VisionTransformer.Sizes
    /// The names of the classes; empty in a checkpoint without a classifier.
    public let labels: [String]
    /// How the classes' numbers become probabilities.
    public let scores: ClassScores
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
    scores = try ClassScores(reader, classCount: labels.count)
  }

  /// Refuses what is not built, and says which keys of a configuration are not known.
  static func notes(_ json: JSON, file: String) throws(ModelError) -> [String] {
    let reader = ConfigurationReader(file: file, path: "", json: json)
    let unknown = try ConfigurationKeys.vit.unknownKeys(in: reader)
    var notes = ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
    if let count = try reader.index("num_labels"), let names = json["id2label"]?.object,
      names.count != count
    {
      notes.append(
        "num_labels in config.json is \(count), but id2label has \(names.count) names: "
          + "they are left aside, as the published library does")
    }
    return notes
  }

  /// The names in `id2label`, in the order of their numbers; the library's own where there are none, or
  /// not as many as `num_labels`.
  ///
  /// A name that is a number, as where classes were numbered in training, is its digits.
  private static func labels(_ reader: ConfigurationReader) throws(ModelError) -> [String] {
    let given = reader.json?["id2label"] ?? .null
    let count = try reader.count(
      "num_labels", default: given.object?.count ?? 2, takesNull: true)
    guard let names = reader.json?["id2label"], names != .null,
      count == names.object?.count ?? count
    else {
      try reader.require(count <= 1 << 20, "num_labels", "at most \(1 << 20)")
      return (0..<count).map { "LABEL_\($0)" }
    }
    let labels = (0..<(names.object?.count ?? 0)).compactMap { names["\($0)"].flatMap(Self.label) }
    try reader.require(
      !labels.isEmpty && labels.count == names.object?.count, "id2label",
      "an object with a text for each class, numbered \"0\", \"1\" and so on")
    return labels
  }

  private static func label(_ value: JSON) -> String? {
    switch value {
    case .string(let text): text
    case .integer, .number, .bool: value.written()
    case .null, .array, .object: nil
    }
  }
}

/// How the numbers of a classifier become what it says of each class.
public enum ClassScores: Sendable, Equatable {
  /// One class of all is right: softmax over them.
  case softmax
  /// Each class is right or not by itself: the logistic function of each number.
  case logistic
  /// The numbers are measures, and no probabilities: a regression.
  case none

  /// What `problem_type` says; the reference takes one class for one that is right or not.
  ///
  /// - Throws: for a word that is none of the three, and for one class of which one must be right.
  init(_ reader: ConfigurationReader, classCount: Int) throws(ModelError) {
    let value = reader.json?["problem_type"] ?? .null
    switch value {
    case "regression": self = .none
    case "multi_label_classification": self = .logistic
    case "single_label_classification":
      try reader.require(
        classCount != 1, "problem_type", "another than that of several classes: there is one class")
      self = .softmax
    case .null: self = classCount == 1 ? .logistic : .softmax
    default:
      throw reader.bad(
        "problem_type", value,
        "'single_label_classification', 'multi_label_classification' or 'regression'")
    }
  }

  /// What the scores mean, in a few words.
  public var inWords: String {
    switch self {
    case .softmax: "one of them is right (softmax)"
    case .logistic: "each is right or not by itself (logistic function)"
    case .none: "measures, not probabilities (regression)"
    }
  }
}
