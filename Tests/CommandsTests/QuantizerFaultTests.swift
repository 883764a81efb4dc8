import Checkpoints
import Commands
import Files
import Foundation
import Making
import Models
import Runtime
import Tensors
import TestSupport
import Testing

/// A converted checkpoint whose bytes can be changed in place.
final class ConvertedCheckpoint {
  let folder: TemporaryFolder
  let url: URL

  init(_ source: URL, type: ElementType? = nil, _ precision: Precision? = nil) throws {
    folder = try TemporaryFolder()
    url = folder.file("converted")
    let checkpoint = try CheckpointFolder(source)
    let parts = try Family.find(checkpoint).family.parts.map(\.name)
    let precisions = precision.map { chosen in
      Dictionary(uniqueKeysWithValues: parts.map { ($0, chosen) })
    }
    try Conversion(checkpoint, type: type, precisions: precisions ?? [:]).write(to: url)
  }

  /// Changes the bytes of one tensor of the file.
  func change(_ name: String, _ change: (_ shape: [Int], inout [UInt8]) throws -> Void) throws {
    let file = url.appending(path: "model.safetensors")
    var bytes = [UInt8](try Data(contentsOf: file))
    let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = try JSON(parsing: Array(bytes[8..<8 + length]), limit: 1 << 24)
    let entry = try #require(header[name], "\(name)")
    let shape = (entry["shape"]?.array ?? []).compactMap(\.int)
    let range = (entry["data_offsets"]?.array ?? []).compactMap(\.int)
    #expect(range.count == 2)
    let place = 8 + length + range[0]..<8 + length + range[1]
    var part = Array(bytes[place])
    try change(shape, &part)
    bytes.replaceSubrange(place, with: part)
    try Data(bytes).write(to: file)
  }
}

/// A mistake that quantizers and readers of their files make.
struct QuantizerFault: Sendable, CustomTestStringConvertible {
  let title: String
  let precision: Precision
  /// The suffix of the tensor that is wrong.
  let tensor: String
  let change: @Sendable (_ shape: [Int], inout [UInt8]) -> Void
  var testDescription: String { title }

  /// Exchanges pieces of `size` bytes.
  static func exchange(_ a: Int, _ b: Int, size: Int, in bytes: inout [UInt8]) {
    for offset in 0..<size { bytes.swapAt(a * size + offset, b * size + offset) }
  }

  static let all: [QuantizerFault] = [
    QuantizerFault(title: "scales of two rows swapped", precision: .int8, tensor: ".weight._scale")
    {
      // Scales have the type of the numbers around them.
      shape, bytes in exchange(0, shape[0] / 2, size: bytes.count / shape[0], in: &bytes)
    },
    QuantizerFault(title: "scales one row off", precision: .int8, tensor: ".weight._scale") {
      shape, bytes in
      let size = bytes.count / shape[0]
      bytes = Array(bytes.suffix(size) + bytes.dropLast(size))
    },
    QuantizerFault(
      title: "one integer with the wrong sign", precision: .int8, tensor: ".weight._data"
    ) {
      _, bytes in
      let place = bytes.firstIndex { $0 == 127 || $0 == 129 } ?? 0
      bytes[place] = 0 &- bytes[place]
    },
    QuantizerFault(title: "zero point off by one in one group", precision: .int4, tensor: ".qzeros")
    {
      _, bytes in
      // The lowest four bits are the first row's, in its first group.
      bytes[0] = bytes[0] & 0xF0 | (bytes[0] & 0x0F == 0 ? 1 : (bytes[0] & 0x0F) - 1)
    },
    QuantizerFault(
      title: "zero points as they are, not less one", precision: .int4, tensor: ".qzeros"
    ) {
      _, bytes in
      bytes = bytes.map { ($0 & 0xF0 &+ 0x10) | ($0 &+ 1) & 0x0F }
    },
    QuantizerFault(
      title: "every group with the next one's zero point", precision: .int4, tensor: ".qzeros"
    ) {
      shape, bytes in
      let row = bytes.count / shape[0]
      bytes = Array(bytes.dropFirst(row) + bytes.prefix(row))
    },
    QuantizerFault(
      title: "every group with the next one's scale", precision: .int4, tensor: ".scales"
    ) {
      shape, bytes in
      let row = bytes.count / shape[0]
      bytes = Array(bytes.dropFirst(row) + bytes.prefix(row))
    },
    QuantizerFault(
      title: "low and high half of each byte exchanged", precision: .int4, tensor: ".qweight"
    ) {
      _, bytes in bytes = bytes.map { $0 << 4 | $0 >> 4 }
    },
  ]
}

