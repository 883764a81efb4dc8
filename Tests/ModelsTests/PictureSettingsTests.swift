import Checkpoints
import Foundation
import Images
import TestSupport
import Testing

@testable import Models

/// Where the settings of pictures are read, and what of them is refused.
@Suite struct PictureSettingsTests {
  private static let file = "preprocessor_config.json"

  private func settings(_ checkpoint: DamagedCheckpoint) throws -> PictureSettings {
    try checkpoint.readSeeing().pictureSettings
  }

  @Test func aProcessorsOwnFileGoesBeforeTheOlderOne() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.write(
      #"{"image_processor": {"image_mean": [0.1, 0.2, 0.3], "size": {"height": 40, "width": 40}}}"#,
      to: "processor_config.json")
    let read = try settings(checkpoint)
    #expect(read.preprocessing.normalisation?.mean == [0.1, 0.2, 0.3])
    #expect(read.source == "image_processor in processor_config.json")
    // One that says nothing of pictures leaves it to the older file.
    try checkpoint.write(#"{"processor_class": "X"}"#, to: "processor_config.json")
    #expect(try settings(checkpoint).source == Self.file)
  }

  @Test(arguments: [
    ("null", "null"), ("[]", "an array"), ("\"x\"", "a string"), ("3", "an integer"),
  ])
  func aFileThatHoldsNoSettingsIsSaidToHoldWhatItDoes(_ text: String, _ words: String) throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.write(text, to: Self.file)
    let error = #expect(throws: ModelError.self) { try settings(checkpoint) }
    #expect(
      error?.description.hasSuffix(
        "\(Self.file): the file holds \(words), but it must hold an object of settings") == true,
      "\(String(describing: error))")
  }

  @Test(arguments: [("vit", "ViTImageProcessor"), ("clip", "CLIPImageProcessor")])
  func whatIsAssumedWhereNoFileIsIsSaid(_ name: String, _ processor: String) throws {
    let checkpoint = try DamagedCheckpoint(of: name)
    try checkpoint.remove(Self.file)
    let model = try checkpoint.readAny()
    let note = try #require(model.notes.first)
    #expect(note.contains("\(Self.file) is missing") && note.contains(processor))
    #expect(note.contains("deviation"))
    #expect(model.facts.contains { $0.subject == "prepared" && $0.text.contains("assumed") })
  }

  @Test func theClassThatAFileNamesGivesItsDefaults() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.write(
      #"{"image_processor_type": "CLIPImageProcessorFast", "size": {"shortest_edge": 40}, "#
        + #""crop_size": 40}"#, to: Self.file)
    let read = try settings(checkpoint).preprocessing
    #expect(read.filter == .bicubic && read.target == .shortestEdge(40))
    #expect(read.normalisation?.mean == CLIPColours.mean)
    #expect(read.crop == PixelSize(width: 40, height: 40))
  }

  @Test func spellingsThatTheReferenceReadsMeanTheSame() throws {
    let usual = try settings(DamagedCheckpoint(of: "vit")).preprocessing
    for (key, text) in [
      ("size", "40"), ("size", "[40, 40]"), ("image_mean", "0.5"), ("image_std", "0.5"),
      ("do_pad", "null"), ("do_center_crop", "null"),
    ] {
      let checkpoint = try DamagedCheckpoint(of: "vit")
      try checkpoint.set(key, to: text, in: Self.file)
      #expect(try settings(checkpoint).preprocessing == usual, "\(key) \(text)")
    }
  }

  @Test(arguments: [
    WrongSetting("size", "{}", "size", "height and width"),
    WrongSetting("size", #"{"width": 40}"#, "size", "height and width"),
    WrongSetting("size", #"{"height": 40}"#, "size", "height and width"),
    WrongSetting("size", #"{"height": 40, "width": 40, "depth": 1}"#, "size"),
    WrongSetting("size", #"{"longest_edge": 40}"#, "size"),
    WrongSetting("size", #"{"height": 40.5, "width": 40}"#, "size"),
    WrongSetting("size", nil, "size", "224 × 224", "40 × 40"),
    WrongSetting("image_std", "[0.5, 0, 0.5]", "image_std", "above 0"),
    WrongSetting("image_std", "[0.5, -1, 0.5]", "image_std", "above 0"),
    WrongSetting("image_std", "-1", "image_std", "above 0"),
    WrongSetting("image_std", "[1e-300, 1, 1]", "image_std"),
    WrongSetting("image_std", "[0.5, 0.5]", "image_std", "3 numbers"),
    WrongSetting("image_mean", "[1e308, 0, 0]", "image_mean"),
    WrongSetting("image_mean", #""0.5""#, "image_mean"),
    WrongSetting("rescale_factor", "0", "rescale_factor"),
    WrongSetting("rescale_factor", "1e300", "rescale_factor"),
    WrongSetting("do_resize", "false", "do_resize"),
    WrongSetting("do_resize", "1", "do_resize", "true or false"),
    WrongSetting("do_pad", "true", "do_pad"),
    WrongSetting("data_format", #""channels_last""#, "data_format"),
    WrongSetting("image_processor_type", #""DonutImageProcessor""#, "DonutImageProcessor"),
    WrongSetting("resample", "5", "resample", "bicubic"),
    WrongSetting("do_resize", "null", "do_resize", "true"),
    WrongSetting("size", "null", "size", "left out"),
    WrongSetting("resample", "null", "resample", "left out"),
    WrongSetting("rescale_factor", "null", "rescale_factor", "left out"),
    WrongSetting("image_mean", "null", "image_mean", "left out"),
    WrongSetting("image_std", "null", "image_std", "left out"),
  ])
  func settingsThatMakeNoSenseAreRefusedByName(_ wrong: WrongSetting) throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set(wrong.key, to: wrong.text, in: Self.file)
    checkpoint.refusal(naming: [Self.file] + wrong.words)
  }

  @Test func aStepThatIsNullIsNotTaken() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set("do_normalize", to: "null", in: Self.file)
    try checkpoint.set("image_mean", to: "null", in: Self.file)
    #expect(try settings(checkpoint).preprocessing.normalisation == nil)
    try checkpoint.set("do_rescale", to: "null", in: Self.file)
    #expect(try settings(checkpoint).preprocessing.rescaleFactor == nil)
    let clip = try DamagedCheckpoint(of: "clip")
    try clip.set("crop_size", to: "null", in: Self.file)
    clip.refusal(naming: [Self.file, "crop_size"])
    try clip.set("do_center_crop", to: "null", in: Self.file)
    clip.refusal(naming: [Self.file, "do_center_crop"])
  }

  @Test func aProcessorThatCountsOnOtherQueriesIsRefused() throws {
    let checkpoint = try DamagedCheckpoint()
    try checkpoint.write(#"{"num_query_tokens": 32}"#, to: "processor_config.json")
    checkpoint.refusal(naming: ["processor_config.json", "num_query_tokens", "32"])
  }

  @Test func aLargerPictureKeepsWhatIsWritten() throws {
    let model = try DamagedCheckpoint(of: "clip-open").readSeeing()
    let larger = try model.resized(to: 2 * model.patches.imageSize)
    #expect(larger.pictureSettings.source == model.pictureSettings.source + ", changed by resize()")
    #expect(larger.preprocessing.cropRounding == model.preprocessing.cropRounding)
    #expect(larger.preprocessing.conversion == .afterResizing)
  }
}
