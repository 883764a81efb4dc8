import Budget
import Checkpoints
import Files
import Foundation
import Generation
import Images
import Making
import Models
import Tensors
import TestSupport
import Testing
import Tracing

/// A small checkpoint with random weights, in a folder of its own.
struct SmallCheckpoint {
  let folder: TemporaryFolder
  let url: URL

  init(_ type: ElementType = .float32, model name: String = "blip2-tiny") throws {
    folder = try TemporaryFolder()
    url = folder.file("model")
    let model = try #require(PublishedModel.named(name))
    try Synthesis(model, seed: 3, type: type).write(to: url)
  }

  func load(_ precisions: [String: Precision] = [:]) throws -> ModelLoad {
    try ModelLoad(CheckpointFolder(url), precisions: precisions)
  }

  static let picture = Image(
    width: 16, height: 16, pixels: (0..<768).map { UInt8(truncatingIfNeeded: $0 &* 37) })

  /// The logits after a prompt, and what passed on the way.
  static func logits(_ model: any FamilyModel) throws -> Tensor {
    let writing = try #require(model.writing)
    var trace = Trace.everything
    let sequence = try writing.sequence(
      Input(image: picture, prompt: "what is it?"), trace: &trace)
    var options = writing.defaultOptions
    options.maxNewTokens = 1
    let answer = try writing.write(
      after: sequence, promptIDs: try writing.promptIDs("what is it?"), options: options,
      trace: trace)
    return try #require(answer.trace[Address("language.head.output")])
  }
}

extension Precision {
  /// The error of logits that is borne in the small goldens of models that converse.
  var boundOfConversing: Float {
    switch self {
    case .float32: 0
    case .float16: 5e-3
    case .bfloat16: 5e-2
    case .int8, .int8BFloat16: 1e-1
    case .int4, .int4BFloat16: 8e-1
    }
  }
}

struct PrecisionTests {
  static let parts = ["vision", "qformer", "projection", "language"]

  static func everywhere(_ precision: Precision) -> [String: Precision] {
    Dictionary(uniqueKeysWithValues: parts.map { ($0, precision) })
  }

  @Test func float32LeavesStoredWeightsAndResultsAsTheyAre() throws {
    for type in ElementType.allCases {
      let checkpoint = try SmallCheckpoint(type)
      let plain = try checkpoint.load()
      let asked = try checkpoint.load(Self.everywhere(.float32))
      let (found, expected) = try (
        SmallCheckpoint.logits(asked.model), SmallCheckpoint.logits(plain.model)
      )
      #expect(found == expected)
      #expect(asked.parts.allSatisfy { $0.ownByteCount == 0 && $0.encodings == [.plain(type)] })
    }
  }

  @Test(arguments: [
    (Precision.float16, Float(2e-3)), (.bfloat16, 5e-2), (.int8, 1e-1), (.int4, 8e-1),
  ])
  func aPrecisionCostsABoundedError(_ precision: Precision, _ bound: Float) throws {
    let checkpoint = try SmallCheckpoint()
    let exact = try SmallCheckpoint.logits(try checkpoint.load().model)
    let load = try checkpoint.load(Self.everywhere(precision))
    let logits = try SmallCheckpoint.logits(load.model)
    let error = relativeDifference(logits, exact)
    #expect(error < bound && error > 0, "\(precision): \(error)")
    #expect(load.parts.map(\.name) == Self.parts)
    for part in load.parts {
      #expect(part.ownByteCount > 0)
      let name = part.encodings.map(\.name)
      // The kernel of the patches stays as stored where matrices become integers.
      let isKernelLeft = part.name == "vision" && precision.quantization != nil
      #expect(name == (isKernelLeft ? ["float32", precision.rawValue] : [precision.rawValue]))
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil), arguments: Precision.allCases)
  func theReferenceModelRunsInEveryPrecision(_ precision: Precision) throws {
    let folder = try #require(Fixtures.shared).appending(path: "goldens/blip2")
    let exact = try SmallCheckpoint.logits(try ModelLoad(CheckpointFolder(folder)).model)
    let load = try ModelLoad(CheckpointFolder(folder), precisions: Self.everywhere(precision))
    let logits = try SmallCheckpoint.logits(load.model)
    #expect(logits.elements.allSatisfy { $0.isFinite })
    let error = relativeDifference(logits, exact)
    // The file has float16.
    switch precision {
    case .float32, .float16: #expect(error == 0)
    case .bfloat16: #expect(error > 0 && error < 0.05, "\(error)")
    case .int8, .int8BFloat16: #expect(error > 0 && error < 0.1, "\(error)")
    case .int4, .int4BFloat16: #expect(error > 0 && error < 1, "\(error)")
    }
  }

