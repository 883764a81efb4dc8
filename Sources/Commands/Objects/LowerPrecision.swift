internal import Checkpoints
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What numbers are made in where they are rounded more than float32 rounds.
///
/// What that costs is measured on the model that judges: it is read in the same precision, and every
/// step run in both.
struct LowerPrecision {
  /// By part of the model.
  var parts: [String: Precision] = [:]
  /// The type that every result of every step was stored in, as other implementations do in half
  /// precision; nil for float32.
  var everyResult: ElementType?

  /// What a model's parts are kept in, by choice or in their file.
  init(of model: LoadedModel) {
    for part in model.parts {
      if let chosen = model.precisions[part.name] {
        if chosen != .float32 { parts[part.name] = chosen }
      } else if part.encodings.contains(.int8) {
        parts[part.name] = .int8
      } else if part.encodings.contains(where: { if case .groups = $0 { true } else { false } }) {
        parts[part.name] = .int4
      }
    }
  }

  /// What a file says that its run computed in; nil where that is float32 or not said.
  init?(_ name: String?, partsOf model: LoadedModel) {
    let words = [
      "bfloat16": Precision.bfloat16, "bf16": .bfloat16, "float16": .float16, "fp16": .float16,
    ]
    guard let name, let precision = words[name] else { return nil }
    for part in model.parts { parts[part.name] = precision }
    everyResult = precision == .bfloat16 ? .bfloat16 : .float16
  }

  /// Whether nothing is rounded more than float32 rounds.
  var isNone: Bool { parts.isEmpty && everyResult == nil }

  /// How much is lost, to choose the side that judges: 0 for float32.
  var loss: Int { parts.values.map { Precision.allCases.firstIndex(of: $0) ?? 0 }.max() ?? 0 }

  /// A run of `model`, read in this precision, on what another side started from.
  func replay(_ model: LoadedModel, on inputs: RunInputs) throws -> Replay? {
    guard !isNone else { return nil }
    let load = try ModelLoad(CheckpointFolder(model.folder), precisions: parts)
    guard let coarse = load.model as? any RepeatableModel else { return nil }
    let type = everyResult
    return { trace in
      if let type { trace.everywhere = { $0.rounded(to: type) } }
      try coarse.pass(inputs, trace: &trace)
      trace.everywhere = nil
    }
  }
}

extension Tensor {
  /// Every element as `type` has it.
  fileprivate func rounded(to type: ElementType) -> Tensor {
    StoredTensor(self).converted(to: type).tensor
  }
}
