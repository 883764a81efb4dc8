internal import Budget
internal import Files
internal import Generation
internal import Models
internal import Runtime
internal import Tracing

/// How the most memory that a session may take is written.
public enum MemoryLimit {
  /// Reads `4GB`, or `any` for no limit; nil for anything else.
  public static func bytes(_ text: String) -> Int? {
    text.lowercased() == "any" ? .max : Int(byteCount: text)
  }
}

extension Session {
  /// The memory that a load or a run may take.
  var availableMemory: Int { memory.limit ?? AvailableMemory.byteCount }

  /// Refuses what `model` is going to do if that takes more memory than there is.
  ///
  /// - Parameters:
  ///   - input: what it starts from, where that is more than a prompt.
  ///   - stage: the stage that runs; nil for all.
  ///   - keep: the places that are kept.
  ///   - newTokens: the most tokens that are written; nil for none.
  /// - Throws: `MemoryShortage`; what reading the prompt throws.
  func checkMemory(
    model: LoadedModel, input: Input? = nil, prompt: String = "", stage: String? = nil,
    keep: String, newTokens: Int? = nil, beams: Int = 1
  ) throws {
    var run = try RunMemory(
      model.model, input ?? Input(prompt: prompt), newTokens: newTokens, beams: beams)
    if let stage {
      let steps = model.model.stages.filter { $0.name == stage }.steps
      run = RunMemory(
        outline: run.outline.filtered { address in steps.contains { $0.passes(address) } },
        cacheByteCount: stage == "decode" ? run.cacheByteCount : 0,
        maskByteCount: stage == "decode" ? run.maskByteCount : 0)
    }
    try run.check(
      "this", keeping: { $0.matches(keep) }, available: availableMemory,
      mapped: model.mappedByteCount,
      keep: { "keep=\"\($0)\"" }, force: "memory(\"any\")")
  }
}

extension LoadedModel {
  /// Bytes of the weights that stay in their files.
  var mappedByteCount: Int { parts.reduce(0) { $0 + $1.mappedByteCount } }
  /// Bytes of the weights that were converted.
  var ownByteCount: Int { parts.reduce(0) { $0 + $1.ownByteCount } }
}

extension Command {
  static let memory = Command(
    "memory", group: "Model", "Tells what a run is going to take, and what there is.",
    Parameter.optional(
      .text(
        "limit",
        "The most that a load or run may take, such as \"4GB\"; \"any\" for no limit, \"free\" "
          + "for what can be had.")),
    Parameter.text("prompt", default: "", "The text that the run goes on from."),
    Parameter.maxNewTokens,
    Parameter.keep,
    returns: "a Table: a line a reason",
    details: """
      Before a load converts weights, and before a run keeps places, what they will take is compared \
      with the memory that the system and its control groups have left. What does not fit is refused \
      with these numbers; nothing was begun then. Weights in their files are not counted: the system \
      can drop them and read them again. Tensors, lists, texts and figures that a line makes large \
      are counted too, from when the limit was set.
      """,
    examples: [
      Example("memory()", "What does a run take that keeps every place?"),
      Example(
        "memory(\"2MB\")\nmemory(keep=\"*.pattern\")\nmemory(\"free\")",
        "A limit for all that follows, and back."),
    ], seeAlso: ["load", "run", "describe"]
  ) { session, limit, prompt, maxNewTokens, keep in
    if let limit {
      if limit.lowercased() == "free" {
        session.memory.limit = nil
      } else if let bytes = MemoryLimit.bytes(limit) {
        session.memory.limit = bytes
      } else {
        throw ArgumentFailure(
          parameter: "limit",
          "must be a size such as \"4GB\", \"any\" or \"free\", not "
            + Value.text(limit).represented)
      }
    }
    let model = try session.model()
    let tokens = maxNewTokens ?? model.model.writing?.defaultOptions.maxNewTokens
    let run = try RunMemory(model.model, Input(prompt: prompt), newTokens: tokens)
    let estimate = run.estimate { $0.matches(keep) }
    var rows: [(String, Int)] = [
      ("weights in their files", model.mappedByteCount), ("weights converted", model.ownByteCount),
    ]
    rows += estimate.parts.map { ("run: \($0.what)", $0.byteCount) }
    rows.append(("run, and a tenth", estimate.byteCount))
    rows = rows.filter { $0.1 > 0 }
    let limit = session.memory.limit
    rows.append(
      limit == nil ? ("can be had", AvailableMemory.byteCount) : ("limit", limit ?? 0))
    var table = Table(
      ["what", "memory", "bytes"],
      rows.map { what, bytes in
        [
          .text(what), .text(bytes == .max ? "any" : bytes.asByteCount),
          bytes == .max ? .none : .integer(bytes),
        ]
      })
    table.facts = [("run", .integer(estimate.byteCount))]
    return .object(table)
  }
}
