import Checkpoints
import Files
import Foundation
import Generation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tokenizers
import Tracing

/// A checkpoint with every module's output, as the reference implementation computed it.
struct Golden: Sendable, CustomTestStringConvertible {
  let folder: URL
  let images: URL
  var testDescription: String {
    folder.deletingLastPathComponent().lastPathComponent + "/" + folder.lastPathComponent
  }

  /// The project's own, and a second witness where it lies beside the project.
  static func named(_ name: String) -> [Golden] {
    let own = Golden(folder: Fixtures.goldens.appending(path: name), images: Fixtures.goldens)
    let shared = Fixtures.shared.map {
      Golden(folder: $0.appending(path: "goldens/\(name)"), images: $0.appending(path: "images"))
    }
    return [own] + [shared].compactMap { $0 }
  }

  func expected() throws -> JSON { try JSON(file: folder.appending(path: "expected.json")) }
  func trace() throws -> TensorCollection {
    try TensorCollection(folder.appending(path: "trace.safetensors"))
  }
  func model() throws -> BLIP2.Model { try BLIP2.Model(CheckpointFolder(folder)) }
  func image() throws -> Image {
    let name = try #require(try expected()["image"]?.text)
    let bytes = [UInt8](try Data(contentsOf: images.appending(path: name)))
    return try Image(decoding: bytes, named: name)
  }
}

extension JSON {
  var integers: [Int] { (array ?? []).compactMap(\.int) }
}

/// Compares every tensor of a golden trace with ours of the same name.
///
/// - Returns: how many were compared.
func expectSame(_ found: [PublishedTensor], as golden: TensorCollection, leaving: Set<String> = [])
  throws -> Int
{
  var byName: [String: Tensor] = [:]
  for tensor in found { byName[tensor.name] = tensor.tensor }
  var compared = 0
  var worst: [(String, Float)] = []
  for name in golden.names where !name.hasPrefix("inputs.") && !leaving.contains(name) {
    guard let ours = byName[name] else {
      Issue.record("\(name): the reference has it, Fovea does not")
      continue
    }
    let expected = try golden.floats(name)
    expectClose(ours, to: expected, within: 2e-4, name)
    worst.append((name, relativeDifference(ours, expected)))
    compared += 1
  }
  let largest = worst.max { $0.1 < $1.1 }
  print(
    "golden: \(compared) tensors, largest relative difference \(largest?.1 ?? 0) at \(largest?.0 ?? "-")"
  )
  return compared
}

@Suite struct GoldenTests {
  @Test(arguments: Golden.named("blip2")) func everyModuleOfTheGenerationModelAgrees(
    _ golden: Golden
  ) throws {
    let model = try golden.model()
    let trace = try golden.trace()
    let expected = try golden.expected()
    let image = try golden.image()
    let pixels = try trace.floats("inputs.pixel_values")
    expectClose(
      try model.preprocess(image), to: pixels.reshaped(to: Array(pixels.shape.dropFirst())),
      within: 1e-6, "pixel values")

    let prompt = try #require(expected["prompt"]?.text)
    let ids = try model.promptIDs(prompt)
    #expect(ids == expected["input_ids"]?[0]?.integers || ids == expected["input_ids"]?.integers)
    var run = Trace.everything
    let soft = try model.softPrompt(image, trace: &run)
    let sequence = try model.assemble(soft, prompt, trace: &run)
    let answer = try model.write(
      after: sequence, promptIDs: ids, options: model.defaultOptions, trace: run)
    let compared = try expectSame(model.published(answer.trace), as: trace)
    #expect(compared > 120)
  }

  @Test(arguments: Golden.named("blip2")) func everyAnswerIsTheReferences(_ golden: Golden) throws {
    let model = try golden.model()
    let expected = try golden.expected()
    let image = try golden.image()
    var trace = Trace.nothing
    let soft = try model.softPrompt(image, trace: &trace)
    let prompt = try #require(expected["prompt"]?.text)
    func answer(_ key: String, prompt: String, _ change: (inout GenerationOptions) -> Void) throws {
      guard let value = expected[key] else { return }
      let whole = value[0]?.integers.isEmpty == false ? value[0]?.integers ?? [] : value.integers
      let ids = try model.promptIDs(prompt)
      var options = model.defaultOptions
      options.maxNewTokens = whole.count - ids.count
      change(&options)
      let sequence = try model.assemble(soft, prompt, trace: &trace)
      let found = try model.write(
        after: sequence, promptIDs: ids, options: options, trace: .nothing)
      #expect(ids + found.generated.tokens == whole, "\(key)")
    }
    try answer("greedy", prompt: prompt) { _ in }
    try answer("beam5", prompt: prompt) { $0.numBeams = 5 }
    try answer("beam4", prompt: prompt) { $0.numBeams = 4 }
    try answer("beam3_length_penalty_2", prompt: prompt) {
      ($0.numBeams, $0.lengthPenalty) = (3, 2)
    }
    try answer("beam3_early", prompt: prompt) { ($0.numBeams, $0.earlyStopping) = (3, .always) }
    try answer("repetition_penalty_1.5", prompt: prompt) { $0.repetitionPenalty = 1.5 }
    try answer("repetition_penalty_15", prompt: prompt) { $0.repetitionPenalty = 1.5 }
    try answer("min_new_tokens_10", prompt: prompt) { $0.minNewTokens = 10 }
    try answer("no_repeat_2", prompt: prompt) { $0.noRepeatNgramSize = 2 }
    try answer("caption_greedy", prompt: "") { _ in }
  }