@Suite struct QuantizerFaultTests {
  /// Runs of both folders, compared both ways; the second way around is the last `t`.
  static func compare(
    _ original: URL, _ converted: URL, prompt: String = "a circle"
  ) throws -> [Workshop] {
    try [(original, converted), (converted, original)].map { first, second in
      let workshop = try Workshop()
      for (name, folder) in [("a", first), ("b", second)] {
        _ = try workshop.value(
          "load(\"\(folder.path)\")\n\(name) = run(scene(7), \"\(prompt)\", max_new_tokens=2)\n\(name)"
        )
      }
      _ = try workshop.value("t = compare(a, b)\nt")
      return workshop
    }
  }

  @Test(arguments: QuantizerFault.all)
  func aBrokenQuantizerIsNamedThroughItsRounding(_ fault: QuantizerFault) throws {
    // Its layers have several groups, which the small golden models have not.
    let checkpoint = try ConvertedCheckpoint(ShippedModel.folder, fault.precision)
    let layer = "vision_model.encoder.layers.1.mlp.fc1"
    try checkpoint.change(layer + fault.tensor, fault.change)
    for workshop in try Self.compare(ShippedModel.folder, checkpoint.url) {
      let shown = try workshop.value("t").displayed
      #expect(
        try workshop.value("(t.verdict, t.first, t.stage)").plain
          == "('bug', 'vision.blocks.1.mlp.up.output', 'encode')", "\(shown)")
      let verdicts = try workshop.texts("t[\"verdict\"]")
      #expect(verdicts.count { $0 != "noise" } == 1, "\(verdicts)")
      let rounding = try workshop.texts("t[\"rounding\"]").compactMap(Double.init)
      print("quantizer: \(fault.title): \(rounding.max() ?? 0)")
    }
  }

  /// How a checkpoint may lie in its folder.
  static let formats: [(type: ElementType?, precision: Precision?)] = [
    (.float32, nil), (.float16, nil), (.bfloat16, nil), (nil, .int8), (nil, .int4),
    (.float16, .int4),
  ]

  /// The golden models in every format; the model that ships, float16 throughout and the only one with
  /// several groups a row, in int4.
  static let folders =
    ["blip2", "vit", "clip"].flatMap { model in formats.indices.map { (model, $0) } }
    + formats.indices.filter { formats[$0].precision == .int4 }.map { ("", $0) }

  @Test(arguments: folders)
  func aFolderInAnyFormatIsNoiseBesideTheOriginal(_ model: String, _ format: Int) throws {
    let folder = try TemporaryFolder()
    // Numbers that no half precision has.
    let source: URL
    if model.isEmpty {
      source = ShippedModel.folder
    } else {
      source = folder.file("source")
      try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: model), to: source)
      let file = source.appending(path: "model.safetensors")
      let tensors = try TensorCollection(file)
      var noise = SmallNoise(seed: 5)
      try Safetensors.write(
        try tensors.names.map { name in
          (name: name, tensor: try tensors.floats(name).map { $0 * (1 + noise.next() * 0.01) })
        }, to: file)
    }
    let (type, precision) = Self.formats[format]
    let checkpoint = try ConvertedCheckpoint(source, type: type, precision)
    let prompt = model == "vit" || model == "clip" ? "" : "a circle"
    for workshop in try Self.compare(source, checkpoint.url, prompt: prompt) {
      let shown = try workshop.value("t").displayed
      #expect(Set(try workshop.texts("t[\"verdict\"]")) == ["noise"], "\(shown)")
      // The other way around, and through a file.
      _ = try workshop.value("save(b.trace, \"run.safetensors\")")
      if precision == nil {
        _ = try workshop.value("t = compare(b, \"fovea-out/run.safetensors\")\nt")
        #expect(try workshop.value("t.verdict").plain == "noise")
      }
      let rounding = precision == nil ? "" : try workshop.texts("t[\"rounding\"]").description
      print("clean: \(model) \(type?.rawValue ?? "-") \(precision?.rawValue ?? "-") \(rounding)")
    }
  }
}