  @Test func eachPartHasAPrecisionOfItsOwn() throws {
    let checkpoint = try SmallCheckpoint()
    let load = try checkpoint.load(["vision": .bfloat16, "language": .int4])
    let names = load.parts.map { $0.encodings.map(\.name) }
    #expect(names == [["bfloat16"], ["float32"], ["float32"], ["int4"]])
    #expect(load.parts.map { $0.ownByteCount > 0 } == [true, false, false, true])
    // The head shares the table of embeddings, which stays in the file for looking up.
    let decoder = load.parts[3]
    #expect(decoder.mappedByteCount > 1024 * 64 * 4)
  }

  @Test func weightsStoredAsAskedForAreNotCopied() throws {
    let checkpoint = try SmallCheckpoint(.bfloat16)
    let seen = Reported()
    let load = try ModelLoad(
      CheckpointFolder(checkpoint.url), precisions: Self.everywhere(.bfloat16),
      progress: { done, total in
        seen.add(done, total)
        return true
      })
    #expect(seen.last == nil)
    #expect(load.parts.allSatisfy { $0.ownByteCount == 0 })
    let exact = try SmallCheckpoint.logits(try checkpoint.load().model)
    let rounded = try SmallCheckpoint.logits(load.model)
    #expect(rounded != exact, "activations are rounded")
    #expect(relativeDifference(rounded, exact) < 0.05)
  }

  @Test func progressIsReportedAndStopsALoad() throws {
    let checkpoint = try SmallCheckpoint()
    let seen = Reported()
    _ = try ModelLoad(
      CheckpointFolder(checkpoint.url), precisions: Self.everywhere(.int8),
      progress: { done, total in
        seen.add(done, total)
        return true
      })
    #expect(seen.last.map { $0.0 == $0.1 } == true, "the last report says all")
    let stop = #expect(throws: CheckpointError.self) {
      try ModelLoad(
        CheckpointFolder(checkpoint.url), precisions: Self.everywhere(.int8),
        progress: { _, _ in false })
    }
    #expect(stop?.description.hasSuffix("reading was stopped") == true)
  }

  @Test func aLoadThatDoesNotFitIsRefusedWithNumbers() throws {
    let checkpoint = try SmallCheckpoint()
    let failure = #expect(throws: MemoryShortage.self) {
      try ModelLoad(
        CheckpointFolder(checkpoint.url), precisions: Self.everywhere(.int8), available: 100_000)
    }
    #expect(failure?.exitCode == ExitCode.outOfMemory)
    let words = failure?.description ?? ""
    #expect(words.contains("converted weights"), "\(words)")
    #expect(words.contains("100 KB can be had"), "\(words)")
    #expect(words.contains("int4 would take 241 KB"), "\(words)")
    // Mapped weights are the file's own pages: they can be dropped, so this is only said.
    let load = try ModelLoad(CheckpointFolder(checkpoint.url), available: 100_000)
    #expect(load.notes.contains { $0.contains("reads them from the disk again") } == true)
  }

  @Test func aPartThatTheFamilyDoesNotHaveIsNamed() throws {
    let checkpoint = try SmallCheckpoint()
    #expect(
      throws: PrecisionError.unknownPart("text", family: "BLIP-2", parts: Self.parts)
    ) { try checkpoint.load(["text": .int8]) }
  }
}

/// What a progress function was told.
private final class Reported: @unchecked Sendable {
  // Loads call from one thread.
  private(set) var last: (Int, Int)?
  func add(_ done: Int, _ total: Int) { last = (done, total) }
}

