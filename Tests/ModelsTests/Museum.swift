import Checkpoints
import Files
import Foundation
import Images
import Models
import Tensors
import TestSupport
import Testing
import Tracing

/// One run of a model, and how to make it again.
struct KeptRun: Sendable {
  let model: any FamilyModel
  let input: Input
  let values: [Address: Tensor]

  /// Runs a model on the golden picture, with changes on the way.
  init(
    _ model: any FamilyModel, input: Input, edits: [Address: Trace.Edit] = [:]
  ) throws {
    (self.model, self.input) = (model, input)
    var trace = Trace(edits: edits) { _ in true }
    try model.pass(input, trace: &trace)
    values = Dictionary(
      trace.records.map { ($0.address, $0.tensor) }, uniquingKeysWith: { _, later in later })
  }

  init(_ model: any FamilyModel, input: Input, values: [Address: Tensor]) {
    (self.model, self.input, self.values) = (model, input, values)
  }

  /// Where this run parts from `other`, judged by this run's model.
  func parted(
    from other: KeptRun, byPlace: Bool = false,
    progress: @escaping @Sendable (Double) -> Void = { _ in }
  ) throws -> Parting {
    let judge = model
    return try Parting(
      side(judgedBy: judge), other.side(judgedBy: judge), byPlace: byPlace, progress: progress)
  }

  private func side(judgedBy judge: any FamilyModel) -> Parting.Side {
    let input = input
    return Parting.Side(values: values) { trace in try judge.pass(input, trace: &trace) }
  }
}

/// A fault as it happens to people, planted in a copy of a checkpoint or on the way through a run.
struct Exhibit: Sendable, CustomTestStringConvertible {
  let title: String
  /// The place that must be named.
  let place: String
  /// The stage that must be named.
  let stage: String
  /// How many parts are wrong by themselves.
  let partCount: Int
  /// The golden checkpoint that it happens to.
  var model = "blip2"
  /// Makes the right checkpoint what the fault needs.
  var prepare: (@Sendable (DamagedCheckpoint) throws -> Void)?
  /// Changes the files.
  var damage: (@Sendable (DamagedCheckpoint) throws -> Void)?
  /// Changes what passes; gets the numbers of the right run.
  var edits: (@Sendable ([Address: Tensor]) -> [Address: Trace.Edit])?

  var testDescription: String { title }

  /// A fault in the files.
  init(
    _ title: String, at place: String, _ stage: String, parts: Int = 1,
    files: @escaping @Sendable (DamagedCheckpoint) throws -> Void
  ) {
    (self.title, self.place, self.stage, partCount) = (title, place, stage, parts)
    damage = files
  }

  /// A fault on the way.
  ///
  /// It has a name of its own so that the long list below is checked quickly.
  static func passing(
    _ title: String, at place: String, _ stage: String, parts: Int = 1,
    edit: @escaping @Sendable (Tensor, [Address: Tensor]) -> Tensor
  ) -> Exhibit {
    var exhibit = Exhibit(title, at: place, stage, parts: parts) { _ in }
    exhibit.damage = nil
    exhibit.edits = { right in [Address(place): { edit($0, right) }] }
    return exhibit
  }
}

extension Tensor {
  /// Rows in another order.
  fileprivate func picking(_ rows: [Int]) -> Tensor {
    Tensor.concatenated(rows.map { self.rows($0..<$0 + 1) })
  }

  /// Every row one place further, the last first.
  fileprivate var rolled: Tensor { picking([shape[0] - 1] + Array(0..<shape[0] - 1)) }

  /// Each number as bfloat16 has it.
  fileprivate var roughened: Tensor {
    map { Float(bitPattern: ($0.bitPattern &+ 0x7FFF &+ ($0.bitPattern >> 16 & 1)) & 0xFFFF_0000) }
  }
}

extension Exhibit {
  private static let vision = "vision_model.encoder.layers"
  private static let queries = "qformer.encoder.layer"
  private static let language = "language_model.model.decoder"

