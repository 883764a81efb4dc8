import Checkpoints
import Files
import Foundation
import Models
import Synchronization
import Tensors
import TestSupport
import Testing
import Tracing

@Suite struct MuseumTests {
  private static func input() throws -> Input {
    let golden = Golden.named("blip2")[0]
    return Input(
      image: try golden.image(), prompt: try #require(try golden.expected()["prompt"]?.text))
  }

  @Test(arguments: Exhibit.all) func everyFaultIsNamed(_ exhibit: Exhibit) throws {
    let checkpoint = try DamagedCheckpoint(of: exhibit.model)
    try exhibit.prepare?(checkpoint)
    func model() throws -> any FamilyModel {
      try checkpoint.readAny()
    }
    var input = try Self.input()
    if exhibit.model == "vit" { input.words = nil }
    let right = try KeptRun(try model(), input: input)
    try exhibit.damage?(checkpoint)
    let wrong = try KeptRun(
      try model(), input: input,
      edits: exhibit.edits?(right.values) ?? [:])
    // Whichever side is the reference, the same place is named.
    for parting in [try wrong.parted(from: right), try right.parted(from: wrong)] {
      let first = try #require(parting.first, "\(exhibit.title): nothing parts")
      #expect(first.verdict == .bug)
      #expect((first.firstInside ?? first.place).description == exhibit.place)
      #expect(wrong.model.stage(of: first.place) == exhibit.stage)
      let wrongParts = parting.rows.filter { $0.verdict != .noise }
      #expect(
        wrongParts.count == exhibit.partCount,
        "\(wrongParts.map { "\($0.part) \($0.own?.ratio ?? 0)" })")
      print("museum: \(exhibit.title): \(first.own?.ratio ?? 0)")
    }
  }

  /// Runs of the reference implementation, of all families.
  static let references = ["blip2", "vit", "clip"].flatMap { Golden.named($0) }

  @Test(arguments: references) func aRunOfTheReferenceIsNoise(_ golden: Golden) throws {
    let model = try Family.read(CheckpointFolder(golden.folder))
    let file = try golden.trace()
    let pixels = try file.floats("inputs.pixel_values").rows(0..<1)
    var input = Input(
      picture: .pixels(pixels.reshaped(to: Array(pixels.shape.dropFirst()))))
    if file["inputs.input_ids"] != nil {
      let (shape, ids) = try file.integers("inputs.input_ids")
      let attended = try file.integers("inputs.attention_mask").elements
        .prefix(shape[1]).count { $0 != 0 }
      input.words = .tokens(Array(ids.prefix(shape[1])), attended: attended)
    }
    let names = file.names.filter { !$0.hasPrefix("inputs.") }
    let matching = try PublishedMatching(
      names, of: model, input: input, read: file.floats)
    #expect(matching.misfits.isEmpty)
    #expect(matching.strangers.allSatisfy { $0.contains("logits_per") || $0.contains("_embeds") })
    let ours = try KeptRun(model, input: input)
    let theirs = KeptRun(model, input: input, values: matching.values)
    for byPlace in [false, true] {
      let parting = try ours.parted(from: theirs, byPlace: byPlace)
      #expect(parting.verdict == .noise)
      #expect(parting.rows.count > 5 && parting.rows.allSatisfy { $0.verdict == .noise })
      let worst = parting.rows.max { $0.own?.ratio ?? 0 < $1.own?.ratio ?? 0 }
      print("clean: \(golden): \(worst?.own?.ratio ?? 0) at \(worst?.place.description ?? "-")")
    }
  }

  @Test(arguments: [false, true]) func progressGrowsFromNothingToAll(byPlace: Bool) throws {
    let golden = Golden.named("blip2")[0]
    let run = try KeptRun(try golden.model(), input: try Self.input())
    let shares = Mutex<[Double]>([])
    _ = try run.parted(from: run, byPlace: byPlace) { share in
      shares.withLock { $0.append(share) }
    }
    let seen = shares.withLock { $0 }
    #expect(seen.count > 100 && (seen.first ?? 1) < 0.05)
    #expect(seen == seen.sorted() && abs((seen.last ?? 0) - 1) < 1e-9)
  }

  @Test func oneThreadAndTwoAreNoise() throws {
    let golden = Golden.named("blip2")[0]
    let (model, input) = (try golden.model(), try Self.input())
    let runs = try [1, 2].map { threads in
      try Parallelism.$threadCount.withValue(threads) { try KeptRun(model, input: input) }
    }
    let parting = try runs[0].parted(from: runs[1])
    #expect(parting.verdict == .noise)
    #expect(
      parting.rows.allSatisfy { $0.accumulated.largest == 0 && $0.own?.size == ErrorSize.none })
  }
}
