internal import Characters
internal import Checkpoints
internal import Files
internal import Foundation
internal import Hubs
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let load = Command(
    "load", group: "Model", "Reads a model and makes it the one that commands use.",
    Parameter.path(
      "path", default: "scenes",
      "A folder in the published layout; a model that ships, \"scenes\", \"small-clip\", "
        + "\"small-qwen-vl\" or \"scenes-retrieval\"; or the id of one that was downloaded, as "
        + "\"openai/clip-vit-base-patch32\"."
    ).suggesting { _ in ModelPlace.names },
    Parameter.any(
      "dtype", expects: "float32, float16, bfloat16, int8 or int4, or a dictionary of them by part",
      default: Value.none, words: .word,
      "How the weights of layers are kept and multiplied; None leaves them as stored."),
    Parameter.any(
      "quantize", expects: "int8 or int4, or a dictionary of them by part", default: Value.none,
      words: .word,
      "Keep the weights of all layers, or of some parts, as integers; dtype says how those are "
        + "multiplied, and how others are kept."),
    Parameter.optional(
      .text(
        "revision",
        "Of a downloaded model: a branch, a tag, a commit or its beginning; None is the usual branch."
      )),
    Parameter.optional(
      .text(
        "language",
        "The folder or id of its language model, of a BLIP-2 that is published in two folders."
      ).suggesting { _ in ModelPlace.names }),
    Parameter.any(
      "config", expects: "a dictionary or None", default: Value.none,
      "Values in place of those in config.json, by their keys' paths."),
    returns: "a Model",
    details: """
      A folder of that name goes before an id. Ids are looked up where the Hugging Face Hub's and \
      ModelScope's own programs keep what they download (`HF_HUB_CACHE`, `HF_HOME`, \
      `TRANSFORMERS_CACHE`, `MODELSCOPE_CACHE`); `models()` lists what is there. Nothing is \
      downloaded: the error names the command that does. The revision may stand behind the id, as in \
      `"owner/name@v1.0"`, and the folder `models--owner--name` of a cache will do as well.

      Ziya-BLIP2-14B-Visual is published without its language model, Ziya-LLaMA-13B: \
      `load("visual", language="llm")` puts the two together. Such a BLIP-2 with a LLaMA reads \
      `<human>:…`, a line break and `<bot>:` behind the picture; how its own code puts picture and text \
      together is not known, so the ways are choices (`chat_format` of `chat` and `make_context`).

      What the published code left open, or changed, can be chosen: `config={"perceiver_config.rms_norm_eps": \
      1e-5}` takes the epsilon that an Idefics2's perceiver had in the first code, \
      `{"vision_config.position_rounding": "4.40"}` its rounding of places. `describe()` says where each value \
      is from.

      Without `dtype`, weights stay in their file and in the type they were stored in, and results \
      are exact to float32; so they are with `"float32"`. The short names `"fp16"`, `"bf16"`, `"half"` and \
      the like will do. `"float16"` rounds the weights, \
      `"bfloat16"` weights and what they are multiplied with. `"int8"` and `"int4"` keep small \
      integers with scales: less memory, and more tokens a second. What they are multiplied with is \
      not rounded; with `dtype="bfloat16"` beside them, or in `"int8-bfloat16"` and `"int4-bfloat16"`, \
      it is rounded to bfloat16, and long prompts are read faster. Integers that a checkpoint holds stay \
      integers, whatever `dtype` is. A dictionary chooses for each \
      part: a BLIP-2 has `vision`, `qformer`, `projection` and `language`, a ViT `vision`, a CLIP \
      `vision`, `text` and `joint`, a LLaMA `language`, a Qwen-VL `vision`, `resampler`, `projection` and \
      `language`. Norms, biases and tables of embeddings always stay as \
      stored. Weights that are stored so already are not copied; for others, what they will take \
      is compared with the memory there is first. `fovea convert` keeps the result, but leaves a head \
      that shares the table of embeddings as it is stored.
      """,
    examples: [
      Example("load(\"scenes\")", "Go back to the model that ships."),
      Example("load(\"scenes\", quantize=\"int8\")", "A quarter of the bytes a weight."),
      Example(
        "load(\"scenes\", dtype={\"vision\": \"bfloat16\", \"language\": \"int4\"})\nload()",
        "A precision for each of two parts, and back."),
    ],
    seeAlso: ["models", "stages", "describe"]
  ) { session, path, dtype, quantize, revision, language, config in
    let given = try config.givenSettings
    let typed = session.readableURL(for: path)
    let model = try NearestFile.suggesting(
      for: path, at: typed, or: ShippedModel.all.map(\.name)
    ) {
      let url = try ModelPlace.folder(path, revision: revision) { session.readableURL(for: $0) }
      let precisions = try PrecisionChoice.read(dtype: dtype, quantize: quantize, for: url)
      let speaking = try language.map {
        try ModelPlace.folder($0) { session.readableURL(for: $0) }
      }
      return try LoadedModel.read(
        CheckpointFolder(url, language: speaking, givenSettings: given), precisions: precisions,
        in: session)
    }
    session[CurrentModel.self] = model
    return .object(model)
  }

  static let stages = Command(
    "stages", group: "Model", "Lists the stages of the model, in the order a picture takes them.",
    returns: "a Table of name, what goes in, what comes out, and a sentence",
    examples: [Example("stages()", "The way from a picture to an answer.")],
    seeAlso: ["describe", "graph", "run"]
  ) { session in
    var table = Table(
      ["stage", "from", "to", "what it does"],
      try session.model().model.stages.map { stage in
        [.text(stage.name), .text(stage.input), .text(stage.output), .text(stage.summary)]
      })
    table.importance = ["stage", "what it does", "to"]
    return .object(table)
  }

  static let describe = Command(
    "describe", group: "Model", "Tells what is known of a value: a model, a tensor, a place.",
    Parameter.any(
      "what", default: Value.none,
      "A value, the address of a place, or a stage's name; None for the model."),
    returns: "text",
    details: "Of a place it tells shape, stage and the name in the published implementation, "
      + "for every place that the address begins or that fits it with * for anything; of a stage, "
      + "for every place that it passes.",
    examples: [
      Example("describe()", "The sizes of the model in use."),
      Example("describe(\"vision.blocks.0.attention\")", "The places of one attention."),
      Example("describe(preprocess(scene(7)))", "A tensor's numbers at a glance."),
    ], seeAlso: ["stages", "show"]
  ) { session, what in
    switch what {
    case .none: return .object(try session.description(of: try session.model()))
    case .object(let model as LoadedModel): return .object(try session.description(of: model))
    case .text(let address):
      return .object(try Description(ofPlaces: address.string, in: try session.model()))
    default:
      if let tensor = what.tensor { return .object(Description(of: tensor)) }
      return .object(Description(text: what.glance))
    }
  }
}

