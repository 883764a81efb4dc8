internal import Checkpoints
internal import Files
internal import Foundation
internal import Layers
internal import Tensors
public import Tokenizers
public import Tracing

extension CLIP {
  /// A CLIP's text tower alone, with or without its projection into the shared space: `CLIPTextModel`
  /// and `CLIPTextModelWithProjection`.
  public struct TextTower: FamilyModel {
    /// What to know of its files.
    public let notes: [String]
    /// Texts to tokens.
    public let text: TextEncoder
    /// Text to token ids; nil where the folder has no tokenizer.
    public let textTokenizer: (any Tokenizer)?
    let projection: Linear?
    /// Whether texts that are too long are cut rather than refused.
    fileprivate var cutsTexts = false

    /// Reads the checkpoint in `folder`, strictly.
    init(_ folder: CheckpointFolder, _ settings: ConfigurationReader) throws {
      let unknown = try ConfigurationKeys.clipText.unknownKeys(in: settings)
      var notes = ConfigurationKeys.note(unknown, file: "config.json").map { [$0] } ?? []
      do {
        textTokenizer = try TokenizerFolder.read(folder.url)
      } catch let error as TokenizerError {
        guard case .noTokenizer = error else { throw error }
        textTokenizer = nil
        notes.append("\(error.description): texts cannot be read until one lies in the folder")
      }
      self.notes = try notes + Configuration.Text.notes(settings)
      var weights = WeightReader(try folder.tensors()) { CLIP.towerKeys($0) }
      text = try TextEncoder(from: &weights, Configuration.Text(settings), .separate)
      let address = Address("joint") / "text_projection"
      projection =
        weights.shape(of: address / "weight") == nil
        ? nil
        : try Linear(
          from: &weights, at: address, inputs: text.configuration.width,
          outputs: try settings.count("projection_dim", default: 512), hasBias: false)
      weights.ignore("*position_ids")
      try weights.finish()
    }
  }
}

extension CLIP.TextTower {
  /// The token ids of a text, begin and end token in place.
  ///
  /// - Throws: when it is longer than the tower reads and not to be cut; when the folder has no
  ///   tokenizer.
  public func textIDs(_ text: String) throws -> [Int] {
    guard let textTokenizer else {
      throw ModelError.missingPart(wanted: "read a text", has: "its folder has no tokenizer")
    }
    return try CLIP.textIDs(text, textTokenizer, self.text.configuration, cuts: cutsTexts)
  }

  /// The same tower, which cuts a text that is too long before its end token.
  public var cuttingLongTexts: any FamilyModel {
    var tower = self
    tower.cutsTexts = true
    return tower
  }

  /// CLIP.
  public var family: String { "CLIP" }
  /// The paper.
  public var source: String { "Radford et al. 2021" }
  /// What it is, and what it lacks.
  public var kind: String {
    "a CLIP's text tower alone, \(projection == nil ? "without" : "with") projection and without the "
      + "vision tower"
  }

  /// The text transformer.
  public var towers: [Tower] { [Tower(text: text.configuration)] }

  /// The sizes in one line.
  public var summary: String {
    "text \(text.configuration.blockCount) × \(text.configuration.width), no vision tower"
  }

  /// The sizes, a line each.
  public var facts: [Fact] {
    [
      Fact(text: text.configuration),
      projection.map { Fact("space", "\($0.weight.shape[0]) channels for texts") },
      Fact("lacks", "the vision tower" + (projection == nil ? " and the projection" : "")),
    ].compactMap { $0 }
  }

  /// The stages of a text.
  public var stages: [Stage] { text.stages(projection) { try textIDs($0.prompt) } }

  /// What an index stands for: a word of the text.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    guard [.token, .query, .key].contains(axis), address.parts.first == "text",
      let ids = try? textIDs(input.prompt), ids.indices.contains(index)
    else { return nil }
    return textTokenizer?.token(ids[index]).map { "token \(index) '\($0)'" }
  }

  /// The module paths of transformers whose result passes an address.
  public func publishedPlaces(of address: Address) -> [String] {
    CLIP.publishedPlaces(of: address, blockCounts: blockCounts)
  }

  /// Texts alone, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    guard request.images.isEmpty, request.prompt.isEmpty else {
      throw ModelError.missingPart(wanted: "look at a picture", has: "it is \(kind)")
    }
    var (tensors, rows): ([PublishedTensor], [Tensor]) = ([], [])
    for (number, words) in request.texts.enumerated() {
      var trace = request.trace
      rows.append(try run(Input(prompt: words), through: "project_text", trace: &trace))
      tensors += trace.named(request.texts.count == 1 ? "" : "texts.\(number).")
    }
    if !rows.isEmpty {
      tensors.append(PublishedTensor(name: "text_embeds", tensor: Tensor.concatenated(rows)))
    }
    return TracedRun(tensors: tensors, integers: [], answer: "")
  }
}