/// A decoder whose first block holds what GPTQ's own tool made of two layers.
@Suite struct MovedWeightTests {
  private static let block = "language_model.model.decoder.layers.0."

  /// The model that ships in int4, with weights of `Tests/Goldens/gptq`.
  private func checkpoint(_ variant: String, _ layers: [String]) throws -> ConvertedCheckpoint {
    let moved = try TensorCollection(Fixtures.goldens.appending(path: "gptq/moved.safetensors"))
    let checkpoint = try ConvertedCheckpoint(ShippedModel.folder, .int4)
    for layer in layers {
      for tensor in ["qweight", "qzeros", "scales", "g_idx"] {
        let stored = try moved.rawBytes("\(variant).\(layer).\(tensor)")
        try checkpoint.change("\(Self.block)\(layer).\(tensor)") { _, bytes in
          #expect(bytes.count == stored.count)
          bytes = stored
        }
      }
    }
    return checkpoint
  }

  private func table(_ checkpoint: ConvertedCheckpoint) throws -> [(verdict: String, shown: String)]
  {
    try QuantizerFaultTests.compare(ShippedModel.folder, checkpoint.url).map { workshop in
      (try workshop.value("t.verdict").plain, try workshop.value("t").displayed)
    }
  }

  @Test(arguments: [("neighbours", ["self_attn.k_proj"]), ("sorted", ["self_attn.k_proj", "fc2"])])
  func weightsThatGPTQMovedAreNoise(_ variant: String, _ layers: [String]) throws {
    for (verdict, shown) in try table(try checkpoint(variant, layers)) {
      #expect(verdict == "noise", "\(shown)")
      #expect(
        shown.contains("in 1 of 25 parts the integers are not the nearest to the weights"),
        "\(shown)")
    }
  }

  @Test func aZeroPointThatIsOffByOneIsFoundAmongThem() throws {
    let checkpoint = try checkpoint("neighbours", ["self_attn.k_proj"])
    try checkpoint.change("\(Self.block)self_attn.k_proj.qzeros") { _, bytes in
      bytes[3] = bytes[3] & 0xF0 | ((bytes[3] & 0x0F) == 0 ? 1 : (bytes[3] & 0x0F) - 1)
    }
    for (verdict, shown) in try table(checkpoint) {
      #expect(verdict == "bug", "\(shown)")
      #expect(
        shown.contains(
          "part at language.blocks.0.attention.key.output (decode): the weights of group 0 of row 6 "
        ),
        "\(shown)")
      #expect(shown.contains("all along one line"), "\(shown)")
    }
  }

  @Test func anOrderThatIsLeftOutIsFound() throws {
    let checkpoint = try checkpoint("sorted", ["self_attn.k_proj", "fc2"])
    try checkpoint.change("\(Self.block)self_attn.k_proj.g_idx") { shape, bytes in
      for input in 0..<shape[0] { bytes[4 * input] = UInt8(input / 64) }
    }
    for (verdict, shown) in try table(checkpoint) {
      #expect(verdict == "bug", "\(shown)")
      #expect(shown.contains("part at language.blocks.0.attention.key.output"), "\(shown)")
    }
  }
}

