import Checkpoints
import Files
import Foundation
import Making
import Models
import Tensors
import TestSupport
import Testing

/// An Idefics2 in every precision, and what its configuration chooses.
@Suite struct Idefics2PrecisionTests {
  static let folder = Fixtures.goldens.appending(path: "idefics2")
  /// Where it lies beside the project: the smaller one's 12 channels are too few for integers to say much.
  static let published = Fixtures.shared.map { [$0.appending(path: "goldens/idefics2")] } ?? []
  static let parts = ["vision", "projection", "resampler", "language"]

  static func everywhere(_ precision: Precision) -> [String: Precision] {
    Dictionary(uniqueKeysWithValues: parts.map { ($0, precision) })
  }

  @Test(arguments: published, Precision.allCases)
  func aPrecisionCostsABoundedError(_ url: URL, _ precision: Precision) throws {
    let folder = try CheckpointFolder(url)
    let exact = try SmallCheckpoint.logits(ModelLoad(folder).model)
    let read = try ModelLoad(folder, precisions: Self.everywhere(precision))
    let error = relativeDifference(try SmallCheckpoint.logits(read.model), exact)
    #expect(error <= precision.boundOfConversing, "\(precision): \(error)")
    #expect(read.parts.map(\.name) == Self.parts)
    #expect(read.parts.allSatisfy { $0.encodings.count == 1 || precision.quantization != nil })
  }

  /// One part alone, and what others have stays.
  @Test(arguments: parts) func aPartHasAPrecisionOfItsOwn(_ part: String) throws {
    let read = try ModelLoad(CheckpointFolder(Self.folder), precisions: [part: .bfloat16])
    for found in read.parts {
      #expect(found.isMultipliedInBFloat16 == (found.name == part), "\(found.name)")
    }
  }

  @Test(arguments: Precision.integers)
  func aConvertedCheckpointIsTheOneConvertedWhileLoading(_ precision: Precision) throws {
    let scratch = try TemporaryFolder()
    let target = scratch.file("converted")
    let conversion = try Conversion(
      CheckpointFolder(Self.folder), type: nil, precisions: Self.everywhere(precision))
    try conversion.write(to: target)
    let direct = try ModelLoad(
      CheckpointFolder(Self.folder), precisions: Self.everywhere(precision))
    let mapped = try ModelLoad(
      CheckpointFolder(target), precisions: Self.everywhere(precision))
    #expect(try SmallCheckpoint.logits(mapped.model) == SmallCheckpoint.logits(direct.model))
  }

  @Test func theEpsilonOfThePerceiverIsSaidWithItsSource() throws {
    func facts(_ checkpoint: DamagedCheckpoint) throws -> (String, [String]) {
      let model = try checkpoint.readAny()
      let fact = try #require(model.facts.first { $0.subject == "resampler" })
      return (fact.text, model.notes)
    }
    let given = try DamagedCheckpoint(of: "idefics2")
    #expect(try facts(given).0.hasSuffix("epsilon 1e-05: perceiver_config.rms_norm_eps"))
    let absent = try DamagedCheckpoint(of: "idefics2")
    try absent.set("perceiver_config.rms_norm_eps", to: nil)
    let (text, notes) = try facts(absent)
    #expect(text.hasSuffix("epsilon 1e-06: the default of transformers 5"), "\(text)")
    #expect(notes.contains { $0.contains("no perceiver_config.rms_norm_eps: 1e-06 is taken") })
    // Where the widths differ transformers takes the language model's of both.
    let other = try DamagedCheckpoint(of: "idefics2")
    try other.set("perceiver_config.hidden_size", to: "4096")
    #expect(try facts(other).0.contains("epsilon 1e-05: text_config.rms_norm_eps"))
  }

  @Test(arguments: [
    WrongSetting("vision_config.position_rounding", #""4.3""#, "position_rounding", "'4.40'"),
    WrongSetting("perceiver_config.num_key_value_heads", "3", "a divisor of the 4 heads"),
    WrongSetting("text_config.model_type", #""gpt2""#, "text_config.model_type", "'mistral'"),
    WrongSetting("image_token_id", "99999", "image_token_id", "below vocab_size"),
    WrongSetting("tie_word_embeddings", "true", "tie_word_embeddings", "a layer of its own"),
  ])
  func aValueThatIsNotBuiltIsRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint(of: "idefics2")
    try checkpoint.set(wrong.key, to: wrong.text)
    checkpoint.refusal(naming: wrong.words)
  }

  @Test func settingsOfPicturesAreReadOrRefused() throws {
    let checkpoint = try DamagedCheckpoint(of: "idefics2")
    func set(_ key: String, _ value: String) throws {
      try checkpoint.set("image_processor.\(key)", to: value, in: "processor_config.json")
    }
    try set("do_image_splitting", "false")
    #expect(try checkpoint.readAny().seeing?.viewCount == 1)
    try set("do_pad", "false")
    checkpoint.refusal(naming: ["do_pad", "a batch is filled up"])
    try set("do_pad", "true")
    try set("size", #"{"longest_edge": 20, "shortest_edge": 30}"#)
    checkpoint.refusal(naming: ["shortest_edge", "at most longest_edge, 20"])
    try set("size", #"{"longest_edge": 70, "shortest_edge": 30}"#)
    try set("image_processor_type", #""SiglipImageProcessor""#)
    checkpoint.refusal(naming: ["image_processor_type", "'Idefics2ImageProcessor'"])
    try set("image_processor_type", #""Idefics2ImageProcessor""#)
    try checkpoint.set("image_seq_len", to: "5", in: "processor_config.json")
    checkpoint.refusal(naming: ["image_seq_len", "4, as perceiver_config.resampler_n_latents"])
    try checkpoint.set("image_seq_len", to: "4", in: "processor_config.json")
    try set("tile_count", "3")
    try checkpoint.set("vision_config.window", to: "7")
    let notes = try checkpoint.readAny().notes
    #expect(notes.count == 2)
    #expect(notes.contains { $0.contains("'vision_config.window'") })
    #expect(notes.contains { $0.contains("'image_processor.tile_count'") }, "\(notes)")
  }
}