  /// Faults of what a published layout's files can say, and of what happens on the way.
  static let all: [Exhibit] = [
    Exhibit(
      "epsilon 1e-5 for 1e-6", at: "vision.blocks.0.norm1.output", "encode"
    ) { try $0.set("vision_config.layer_norm_eps", to: "1e-5") },
    Exhibit(
      "epsilon 1e-5 for 1e-12", at: "qformer.norm.output", "query", parts: 4
    ) { try $0.set("qformer_config.layer_norm_eps", to: "1e-5") },
    .passing("one block of the vision tower skipped", at: "vision.blocks.1.output", "encode") {
      _, right in right[Address("vision.blocks.0.output")] ?? Tensor(0)
    },
    Exhibit(
      "one block's results lost in the file",
      at: "vision.blocks.1.attention.output_projection.output", "encode"
    ) { checkpoint in
      for name in ["self_attn.projection", "mlp.fc2"] {
        for kind in ["weight", "bias"] {
          try checkpoint.changeTensor("\(vision).1.\(name).\(kind)") { .tensor($0 * 0) }
        }
      }
    },
    Exhibit("bilinear for bicubic", at: "picture.pixels.output", "preprocess") {
      try $0.set("resample", to: "2", in: "preprocessor_config.json")
    },
    Exhibit("mean and deviation swapped", at: "picture.pixels.output", "preprocess") {
      try $0.set(
        "image_std", to: "[0.48145466, 0.4578275, 0.40821073]", in: "preprocessor_config.json")
      try $0.set(
        "image_mean", to: "[0.26862954, 0.26130258, 0.27577711]", in: "preprocessor_config.json")
    },
    .passing("red and blue swapped", at: "picture.pixels.output", "preprocess") { pixels, _ in
      pixels.picking([2, 1, 0])
    },
    Exhibit("no rescaling by 255", at: "picture.pixels.output", "preprocess") {
      try $0.set("do_rescale", to: "false", in: "preprocessor_config.json")
    },
    .passing("rows and columns of the patch grid swapped", at: "picture.patches.output", "patchify")
    {
      patches, _ in patches.picking((0..<16).map { $0 % 4 * 4 + $0 / 4 })
    },
    Exhibit(
      "rows and columns inside a patch swapped", at: "vision.embedding.patch.output", "embed"
    ) {
      try $0.changeTensor("vision_model.embeddings.patch_embedding.weight") {
        .tensor($0.transposed())
      }
    },
    Exhibit("position off by one", at: "vision.embedding.output", "embed") {
      try $0.changeTensor("vision_model.embeddings.position_embedding") { table in
        .tensor(table.reshaped(17, 24).rolled.reshaped(1, 17, 24))
      }
    },
    .passing("class token last", at: "vision.embedding.output", "embed") { tokens, _ in
      tokens.picking(Array(1..<17) + [0])
    },
    activation("quick-GELU for GELU", of: "blip2", from: "gelu", to: "quick_gelu", parts: 2),
    activation("GELU for quick-GELU", of: "blip2", from: "quick_gelu", to: "gelu", parts: 2),
    activation(
      "a CLIP's quick-GELU for GELU", of: "clip", from: "gelu", to: "quick_gelu", parts: 2),
    activation(
      "a CLIP's GELU for quick-GELU", of: "clip", from: "quick_gelu", to: "gelu", parts: 2),
    activation("a ViT's quick-GELU for GELU", of: "vit", from: "gelu", to: "quick_gelu", parts: 3),
    Exhibit("ReLU for GELU", at: "vision.blocks.0.mlp.activated", "encode", parts: 2) {
      try $0.set("vision_config.hidden_act", to: "\"relu\"")
    },
    Exhibit(
      "queries and keys of the fused layer swapped", at: "vision.blocks.0.attention.qkv.output",
      "encode"
    ) {
      for kind in ["weight", "bias"] {
        try $0.changeTensor("\(vision).0.self_attn.qkv.\(kind)") { table in
          .tensor(table.picking(Array(24..<48) + Array(0..<24) + Array(48..<72)))
        }
      }
    },
    .passing(
      "softmax scale of the width, not of a head", at: "vision.blocks.1.attention.scores", "encode"
    ) {
      scores, _ in scores * (1 / Float(3).squareRoot())
    },
    .passing("softmax over queries", at: "vision.blocks.0.attention.pattern", "encode") {
      _, right in
      right[Address("vision.blocks.0.attention.scores")]?.transposed().softmax().transposed()
        ?? Tensor(0)
    },
    .passing("heads joined in another order", at: "vision.blocks.0.attention.mixed", "encode") {
      mixed, _ in
      mixed.transposed().picking(Array(8..<16) + Array(0..<8) + Array(16..<24)).transposed()
    },
    Exhibit(
      "output projection transposed", at: "vision.blocks.1.attention.output_projection.output",
      "encode"
    ) {
      try $0.changeTensor("\(vision).1.self_attn.projection.weight") { .tensor($0.transposed()) }
    },
    Exhibit("layer scale left out", at: "vision.blocks.0.mlp.down.output", "encode") {
      for kind in ["weight", "bias"] {
        try $0.changeTensor("\(vision).0.mlp.fc2.\(kind)") { .tensor($0 * 0.9) }
      }
    },
    .passing("missing post-norm", at: "vision.norm.output", "encode") { _, right in
      right[Address("vision.blocks.1.output")] ?? Tensor(0)
    },
    Exhibit("query tokens in another order", at: "qformer.norm.output", "query") {
      try $0.changeTensor("query_tokens") { table in
        .tensor(table.reshaped(6, 20).rolled.reshaped(1, 6, 20))
      }
    },
    Exhibit(
      "half-precision Q-Former", at: "qformer.blocks.0.attention.query.output", "query", parts: 3
    ) { checkpoint in
      let names = try checkpoint.weights().filter { $0.content.isMatrix }.map(\.name)
      for name in names where name.hasPrefix("qformer.") {
        try checkpoint.changeTensor(name) { .tensor($0.roughened) }
      }
    },
    Exhibit(
      "keys and values of the picture exchanged", at: "qformer.blocks.0.cross_attention.key.output",
      "query"
    ) { checkpoint in
      let place = "\(queries).0.crossattention.attention"
      for kind in ["weight", "bias"] {
        let tensors = try TensorCollection(checkpoint.file("model.safetensors"))
        let key = try tensors.floats("\(place).key.\(kind)")
        let value = try tensors.floats("\(place).value.\(kind)")
        try checkpoint.changeTensor("\(place).key.\(kind)") { _ in .tensor(value) }
        try checkpoint.changeTensor("\(place).value.\(kind)") { _ in .tensor(key) }
      }
    },
    Exhibit("projection's bias forgotten", at: "projection.output", "project") {
      try $0.changeTensor("language_projection.bias") { .tensor($0 * 0) }
    },
    .passing("words before the picture", at: "language.sequence.output", "assemble") {
      sequence, _ in sequence.picking(Array(6..<sequence.shape[0]) + Array(0..<6))
    },
    .passing("words one place off", at: "language.tokens.output", "assemble") { tokens, _ in
      tokens.rolled
    },
    Exhibit("text positions without their offset of two", at: "language.positions.output", "decode")
    {
      try $0.changeTensor("\(language).embed_positions.weight") { .tensor($0.rolled.rolled) }
    },
    .passing("causal mask missing", at: "language.blocks.0.attention.scores", "decode") {
      scores, right in
      let q = right[Address("language.blocks.0.attention.query.output")] ?? Tensor(0)
      let k = right[Address("language.blocks.0.attention.key.output")] ?? Tensor(0)
      return HeadAttention(
        queries: Channels(q), keys: Channels(k), values: Channels(k), headCount: 2,
        scale: 1 / Float(8).squareRoot()
      ).scores()
    },
    Exhibit("GELU for ReLU", at: "language.blocks.0.mlp.activated", "decode", parts: 2) {
      try $0.set("text_config.activation_function", to: "\"gelu\"")
    },
    Exhibit("last norm's scale one percent off", at: "language.norm.output", "decode") {
      try $0.changeTensor("\(language).final_layer_norm.weight") { .tensor($0 * 1.01) }
    },
    .passing("head of another vocabulary", at: "language.head.output", "decode") { logits, _ in
      logits.transposed().rolled.transposed()
    },
  ]
}

extension Exhibit {
  /// A vision tower with the other of two functions that are alike.
  private static func activation(
    _ title: String, of model: String, from right: String, to wrong: String, parts: Int
  ) -> Exhibit {
    let key = model == "vit" ? "hidden_act" : "vision_config.hidden_act"
    var exhibit = Exhibit(title, at: "vision.blocks.0.mlp.activated", "encode", parts: parts) {
      try $0.set(key, to: "\"\(wrong)\"")
    }
    exhibit.model = model
    exhibit.prepare = { try $0.set(key, to: "\"\(right)\"") }
    return exhibit
  }
}

extension Safetensors.Content {
  fileprivate var isMatrix: Bool {
    switch self {
    case .tensor(let tensor): tensor.rank == 2
    case .stored(let tensor): tensor.shape.count == 2
    case .integers, .bytes: false
    }
  }
}