@Suite struct BatchCompareTests {
  private static let clip = Fixtures.goldens.appending(path: "clip")

  /// The reference's trace of two pictures and three texts, with a change.
  private func file(
    _ folder: TemporaryFolder, _ key: String = "", at index: Int = 0
  ) throws -> URL {
    let golden = try TensorCollection(Self.clip.appending(path: "trace.safetensors"))
    let url = folder.file("batch.safetensors")
    try Safetensors.write(
      try golden.names.map { name -> (name: String, content: Safetensors.Content) in
        if ["inputs.input_ids", "inputs.attention_mask"].contains(name) {
          let (shape, ids) = try golden.integers(name)
          return (name, .integers(ids, shape: shape))
        }
        let tensor = try golden.floats(name)
        guard name == key else { return (name, .tensor(tensor)) }
        var elements = tensor.elements
        elements[index] += 0.05
        return (name, .tensor(Tensor(elements, shape: tensor.shape)))
      }, to: url)
    return url
  }

  @Test func everyEntryOfABatchIsCompared() throws {
    let folder = try TemporaryFolder()
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.clip
    let right = Self.clip.appending(path: "trace.safetensors").path
    func table(_ first: String, _ second: String) throws -> String {
      try workshop.value("t = compare(\"\(first)\", \"\(second)\")\nt").displayed
    }
    let clean = try table(right, try file(folder).path)
    #expect(try workshop.value("t.verdict").plain == "noise", "\(clean)")
    #expect(clean.contains("3 entries of a batch were compared"))
    // The second picture's and the third text's numbers, which the first entry does not show.
    let places: [(key: String, width: Int, rows: Int, entry: Int, place: String)] = [
      ("vision_model.encoder.layers.1.mlp.fc1", 96, 17, 1, "vision.blocks.1.mlp.up.output"),
      (
        "text_model.encoder.layers.0.self_attn.q_proj", 16, 10, 2,
        "text.blocks.0.attention.query.output"
      ),
    ]
    for (key, width, rows, entry, place) in places {
      let wrong = try file(folder, key, at: (entry * rows + 3) * width + 5).path
      for (first, second) in [(right, wrong), (wrong, right)] {
        let shown = try table(first, second)
        #expect(
          try workshop.value("(t.verdict, t.first)").plain == "('bug', '\(place)')", "\(shown)")
        #expect(shown.contains("), entry \(entry): its own error"), "\(shown)")
      }
    }
  }

  @Test func theWorstPlaceOfABatchIsNamedWithItsEntry() throws {
    let folder = try TemporaryFolder()
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.clip
    let right = Self.clip.appending(path: "trace.safetensors").path
    let wrong = try file(
      folder, "vision_model.encoder.layers.1.mlp.fc1", at: (17 + 3) * 96 + 5
    ).path
    _ = try workshop.value("t = compare(\"\(right)\", \"\(wrong)\", every=True)\nt")
    let row = try #require(
      try workshop.texts("t[\"place\"]").firstIndex(of: "vision.blocks.1.mlp.up.output"))
    #expect(try workshop.texts("t[\"at\"]")[row] == "entry 1, patch 0,2, channel 5")
  }

  @Test func aRunStandsBesideTheEntryWithItsPicture() throws {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Self.clip
    let right = Self.clip.appending(path: "trace.safetensors").path
    let expected = try JSON(file: Self.clip.appending(path: "expected.json"))
    let name = expected["images"]?[1]?.text ?? expected["image"]?.text ?? ""
    let picture = Fixtures.goldens.appending(path: name).path
    let shown = try workshop.value("t = compare(run(\"\(picture)\"), \"\(right)\")\nt").displayed
    #expect(try workshop.value("t.verdict").plain == "noise", "\(shown)")
    let differences = try workshop.texts("t[\"relative\"]").compactMap(Double.init)
    #expect(!differences.isEmpty && differences.allSatisfy { $0 < 1e-4 }, "\(shown)")
  }
}
