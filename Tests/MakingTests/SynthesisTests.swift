import Checkpoints
import Files
import Foundation
import Generation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tracing

@testable import Making

struct SynthesisTests {
  let blip2 = PublishedModel.named("blip2-opt-2.7b")

  @Test(.enabled(if: Fixtures.shared != nil))
  func aSynthesizedModelHasThePublishedTensors() throws {
    let shared = try #require(Fixtures.shared)
    let synthesis = try Synthesis(try #require(blip2), seed: 1, type: .float32)
    let file = shared.appending(path: "checkpoints/blip2-opt-2.7b/model.safetensors.index.json")
    let index = try ShardIndex(try JSON(file: file), path: file.path)
    #expect(synthesis.tensors.map(\.name).sorted() == index.names.sorted())
    #expect(synthesis.byteCount == index.totalSize)
    #expect(synthesis.parameterCount == 3_744_761_856)
  }

  /// The shapes are those of the published tensors, whose bytes add up to what the index says.
  @Test func aQwenVLHasThePublishedSize() throws {
    let synthesis = try Synthesis(
      try #require(PublishedModel.named("qwen-vl-chat")), seed: 1)
    #expect(synthesis.parameterCount == 9_656_935_168)
    #expect(synthesis.byteCount == 19_313_870_336)
    #expect(synthesis.tensors.allSatisfy { $0.type == .bfloat16 })
    let shapes = Dictionary(uniqueKeysWithValues: synthesis.tensors.map { ($0.name, $0.shape) })
    #expect(shapes["transformer.h.31.attn.c_attn.weight"] == [12288, 4096])
    let block = "transformer.visual.transformer.resblocks.47"
    #expect(shapes["\(block).attn.in_proj.weight"] == [4992, 1664])
    #expect(shapes["transformer.visual.positional_embedding"] == [256, 1664])
    #expect(shapes["transformer.visual.attn_pool.attn.in_proj_weight"] == [12288, 4096])
    #expect(shapes["transformer.h.0.mlp.c_proj.bias"] == nil)
  }

  /// The reference's class has as many tensors and numbers on the meta device.
  @Test func anIdefics2HasThePublishedSize() throws {
    let synthesis = try Synthesis(try #require(PublishedModel.named("idefics2-8b")), seed: 1)
    #expect(synthesis.parameterCount == 8_402_768_112)
    #expect(synthesis.tensors.count == 763)
    #expect(synthesis.tensors.allSatisfy { $0.type == .bfloat16 })
    let shapes = Dictionary(uniqueKeysWithValues: synthesis.tensors.map { ($0.name, $0.shape) })
    let vision = "model.vision_model"
    #expect(shapes["\(vision).embeddings.patch_embedding.weight"] == [1152, 3, 14, 14])
    #expect(shapes["\(vision).embeddings.position_embedding.weight"] == [4900, 1152])
    #expect(shapes["\(vision).encoder.layers.26.mlp.fc2.weight"] == [1152, 4304])
    let connector = "model.connector"
    #expect(shapes["\(connector).modality_projection.down_proj.weight"] == [4096, 14336])
    let resampler = "\(connector).perceiver_resampler"
    #expect(shapes["\(resampler).latents"] == [64, 4096])
    #expect(shapes["\(resampler).layers.2.self_attn.k_proj.weight"] == [384, 4096])
    #expect(shapes["\(resampler).layers.2.mlp.down_proj.weight"] == [4096, 16384])
    #expect(shapes["model.text_model.layers.31.self_attn.v_proj.weight"] == [1024, 4096])
    #expect(shapes["lm_head.weight"] == [32003, 4096])
    func count(_ prefix: String) -> Int {
      shapes.filter { $0.key.hasPrefix(prefix) }.reduce(0) { $0 + $1.value.reduce(1, *) }
    }
    #expect(count(vision) == 417_792_240 && count(resampler) == 651_468_800)
    #expect(count("\(connector).modality_projection") == 91_750_400)
    #expect(count("model.text_model") == 7_110_672_384 && count("lm_head") == 131_084_288)
  }

  @Test func anIdefics2InFourBitsHasAsManyNumbers() throws {
    let synthesis = try Synthesis(
      try #require(PublishedModel.named("idefics2-8b-int4")), seed: 1)
    #expect(synthesis.parameterCount == 8_402_768_112)
    let tensors = Dictionary(uniqueKeysWithValues: synthesis.tensors.map { ($0.name, $0) })
    let packed = "model.text_model.layers.0.mlp.down_proj.qweight"
    #expect(tensors[packed] == PlannedTensor(name: packed, type: .int32, shape: [1792, 4096]))
    let plain = "model.connector.modality_projection.gate_proj.weight"
    #expect(tensors[plain] == PlannedTensor(name: plain, type: .float16, shape: [14336, 1152]))
    #expect(synthesis.byteCount < 7_000_000_000)
  }

  @Test(.enabled(if: Fixtures.shared != nil))
  func aQwenVLInFourBitsHasThePublishedTensors() throws {
    let shared = try #require(Fixtures.shared)
    let synthesis = try Synthesis(
      try #require(PublishedModel.named("qwen-vl-chat-int4")), seed: 1)
    let folder = shared.appending(path: "checkpoints/qwen-vl-chat-int4")
    let file = folder.appending(path: "model.safetensors.index.json")
    let index = try ShardIndex(try JSON(file: file), path: file.path)
    #expect(synthesis.tensors.map(\.name).sorted() == index.names.sorted())
    #expect(synthesis.byteCount == index.totalSize)
    #expect(synthesis.parameterCount == 9_656_935_168)
    let tensors = Dictionary(uniqueKeysWithValues: synthesis.tensors.map { ($0.name, $0) })
    for (name, type, shape) in [
      ("attn.c_attn.qweight", StoredType.int32, [512, 12288]),
      ("attn.c_attn.qzeros", .int32, [32, 1536]), ("attn.c_attn.scales", .float16, [32, 12288]),
      ("attn.c_attn.g_idx", .int32, [4096]), ("attn.c_attn.bias", .float16, [12288]),
      ("mlp.c_proj.qweight", .int32, [1376, 4096]), ("mlp.c_proj.qzeros", .int32, [86, 512]),
      ("mlp.c_proj.scales", .float16, [86, 4096]), ("mlp.c_proj.g_idx", .int32, [11008]),
      ("mlp.c_proj.bias", .float16, [4096]),
    ] {
      let full = "transformer.h.0.\(name)"
      #expect(tensors[full] == PlannedTensor(name: full, type: type, shape: shape))
    }
  }

  /// The language model's shapes are the published LLaMA-13B's with Ziya's vocabulary, whatever its integers.
  @Test(arguments: [Precision?.none, .int8, .int4])
  func aZiyaHasThePublishedTensors(_ precision: Precision?) throws {
    let synthesis = try Synthesis(
      try #require(PublishedModel.named("ziya-blip2-14b")), seed: 1,
      precisions: precision.map { ["language": $0] } ?? [:])
    // Vision tower, Q-Former and queries as in a BLIP-2, a projection from 768 to 5120 channels.
    let visual = 985_952_256 + 105_137_664 + 24_576 + 768 * 5120 + 5120
    #expect(synthesis.parameterCount == visual + 13_091_886_080)
    let names = synthesis.tensors.map(\.name)
    let language = names.filter { $0.hasPrefix("language_model.") }
    let layers = 40 * 7 + 1
    #expect(language.count == 363 + layers * (precision == nil ? 0 : 3))
    let tensors = Dictionary(uniqueKeysWithValues: synthesis.tensors.map { ($0.name, $0) })
    let block = "language_model.model.layers.39"
    for (name, shape) in [
      ("language_model.model.embed_tokens.weight", [39424, 5120]),
      ("language_model.model.norm.weight", [5120]),
      ("\(block).input_layernorm.weight", [5120]),
      ("\(block).post_attention_layernorm.weight", [5120]),
      ("language_projection.weight", [5120, 768]),
      ("vision_model.encoder.layers.38.self_attn.qkv.weight", [4224, 1408]),
      ("qformer.encoder.layer.10.crossattention.attention.key.weight", [768, 1408]),
    ] {
      #expect(tensors[name]?.shape == shape && tensors[name]?.type == .float16, "\(name)")
    }
    let products = [
      ("self_attn.q_proj", [5120, 5120]), ("self_attn.o_proj", [5120, 5120]),
      ("mlp.gate_proj", [13824, 5120]), ("mlp.down_proj", [5120, 13824]),
    ]
    for (name, shape) in products {
      let full = "\(block).\(name)"
      switch precision {
      case nil: #expect(tensors["\(full).weight"]?.shape == shape)
      case .int8?:
        #expect(tensors["\(full).weight._data"]?.shape == shape)
        #expect(tensors["\(full).weight._scale"]?.shape == [shape[0], 1])
      default:
        #expect(tensors["\(full).qweight"]?.shape == [shape[1] / 8, shape[0]])
        #expect(tensors["\(full).scales"]?.shape == [shape[1] / 64, shape[0]])
      }
    }
  }

  /// What is made in small integers at once is read as such, and runs.
  @Test(arguments: [Precision.int8, .int4])
  func aSmallZiyaOfIntegersRunsWithNumbersInBounds(_ precision: Precision) throws {
    let folder = try TemporaryFolder()
    let small = try #require(PublishedModel.named("ziya-tiny"))
    try Synthesis(small, seed: 5, precisions: ["language": precision, "vision": .int8])
      .write(to: folder.file("model"))
    let load = try ModelLoad(CheckpointFolder(folder.file("model")))
    #expect(load.notes == [])
    let kept = Dictionary(uniqueKeysWithValues: load.parts.map { ($0.name, $0.text) })
    #expect(kept["language"]?.hasPrefix(precision.rawValue) == true, "\(kept)")
    #expect(kept["vision"]?.contains("int8") == true, "\(kept)")
    let model = try #require(load.model.chatting)
    var trace = Trace { $0.matches("*.blocks.*.output") }
    let (input, _) = try model.reading(
      Input(turns: [Input.Turn(.user, [.picture(.standIn(0.5)), .text("what is it?")])]))
    try model.pass(input, trace: &trace)
    #expect(trace.records.count > 8)
    for record in trace.records {
      let summary = Summary(record.tensor)
      #expect(summary.nanCount + summary.infinityCount == 0, "\(record.address)")
      #expect(
        summary.standardDeviation > 0.01 && summary.standardDeviation < 100, "\(record.address)")
    }
    let failure = #expect(throws: PrecisionError.self) {
      try Synthesis(small, seed: 5, precisions: ["ears": precision])
    }
    #expect(failure?.description.contains("no part 'ears'") == true)
  }

  @Test func madeUpIntegersAreCenteredAndTheSameEverywhere() throws {
    let filling = WeightFilling.integers
    let whole = filling.bytes(of: "x", seed: 3, from: 0, count: 4000, as: .int32)
    let part = filling.bytes(of: "x", seed: 3, from: 1000, count: 10, as: .int32)
    #expect(part == Array(whole[4000..<4040]))
    let integers = whole.flatMap { [Int($0 & 15), Int($0 >> 4)] }
    #expect(integers.allSatisfy { $0 > 0 })
    #expect(abs(Double(integers.reduce(0, +)) / Double(integers.count) - 8) < 0.1)
    let other = filling.bytes(of: "y", seed: 3, from: 0, count: 10, as: .int32)
    #expect(other != Array(whole[0..<40]))
  }

  @Test func aSynthesizedModelRunsWithNumbersInBounds() throws {
    let folder = try TemporaryFolder()
    let small = try #require(PublishedModel.named("blip2-tiny"))
    let synthesis = try Synthesis(small, seed: 5, type: .bfloat16)
    var reported: [Int] = []
    try synthesis.write(to: folder.file("model"), shardSize: 400_000) { reported.append($0) }
    #expect(reported.last == synthesis.byteCount)
    #expect(folder.names == ["model"], "nothing else is left")
    let names = try CheckpointFolder(folder.file("model")).listing()
    #expect(names.contains("model.safetensors.index.json"))
    #expect(names.count { $0.hasSuffix(".safetensors") } > 3)

    let model = try BLIP2.Model(CheckpointFolder(folder.file("model")))
    let picture = Image(
      width: 8, height: 8, pixels: (0..<192).map { UInt8(truncatingIfNeeded: $0 &* 37) })
    var trace = Trace { _ in true }
    let soft = try model.softPrompt(picture, trace: &trace)
    let sequence = try model.assemble(soft, "what is it?", trace: &trace)
    var options = model.defaultOptions
    options.maxNewTokens = 4
    let answer = try model.write(
      after: sequence, promptIDs: try model.promptIDs("what is it?"), options: options,
      trace: trace)
    let blocks = answer.trace.records.map(\.address).filter { $0.matches("*.blocks.*.output") }
    #expect(!blocks.isEmpty)
    for address in blocks {
      let summary = Summary(try #require(answer.trace[address]))
      #expect(summary.nanCount + summary.infinityCount == 0)
      #expect(
        summary.standardDeviation > 0.01 && summary.standardDeviation < 100,
        "\(address): \(summary.standardDeviation)")
    }
    #expect(answer.generated.tokens.count <= 4)
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let small = try #require(PublishedModel.named("blip2-tiny"))
    func bytes(_ name: String, seed: UInt64, threads: Int) throws -> [UInt8] {
      let synthesis = try Synthesis(small, seed: seed, type: .float16)
      try Parallelism.$threadCount.withValue(threads) {
        try synthesis.write(to: folder.file(name))
      }
      return try WholeFile.read(folder.file("\(name)/model.safetensors"))
    }
    let first = try bytes("first", seed: 1, threads: 1)
    #expect(try bytes("second", seed: 1, threads: 2) == first)
    #expect(try bytes("third", seed: 2, threads: 2) != first)
  }

  @Test func aFolderWithOtherFilesIsNotReplaced() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: folder.file("thesis"), withIntermediateDirectories: true)
    try WholeFile.write("chapter 1", to: folder.file("thesis/text.txt"))
    let small = try #require(PublishedModel.named("blip2-tiny"))
    let synthesis = try Synthesis(small, seed: 1, type: .float16)
    let failure = #expect(throws: FileFailure.self) {
      try synthesis.write(to: folder.file("thesis"))
    }
    #expect(failure?.kind == .occupied)
    #expect(folder.names == ["thesis"])
    #expect(try WholeFile.readText(folder.file("thesis/text.txt")) == "chapter 1")
  }

  @Test func anInterruptedSynthesisLeavesTheOldCheckpoint() throws {
    struct Stopped: Error {}
    let folder = try TemporaryFolder()
    let small = try #require(PublishedModel.named("blip2-tiny"))
    try Synthesis(small, seed: 1, type: .float16).write(to: folder.file("model"))
    let before = try WholeFile.read(folder.file("model/model.safetensors"))
    #expect(throws: Stopped.self) {
      try Synthesis(small, seed: 2, type: .float32).write(to: folder.file("model")) { _ in
        throw Stopped()
      }
    }
    #expect(folder.names == ["model"])
    #expect(try WholeFile.read(folder.file("model/model.safetensors")) == before)
    try Synthesis(small, seed: 2, type: .float32).write(to: folder.file("model"))
    #expect(folder.names == ["model"])
    #expect(try WholeFile.read(folder.file("model/model.safetensors")) != before)
  }
}
