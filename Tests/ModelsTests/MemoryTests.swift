import Budget
import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Tracing

@testable import Models

/// What a run is going to take, and what it takes.
@Suite struct MemoryTests {
  private static let families = [
    "blip2", "blip2-itm", "vit", "clip", "clip-open", "llama", "mistral", "qwen-vl", "idefics2",
    "ziya",
  ]

  private func model(_ name: String) throws -> any FamilyModel {
    let folder = Fixtures.goldens.appending(path: name)
    return try Family.read(CheckpointFolder(folder))
  }

  @Test(arguments: families, ["", "a red circle"])
  func anOutlineIsWhatARunPasses(_ family: String, _ prompt: String) throws {
    let model = try model(family)
    let input = Input(prompt: prompt)
    var trace = Trace.everything
    try model.pass(input, trace: &trace)
    let outline = try model.outline(input)
    #expect(outline.places.map(\.address) == trace.records.map(\.address))
    #expect(outline.places.map(\.shape) == trace.records.map(\.tensor.shape))
    #expect(outline.byteCount == trace.records.reduce(0) { $0 + $1.tensor.count * 4 })
  }

  @Test func anOutlineOfMatchingIsWhatMatchingPasses() throws {
    let model = try model("blip2-itm")
    let matcher = try #require(model.matching)
    let texts = ["a red circle", "a star"]
    var vision = Trace.everything
    let tokens = try matcher.see(SmallCheckpoint.picture, trace: &vision)
    let run = try matcher.match(tokens, vision: vision, texts: texts) { _ in .everything }
    var found = run.vision.records + run.contrastImage.records
    for text in texts.indices {
      found += run.matching[text].records + run.contrastTexts[text].records
    }
    let outline = try matcher.matchingOutline(texts: texts)
    #expect(outline.places.map(\.address) == found.map(\.address))
    #expect(outline.places.map(\.shape) == found.map(\.tensor.shape))
  }

  @Test func theCacheIsAsLargeAsItIsTold() throws {
    let model = try #require(try model("blip2").writing)
    let width = 16
    // In pages of 64 tokens; values have room for whole vectors of 16 channels a head.
    #expect(model.cacheByteCount(tokenCount: 64).isMultiple(of: 64 * 4 * width))
    #expect(model.cacheByteCount(tokenCount: 64) >= 2 * 64 * 4 * width)
    #expect(model.cacheByteCount(tokenCount: 10) == model.cacheByteCount(tokenCount: 64))
    // No more than the longest sequence.
    #expect(model.cacheByteCount(tokenCount: .max) == model.cacheByteCount(tokenCount: 1 << 30))
  }

  /// Keys and values of prompt and answer, and the prompt's mask, whatever the family.
  @Test(arguments: ["blip2", "llama", "mistral", "qwen-vl", "idefics2", "ziya"])
  func theForecastHasWhatARunHolds(_ family: String) throws {
    let model = try #require(try model(family).writing)
    let input = Input(prompt: "a red circle")
    var (trace, slots) = (Trace.nothing, Slots(input))
    try model.stages.of(input).steps.walk(&slots, trace: &trace)
    let state = try #require(slots.reading)
    let count = state.tokenCount
    let forecast = try RunMemory(model, input, newTokens: 20)
    #expect(
      forecast.cacheByteCount
        == state.caches.reduce(0) { $0 + ($1?.byteCount(tokenCount: count + 20) ?? 0) })
    #expect(forecast.cacheByteCount > 0 && forecast.maskByteCount == 4 * count * count)
    let words = forecast.estimate { _ in false }.parts.filter { $0.byteCount > 0 }.map(\.what)
    #expect(words == ["cache", "mask", "activations"])
    let twice = try RunMemory(model, input, newTokens: 20, beams: 2)
    #expect(twice.cacheByteCount == 2 * forecast.cacheByteCount)
  }

  @Test func aRunThatDoesNotFitIsRefusedWithItsPartsAndAWayOut() throws {
    let run = try RunMemory(model("blip2"), Input(prompt: "a circle"), newTokens: 20)
    let all = run.estimate { _ in true }
    let patterns = run.estimate { $0.matches("*.pattern") }
    #expect(patterns.byteCount < all.byteCount)
    func check(_ available: Int) throws {
      try run.check(
        "run", keeping: { _ in true }, available: available, mapped: 5_000_000,
        keep: { "keep=\"\($0)\"" }, force: "memory(\"any\")")
    }
    try check(all.byteCount)
    try check(.max)
    let failure = #expect(throws: MemoryShortage.self) { try check(all.byteCount - 1) }
    #expect(failure?.exitCode == ExitCode.outOfMemory)
    let words = failure?.description ?? ""
    for word in [
      "kept places", "cache", "activations", "5.0 MB in their files", "can be had",
      "keep=\"*.pattern\"", "memory(\"any\")",
    ] {
      #expect(words.contains(word), "\(words)")
    }
    // Where not even the patterns fit, none are kept; where nothing helps, that is said.
    let little = #expect(throws: MemoryShortage.self) { try check(patterns.byteCount - 1) }
    #expect(little?.description.contains("*.pattern") == false, "\(little?.description ?? "")")
    let nothing = #expect(throws: MemoryShortage.self) { try check(10) }
    #expect(nothing?.description.contains("end what else takes memory") == true)
  }
}