struct ConversionTests {
  @Test(arguments: ElementType.allCases)
  func aConvertedCheckpointReadsAsIfConvertedWhileLoading(_ type: ElementType) throws {
    let checkpoint = try SmallCheckpoint()
    let target = checkpoint.folder.file("converted")
    let conversion = try Conversion(CheckpointFolder(checkpoint.url), type: type)
    try conversion.write(to: target, shardSize: 300_000)
    let folder = try CheckpointFolder(target)
    #expect(try folder.tensors().entries.allSatisfy { $0.type.elementType == type })
    #expect(try folder.configuration()["torch_dtype"]?.text == type.rawValue)
    #expect(try folder.tensors().files.count > 3)
    let source = try CheckpointFolder(checkpoint.url).tensors()
    #expect(try Set(folder.tensors().names) == Set(source.names))
    for name in source.names {
      let expected = try source.tensor(name).converted(to: type).tensor
      #expect(try folder.tensors().tensor(name).tensor == expected, "\(name)")
    }
    for name in ["tokenizer.json", "generation_config.json", "preprocessor_config.json"] {
      let old = try WholeFile.read(checkpoint.url.appending(path: name))
      #expect(try WholeFile.read(target.appending(path: name)) == old)
    }
  }

  @Test(arguments: [Precision.int8, .int4])
  func aQuantizedCheckpointAnswersAsTheOneQuantizedWhileLoading(_ precision: Precision) throws {
    let checkpoint = try SmallCheckpoint()
    let target = checkpoint.folder.file("converted")
    let conversion = try Conversion(
      CheckpointFolder(checkpoint.url), type: nil,
      precisions: PrecisionTests.everywhere(precision))
    try conversion.write(to: target)
    let names = try CheckpointFolder(target).tensors().names
    let suffix = precision == .int8 ? ".weight._data" : ".qweight"
    #expect(names.count { $0.hasSuffix(suffix) } == conversion.quantized.count)
    #expect(conversion.quantized.count > 30)
    #expect(names.contains("language_model.model.decoder.embed_tokens.weight"))

    // The head shares a table that stays plain in the file; asked for, it becomes integers here too.
    let read = try ModelLoad(
      CheckpointFolder(target), precisions: PrecisionTests.everywhere(precision))
    let direct = try checkpoint.load(PrecisionTests.everywhere(precision))
    let (found, expected) = try (
      SmallCheckpoint.logits(read.model), SmallCheckpoint.logits(direct.model)
    )
    #expect(found == expected)
    let record = precision == .int8 ? "quanto_qmap.json" : "quantize_config.json"
    #expect(try CheckpointFolder(target).has(record))

    // And back to floating point, which holds what the integers stand for.
    let back = checkpoint.folder.file("back")
    try Conversion(CheckpointFolder(target), type: .float32).write(to: back)
    let plain = try CheckpointFolder(back).tensors()
    #expect(try Set(plain.names) == Set(CheckpointFolder(checkpoint.url).tensors().names))
    #expect(try !CheckpointFolder(back).has(record))
    #expect(try CheckpointFolder(back).configuration()["quantization_config"] == nil)
    let logits = try SmallCheckpoint.logits(try ModelLoad(CheckpointFolder(back)).model)
    let exact = try SmallCheckpoint.logits(try ModelLoad(CheckpointFolder(target)).model)
    expectClose(logits, to: exact, within: 2e-2)
  }