extension Value {
  /// What stands in for settings of a model's `config.json`, by their path; dictionaries in it are sections.
  fileprivate var givenSettings: JSON.Object {
    get throws {
      guard case .dictionary(let mapping) = self else {
        guard case .none = self else {
          throw ArgumentFailure(
            parameter: "config",
            "must be a dictionary of keys and values, not \(inMessage)",
            note: "as in config={\"perceiver_config.rms_norm_eps\": 1e-5}")
        }
        return JSON.Object()
      }
      return JSON.Object(
        try mapping.entries.flatMap { key, value -> [(String, JSON)] in
          guard let key = key.text, !key.isEmpty else {
            throw ArgumentFailure(
              parameter: "config", "must have keys' paths, not \(key.inMessage)")
          }
          guard case .dictionary = value else { return [(key, value.json)] }
          return try value.givenSettings.members.map { ("\(key).\($0.key)", $0.value) }
        })
    }
  }
}

extension Session {
  fileprivate func description(of model: LoadedModel) throws -> Description {
    Description(of: model, matching: try model.orCompanion(with: .matching))
  }
}

/// Sentences about a value.
struct Description: ForeignObject {
  /// More bytes than any place's address has.
  private static let longestAddress = 1000

  /// Made when it is shown: a table in it fits the screen.
  private let text: @Sendable () -> String
  var typeName: String { "Description" }
  var shown: String { text() }

  init(text: String) { self.text = { text } }