  @Test(arguments: Golden.named("blip2-itm")) func everyModuleOfTheRetrievalModelAgrees(
    _ golden: Golden
  ) throws {
    let model = try golden.model()
    let expected = try golden.expected()
    let texts = try #require(expected["texts"]?.array).compactMap(\.text)
    var vision = Trace.everything
    let tokens = try model.see(try golden.image(), trace: &vision)
    let run = try model.match(tokens, vision: vision, texts: texts) { _ in .everything }
    let compared = try expectSame(model.published(run), as: try golden.trace())
    #expect(compared > 250)
    for (match, pair) in zip(run.matches, try #require(expected["itm_probabilities"]?.array)) {
      #expect(abs(Double(match.probability) - (pair[1]?.double ?? -1)) < 1e-5)
    }
    for (index, match) in run.matches.enumerated() {
      #expect(
        abs(Double(match.similarity) - (expected["itc_scores"]?[0]?[index]?.double ?? -9)) < 1e-5)
    }
  }

  @Test func otherSizesInterpolateThePositions() throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model().resized(to: 72)
    let numbers = try #require(try golden.expected()["class_token_72"]?.array)
      .compactMap { $0.double.map { Float($0) } }
    var trace = Trace { $0.matches("vision.norm.output") }
    let writer = try #require(model.writing as? any SoftPromptModel)
    _ = try writer.softPrompt(try golden.image(), trace: &trace)
    let found = try #require(trace.records.first).tensor
    #expect(found.shape == [37, 24])
    expectClose(found.row(0), to: Tensor(numbers, shape: [24]), within: 1e-5)
  }

  @Test(arguments: [Arithmetic.float32, .bfloat16]) func lookingChangesNothing(
    _ arithmetic: Arithmetic
  ) throws {
    try Arithmetic.$override.withValue(arithmetic) { try expectLookingChangesNothing() }
  }

  private func expectLookingChangesNothing() throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model()
    let image = try golden.image()
    var (all, none) = (Trace.everything, Trace.nothing)
    let seen = try model.softPrompt(image, trace: &all)
    #expect(seen == (try model.softPrompt(image, trace: &none)))
    let sequence = try model.assemble(seen, "Question: what? Answer:", trace: &none)
    let ids = try model.promptIDs("Question: what? Answer:")
    let looked = try model.write(
      after: sequence, promptIDs: ids, options: model.defaultOptions, trace: .everything)
    let plain = try model.write(
      after: sequence, promptIDs: ids, options: model.defaultOptions, trace: .nothing)
    #expect(looked.generated == plain.generated)
  }

  @Test(arguments: [Arithmetic.float32, .bfloat16]) func oneThreadEqualsTwo(
    _ arithmetic: Arithmetic
  ) throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model()
    let image = try golden.image()
    let results = try [1, 2, 3].map { threads in
      try Parallelism.$threadCount.withValue(threads) {
        try Arithmetic.$override.withValue(arithmetic) {
          var trace = Trace.nothing
          return try model.softPrompt(image, trace: &trace)
        }
      }
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test(arguments: [Arithmetic.float32, .bfloat16]) func cachedDecodingEqualsUncached(
    _ arithmetic: Arithmetic
  ) throws {
    try Arithmetic.$override.withValue(arithmetic) { try expectCachedDecodingEqualsUncached() }
  }

  private func expectCachedDecodingEqualsUncached() throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model()
    let decoder = try #require(model.writer).decoder
    var trace = Trace.nothing
    let soft = try model.softPrompt(try golden.image(), trace: &trace)
    let sequence = try model.assemble(soft, "Question: what? Answer:", trace: &trace)
    var cached = decoder.start
    _ = try decoder.read(sequence, after: &cached, trace: &trace)
    var whole = sequence
    for token in [17, 260, 44, 5] {
      let embedded = try decoder.embed([token], trace: &trace)
      whole = Tensor.concatenated([whole, embedded])
      let fast = try decoder.read(embedded, after: &cached, trace: &trace)
      var fresh = decoder.start
      let slow = try decoder.read(whole, after: &fresh, trace: &trace)
      #expect(fast == slow, "logits after token \(token)")
    }
  }

  @Test func everyPatternsRowsSumToOne() throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model()
    var trace = Trace { $0.matches("*.pattern") }
    _ = try model.softPrompt(try golden.image(), trace: &trace)
    #expect(trace.records.count == 2 + 3 + 2)
    for record in trace.records {
      for sum in record.tensor.sum(axis: 2).elements { #expect(abs(sum - 1) < 1e-5) }
    }
  }

  @Test func stagesOneByOneEqualTheWholeRun() throws {
    let golden = Golden.named("blip2")[0]
    let model = try golden.model()
    let image = try golden.image()
    var trace = Trace.nothing
    let input = Input(image: image, prompt: "Question: what? Answer:")
    var last: Tensor?
    for stage in model.stages { last = try stage.run(last, of: input, trace: &trace) }
    let soft = try model.softPrompt(image, trace: &trace)
    var state = try #require(model.writer).decoder.start
    let logits = try #require(model.writer).decoder.read(
      try model.assemble(soft, "Question: what? Answer:", trace: &trace), after: &state,
      trace: &trace)
    #expect(last == logits)
  }
}
