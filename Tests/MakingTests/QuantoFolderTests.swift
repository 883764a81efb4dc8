import Checkpoints
import Files
import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

@testable import Making

/// Folders in optimum-quanto's layout: those that it wrote (`scripts/make-quanto-goldens.py`), and our own.
@Suite struct QuantoFolderTests {
  private static let goldens = Fixtures.goldens.appending(path: "quanto")

  private func picture() throws -> Image {
    let file = Fixtures.goldens.appending(path: "picture.png")
    return try Image(decoding: [UInt8](try Data(contentsOf: file)), named: "picture.png")
  }

  private func logits(_ folder: URL, prompt: String) throws -> Tensor {
    let model = try #require(try Family.read(CheckpointFolder(folder)).writing)
    var trace = Trace.nothing
    let sequence = try model.sequence(Input(image: try picture(), prompt: prompt), trace: &trace)
    return try model.logits(after: sequence, tokens: [], isCancelled: { false })
  }

  /// A whole folder as optimum-quanto wrote it, its convolution and one head made integers too.
  @Test(arguments: ["blip2", "ziya"]) func aFolderThatQuantoWroteGivesItsNumbers(
    _ name: String
  ) throws {
    let folder = Self.goldens.appending(path: name)
    let expected = try JSON(file: folder.appending(path: "expected.json"))
    let reference = try #require(expected["logits"]?.array).compactMap(\.double).map { Float($0) }
    let found = try logits(folder, prompt: try #require(expected["prompt"]?.text))
    let difference = relativeDifference(
      found.reshaped(found.count), Tensor(reference, shape: [reference.count]))
    print("quanto \(name): logits differ by \(difference) of the largest")
    #expect(difference < 2e-5)
    let load = try ModelLoad(CheckpointFolder(folder))
    for part in load.parts { #expect(part.hasIntegers, "\(part.name): \(part.text)") }
    #expect(load.notes.allSatisfy { $0.contains("it is the head") }, "\(load.notes)")
  }

  /// The integers and scales are quanto's own, to the bit, when the same weights are made int8 here.
  ///
  /// Of weights
  /// in float16 quanto rounds the quotients to float16 before it rounds them to integers, which is not done
  /// here: integers are then at most one apart.
  @Test(arguments: ["blip2", "ziya"]) func whatBecomesInt8HereIsWhatQuantoMakes(
    _ name: String
  ) throws {
    let home = try TemporaryFolder()
    let source = try CheckpointFolder(Fixtures.goldens.appending(path: name))
    let parts = try Family.find(source).family.parts.map(\.name)
    let type: ElementType? = name == "blip2" ? .float32 : nil
    try Conversion(
      source, type: type, precisions: Dictionary(uniqueKeysWithValues: parts.map { ($0, .int8) })
    ).write(to: home.file("int8"))
    let made = try CheckpointFolder(home.file("int8")).tensors()
    let golden = try CheckpointFolder(Self.goldens.appending(path: name)).tensors()
    var compared = 0
    for name in golden.names where name.hasSuffix("._data") {
      guard made[name] != nil else { continue }
      let scale = String(name.dropLast("_data".count)) + "_scale"
      let (ours, theirs) = (try made.integers(name).elements, try golden.integers(name).elements)
      let (scales, expected) = (try made.floats(scale).elements, try golden.floats(scale).elements)
      if type == .float32 {
        #expect(ours == theirs, "\(name)")
        #expect(scales == expected, "\(scale)")
      } else {
        let apart = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 0
        #expect(apart <= 1, "\(name)")
        #expect(made[scale]?.type == .float16)
        // The reference keeps a Q-Former in float32, and so its scales.
        let isKept = golden[scale]?.type == .float32
        let isSame = zip(scales, expected).allSatisfy {
          isKept ? abs($0 - $1) <= $1 / 2048 : $0 == $1
        }
        #expect(isSame, "\(scale)")
      }
      compared += 1
    }
    #expect(compared >= 45)
  }

  /// What is written is read back as what it was, bit for bit, of every family.
  @Test(arguments: [
    "blip2", "blip2-itm", "vit", "clip", "llama", "mistral", "qwen-vl", "ziya", "idefics2",
  ])
  func aWrittenFolderIsReadBackBitForBit(_ name: String) throws {
    let home = try TemporaryFolder()
    let source = try CheckpointFolder(Fixtures.goldens.appending(path: name))
    let parts = try Family.find(source).family.parts.map(\.name)
    // A matrix that a file has the other way round, as Qwen-VL's projection, is not made integers in a folder.
    let precisions = Dictionary(
      uniqueKeysWithValues: parts.filter { name != "qwen-vl" || $0 != "projection" }
        .map { ($0, Precision.int8) })
    try Conversion(source, type: nil, precisions: precisions).write(to: home.file("int8"))
    let folder = try CheckpointFolder(home.file("int8"))
    let map = try #require(try folder.jsonIfPresent("quanto_qmap.json")?.object)
    let names = try Set(folder.tensors().names)
    #expect(map.count > 5)
    for (layer, entry) in map.members {
      // A Qwen-VL's resampler has matrices that are no layer's weight.
      #expect(names.contains("\(layer).weight._data") || names.contains("\(layer)._data"))
      #expect(entry["weights"]?.text == "qint8" && entry["activations"]?.text == "none")
    }
    #expect(names.count { $0.hasSuffix("._data") } == map.count)
    // Made int8 at load, and read from the folder: the same run to the bit.
    let made = try ModelLoad(source, precisions: precisions).model
    let load = try ModelLoad(folder)
    #expect(!load.notes.contains { $0.contains("quanto_qmap.json") })
    let read = load.model
    let input = Input(
      picture: made.seeing == nil ? nil : .standIn(0.5),
      prompt: made.textTokenizer == nil || made.matching != nil ? "" : "a red circle")
    var (first, second) = (Trace.everything, Trace.everything)
    try made.pass(input, trace: &first)
    try read.pass(input, trace: &second)
    #expect(first.records.count == second.records.count)
    let isTied = first.records.contains { $0.address == Address("language.head.output") }
    for (a, b) in zip(first.records, second.records) {
      // A head that shares the table stays as it is stored in a folder.
      if isTied, a.address == Address("language.head.output") { continue }
      #expect(a.tensor == b.tensor, "\(a.address)")
    }
    // A map without them is said to be one.
    try WholeFile.write("{}", to: folder.url.appending(path: "quanto_qmap.json"))
    let notes = try ModelLoad(folder).notes
    #expect(
      notes.contains {
        $0.hasPrefix("quanto_qmap.json does not list layers whose weights are integers: ")
      }, "\(notes)")
    try WholeFile.write(
      JSON.object(map).written(), to: folder.url.appending(path: "quanto_qmap.json"))
    // Written again, nothing changes: the map and the integers stay.
    try Conversion(folder, type: .float32, precisions: precisions).write(to: home.file("again"))
    let again = try CheckpointFolder(home.file("again"))
    #expect(try again.json("quanto_qmap.json").object?.count == map.count)
    for name in names where name.hasSuffix("._data") {
      #expect(try again.tensors().rawBytes(name) == folder.tensors().rawBytes(name), "\(name)")
    }
  }

  /// The older name of the map goes with what it lists.
  @Test func aMapOfTheOlderNameIsReadAndReplaced() throws {
    let home = try TemporaryFolder()
    let source = try CheckpointFolder(Self.goldens.appending(path: "ziya"))
    try Conversion(source, type: .bfloat16).write(to: home.file("new"))
    let new = try CheckpointFolder(home.file("new"))
    #expect(!new.has("quantization_map.json") && !new.has("quanto_qmap.json"))
    try Conversion(source, type: nil, precisions: ["vision": .int8]).write(to: home.file("kept"))
    let kept = try CheckpointFolder(home.file("kept"))
    #expect(kept.has("quanto_qmap.json") != kept.has("quantization_map.json"))
    #expect(throws: Never.self) { try Family.read(kept) }
  }

  @Test(arguments: [
    (#"{"language_projection": {"weights": "qint4", "activations": "none"}}"#, "qint4", "'qint8'"),
    (
      #"{"language_projection": {"weights": "qfloat8", "activations": "none"}}"#, "qfloat8",
      "not read"
    ),
    (
      #"{"language_projection": {"weights": "qint8", "activations": "qint8"}}"#, "activations",
      "'none'"
    ),
    (#"{"language_projection": 7}"#, "language_projection", "an object"),
    ("[1]", "[1]", "an object"),
  ])
  func aMapOfWhatIsNotReadIsRefusedByName(_ text: String, _ first: String, _ second: String) throws
  {
    let home = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Self.goldens.appending(path: "blip2"), to: home.file("model"))
    try WholeFile.write(text, to: home.file("model/quanto_qmap.json"))
    let error = #expect(throws: ModelError.self) {
      try Family.read(CheckpointFolder(home.file("model")))
    }
    let message = error?.description ?? ""
    #expect(message.contains("quanto_qmap.json") && !message.contains("\n"), "\(message)")
    #expect(message.contains(first) && message.contains(second), "\(message)")
  }

  @Test func layersThatAreNoIntegersThoughTheMapListsThemAreSaid() throws {
    let home = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "blip2"), to: home.file("model"))
    try WholeFile.write(
      #"{"language_projection": {"weights": "qint8", "activations": "none"}}"#,
      to: home.file("model/quanto_qmap.json"))
    let notes = try ModelLoad(CheckpointFolder(home.file("model"))).notes
    #expect(notes.count == 1 && notes[0].contains("language_projection.weight"), "\(notes)")
  }
}