  @Test(arguments: [Precision.int8, .int4], [ElementType?.none, .float16])
  func convertingTwiceGivesTheSameBytes(_ precision: Precision, _ type: ElementType?) throws {
    let checkpoint = try SmallCheckpoint()
    let (once, twice) = (checkpoint.folder.file("once"), checkpoint.folder.file("twice"))
    let precisions = PrecisionTests.everywhere(precision)
    try Conversion(CheckpointFolder(checkpoint.url), type: type, precisions: precisions)
      .write(to: once)
    let again = try Conversion(CheckpointFolder(once), type: type, precisions: precisions)
    #expect(again.quantized.isEmpty)
    try again.write(to: twice)
    let names = try FileManager.default.contentsOfDirectory(atPath: once.path).sorted()
    #expect(try FileManager.default.contentsOfDirectory(atPath: twice.path).sorted() == names)
    #expect(names.contains(precision == .int8 ? "quanto_qmap.json" : "quantize_config.json"))
    for name in names {
      #expect(
        try WholeFile.read(once.appending(path: name))
          == WholeFile.read(twice.appending(path: name)), "\(name)")
    }
  }

  @Test func groupsOfAnotherSizeStayAndSoDoTheirSettings() throws {
    let checkpoint = try SmallCheckpoint()
    let (first, second) = (checkpoint.folder.file("first"), checkpoint.folder.file("second"))
    try Conversion(CheckpointFolder(checkpoint.url), type: nil, precisions: ["language": .int4])
      .write(to: first)
    // As another tool would have written it.
    for name in ["config.json", "quantize_config.json"] {
      let text = try String(contentsOf: first.appending(path: name), encoding: .utf8)
      try Data(text.replacing("\"group_size\": 64", with: "\"group_size\": 32").utf8)
        .write(to: first.appending(path: name))
    }
    let conversion = try Conversion(
      CheckpointFolder(first), type: nil, precisions: ["language": .int4, "vision": .int8])
    try conversion.write(to: second)
    #expect(!conversion.quantized.isEmpty)
    #expect(conversion.quantized.allSatisfy { $0.precision == .int8 })
    let (before, after) = (try CheckpointFolder(first), try CheckpointFolder(second))
    let settings = try after.configuration()["quantization_config"]
    #expect(settings?["group_size"]?.int == 32)
    #expect(try settings == before.configuration()["quantization_config"])
    #expect(
      try WholeFile.read(first.appending(path: "quantize_config.json"))
        == WholeFile.read(second.appending(path: "quantize_config.json")))
    let map = try JSON(file: second.appending(path: "quanto_qmap.json")).object
    #expect(map?.count == conversion.quantized.count)
    let names = try before.tensors().names.filter {
      $0.hasSuffix(".qweight") || $0.hasSuffix(".scales")
    }
    #expect(names.count > 10)
    for name in names {
      #expect(try before.tensors().rawBytes(name) == after.tensors().rawBytes(name))
    }
    // Integers of a part that was not asked for stay too, beside new groups.
    let third = checkpoint.folder.file("third")
    try Conversion(CheckpointFolder(second), type: nil, precisions: ["qformer": .int4])
      .write(to: third)
    #expect(try JSON(file: third.appending(path: "quanto_qmap.json")).object?.count == map?.count)
    let read = try ModelLoad(CheckpointFolder(third))
    #expect(read.parts.first { $0.name == "vision" }?.encodings.contains(.int8) == true)
  }

  @Test func anOldCheckpointStaysUntilTheNewOneIsComplete() throws {
    struct Stopped: Error {}
    let checkpoint = try SmallCheckpoint()
    let target = checkpoint.folder.file("converted")
    let conversion = try Conversion(CheckpointFolder(checkpoint.url), type: .float16)
    try conversion.write(to: target)
    let before = try WholeFile.read(target.appending(path: "model.safetensors"))
    let other = try Conversion(CheckpointFolder(checkpoint.url), type: .bfloat16)
    #expect(throws: Stopped.self) { try other.write(to: target) { _ in throw Stopped() } }
    #expect(checkpoint.folder.names == ["converted", "model"])
    #expect(try WholeFile.read(target.appending(path: "model.safetensors")) == before)
    try other.write(to: target)
    #expect(checkpoint.folder.names == ["converted", "model"])
    #expect(try WholeFile.read(target.appending(path: "model.safetensors")) != before)
  }

  @Test(arguments: ["clip-vit-base-patch32", "vit-base-patch16-224"])
  func otherFamiliesAreDeclaredByTheirReaders(_ name: String) throws {
    let model = try #require(PublishedModel.named(name))
    let synthesis = try Synthesis(model, seed: 1, type: .float16)
    let (tensors, parameters) =
      name.hasPrefix("clip") ? (398, 151_277_313) : (200, 86_567_656)
    #expect(synthesis.tensors.count == tensors)
    #expect(synthesis.parameterCount == parameters)
  }
}
