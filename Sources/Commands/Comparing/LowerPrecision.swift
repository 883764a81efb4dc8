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
  /// Parts whose numbers lie in half precision in their file, and are computed with as they are.
  private var stored: [String: ElementType] = [:]
  /// The type that every result of every step was stored in, as other implementations do in half
  /// precision; nil for float32.
  var everyResult: ElementType?

  /// What a model's parts are kept in, by choice or in their file.
  init(of model: LoadedModel) {
    for part in model.parts {
      if let chosen = model.precisions[part.name] {
        if chosen != .float32 { parts[part.name] = chosen }
      } else if part.encodings.contains(where: { $0.name == "int4" }) {
        parts[part.name] = .int4
      } else if part.hasIntegers {
        parts[part.name] = .int8
      }
      if let type = part.storedHalf { stored[part.name] = type }
    }
  }

  /// What a file of Fovea's says of the weights, as in `vision=bfloat16,language=int4`; nil where it
  /// says nothing.
  init?(weights: String?, partsOf model: LoadedModel) {
    guard let weights, let chosen = try? Precision.byPart(weights),
      chosen.keys.allSatisfy({ part in model.parts.contains { $0.name == part } })
    else { return nil }
    parts = chosen
  }

  /// What a file is to say of the weights; nil where they are as the model's own file has them.
  static func words(of model: LoadedModel) -> String? {
    let lower = model.precisions.filter { $0.value != .float32 }
    guard !lower.isEmpty else { return nil }
    return lower.keys.sorted().map { "\($0)=\(lower[$0]?.rawValue ?? "")" }
      .joined(separator: ",")
  }

  /// What a file says that its run computed in; nil where that is float32 or not said.
  init?(_ name: String?, partsOf model: LoadedModel) {
    guard let type = name.flatMap({ ElementType(word: $0) }), type != .float32 else { return nil }
    for part in model.parts { parts[part.name] = Precision(rawValue: type.rawValue) }
    everyResult = type
  }

  /// How much is lost, to choose the side that judges: 0 for float32.
  var loss: Int {
    (Array(parts.values) + stored.values.map { $0 == .float16 ? .float16 : .bfloat16 })
      .map { Precision.allCases.firstIndex(of: $0) ?? 0 }.max() ?? 0
  }

  /// A run of `model`, read in this precision, on what another side started from.
  ///
  /// - Parameters:
  ///   - owner: the model that made the numbers, where it is known. Where it is of `model`'s own
  ///     folder, it is what reading that again would give.
  ///   - available: the memory that reading it again may take.
  ///   - progress: called with bytes converted, of how many; `false` stops the reading.
  func replay(
    _ model: LoadedModel, on input: Input, owner: LoadedModel?, available: Int,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Bool
  ) throws -> Replay? {
    var rounding: [String: ElementType] = [:]
    for part in model.parts {
      // Where the judge's file has the same type, the numbers are the same.
      if let type = stored[part.name], part.storedHalf != type { rounding[part.name] = type }
    }
    guard !parts.isEmpty || !rounding.isEmpty || everyResult != nil else { return nil }
    let coarse =
      if let owner, owner.hasFiles(of: model) { owner.model } else {
        try model.alike(
          ModelLoad.stoppable(
            model.checkpoint(), precisions: parts, rounding: rounding,
            available: available, progress: progress
          ).model)
      }
    let type = everyResult
    return { trace in
      if let type { trace.everywhere = { $0.rounded(to: type) } }
      try coarse.pass(input, trace: &trace)
      trace.everywhere = nil
    }
  }
}

extension PartWeights {
  /// The half precision that numbers have in their file; nil for float32 throughout.
  fileprivate var storedHalf: ElementType? {
    [.bfloat16, .float16].first { storedTypes.contains($0) }
  }
}

extension Tensor {
  /// Every element as `type` has it.
  fileprivate func rounded(to type: ElementType) -> Tensor {
    StoredTensor(self).converted(to: type).tensor
  }
}