  /// Describes a model; `matching` is the one that answers `match` for it.
  init(of loaded: LoadedModel, matching: LoadedModel?) {
    let model = loaded.model
    var lines = ["\(loaded.name): \(model.family) (\(model.source))"]
    if let cached = loaded.cached {
      lines.append(
        "revision    " + (cached.revisionText ?? "not known")
          + " of \(cached.id), from \(cached.hub.rawValue)")
    }
    lines += model.facts.map { fact in
      fact.subject + String(repeating: " ", count: max(1, 12 - fact.subject.count)) + fact.text
    }
    // A tower alone has nothing in the other parts.
    let parts = loaded.parts.filter { !$0.text.isEmpty }
    let width = parts.map(\.name.count).max() ?? 0
    for (index, part) in parts.enumerated() {
      let name = part.name + String(repeating: " ", count: width - part.name.count)
      lines.append((index == 0 ? "weights     " : "            ") + "\(name)  \(part.text)")
    }
    for (index, setting) in loaded.givenSettings.members.enumerated() {
      lines.append(
        (index == 0 ? "config      " : "            ")
          + "\(setting.key) is \(setting.value.written()), given to load")
    }
    for (index, change) in loaded.changes.enumerated() {
      lines.append((index == 0 ? "changes     " : "            ") + change.written)
    }
    if let matching = matching?.model.matching {
      lines.append(
        "matching    pictures with texts, by match(); shared space of "
          + "\(matching.sharedWidth) channels")
    }
    if loaded.isShipped {
      lines.append(
        "knows       only Fovea's own scenes: a few plain shapes on a plain or textured ground")
    }
    self.init(text: lines.joined(separator: "\n"))
  }

  /// Describes the places of a model that `address` begins, or that fit it.
  init(ofPlaces address: String, in loaded: LoadedModel) throws {
    let model = loaded.model
    let stages = model.stages
    guard address.utf8.count <= Self.longestAddress else {
      throw RuntimeFailure(.key, "\(loaded.name) has no place \(Value.text(address).inMessage)")
    }
    // A text beside the picture shows the places of its way as well.
    let words = "a"
    let input = Input(prompt: stages.contains { $0.branch == .text } ? words : "")
    let places = try model.outline(input).places
    let names = places.map(\.address.description)
    // A stage's name stands for the places that it passes.
    let isStage = stages.contains { $0.name == address }
    let fitting = places.indices.filter {
      isStage
        ? stages.stage(of: places[$0].address)?.name == address
        : names[$0] == address || names[$0].hasPrefix(address + ".")
          || places[$0].address.matches(address)
    }
    guard !fitting.isEmpty else {
      // A part of an address is a name as well.
      let known = Set(
        places.flatMap { place in
          let parts = place.address.parts
          return (1...parts.count).map { parts.prefix($0).joined(separator: ".") }
        })
      let parts = Set(places.compactMap { $0.address.parts.first }).sorted()
      throw RuntimeFailure(
        .key, "\(loaded.name) has no place \(Value.text(address).inMessage)",
        hint: NearestPlace.hint(address, among: known.sorted() + stages.map(\.name)),
        notes: [
          "its places begin with \(parts.joined(separator: ", ")); its stages are "
            + stages.map(\.name).joined(separator: ", ")
        ])
    }
    let rows = fitting.map { index in
      [
        names[index], "\(places[index].shape)", stages.stage(of: places[index].address)?.name ?? "",
        model.publishedPlaces(of: places[index].address).joined(separator: ", "),
      ]
    }
    let isOfText = fitting.contains {
      stages.stage(of: places[$0].address)?.branch == .text
    }
    let name = loaded.name
    text = {
      "\(rows.count.counted(as: "place")) of \(name)\n"
        + TextTable(
          ["place", "shape", "stage", "published name"], rows, importance: [0, 1, 3, 2]
        ).text
        + (isOfText ? "\nshapes are those of the text \(Value.text(words).represented)" : "")
    }
  }

  init(of tensor: Tensor) {
    let summary = Summary(tensor)
    var lines = ["shape       \(tensor.shape), float32, \(tensor.count) numbers"]
    if let range = summary.range {
      lines.append(
        "range       \(Digits.short(Double(range.lowerBound))) to "
          + Digits.short(Double(range.upperBound)))
      lines.append(
        "mean        \(Digits.short(summary.mean)), deviation "
          + Digits.short(summary.standardDeviation))
    }
    lines.append("not finite  \(summary.nanCount) NaN, \(summary.infinityCount) infinite")
    self.init(text: lines.joined(separator: "\n"))
  }
}
