internal import Checkpoints
internal import Files
internal import Foundation
internal import Language
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// A side, and what of its file fitted no place.
struct MatchedFile {
  let side: ComparedSide
  var remarks: [String] = []
  var hasMisfits = false
}

/// A file with the tensors of a run: Fovea's own, or what hooks in another implementation kept.
struct TraceFile {
  let name: String
  private let tensors: TensorCollection

  init(_ url: URL) throws {
    name = url.lastPathComponent
    tensors = try TensorCollection(url)
  }

  /// The type that the file says its run computed in; nil where it says none.
  var precision: String? { tensors.metadata["precision"] ?? tensors.metadata["dtype"] }

  /// What the run started from, as far as the file tells.
  private func inputs() throws -> RunInputs {
    var inputs = RunInputs(prompt: tensors.metadata["prompt"] ?? "")
    for key in ["picture.pixels.output", "inputs.pixel_values", "pixel_values"]
    where tensors[key] != nil {
      let pixels = try tensors.floats(key)
      let shape = pixels.shape.count == 4 ? Array(pixels.shape.dropFirst()) : pixels.shape
      guard pixels.shape.count == shape.count || pixels.shape[0] == 1, shape.count == 3 else {
        throw RuntimeFailure(
          .command, "\(name): '\(key)' has shape \(pixels.shape); a run of one picture has "
            + "[1, 3, Y, X]")
      }
      inputs.pixels = pixels.reshaped(to: shape)
      break
    }
    for key in ["inputs.input_ids", "input_ids"] where tensors[key] != nil {
      let (shape, ids) = try tensors.integers(key)
      guard shape.dropLast().allSatisfy({ $0 == 1 }) else {
        throw RuntimeFailure(
          .command,
          "\(name): '\(key)' has shape \(shape); a run of one prompt has [1, T]")
      }
      inputs.tokenIDs = ids
      break
    }
    return inputs
  }

  /// The file as one side, its tensors matched with the places of `model`.
  ///
  /// - Throws: where no tensor fits a place, a failure with the nearest names.
  func side(
    of model: LoadedModel, judge: any RepeatableModel, isCancelled: @escaping @Sendable () -> Bool
  ) throws -> MatchedFile {
    let inputs = try inputs()
    let names = tensors.names.filter { name in
      !name.hasPrefix("inputs.")
        && !["pixel_values", "input_ids", "attention_mask", "generated_ids"].contains(name)
    }
    let matching: PublishedMatching
    do {
      matching = try PublishedMatching(
        names, of: judge, inputs: inputs, isCancelled: isCancelled, read: tensors.floats)
    } catch let error as ModelError {
      throw RuntimeFailure(
        .command, "\(name) is of another model than \(model.name): \(error)")
    }
    guard !matching.values.isEmpty else { throw failure(matching, model) }
    var values = matching.values
    // The pixels of a foreign file come under their own name.
    if let pixels = inputs.pixels { values[Address("picture.pixels.output")] = pixels }
    return MatchedFile(
      side: ComparedSide(name: name, values: values, model: nil, inputs: inputs),
      remarks: remarks(matching, model), hasMisfits: !matching.misfits.isEmpty)
  }

  private func failure(_ matching: PublishedMatching, _ model: LoadedModel) -> RuntimeFailure {
    RuntimeFailure(
      .command, "no tensor of \(name) fits a place of \(model.name)",
      hint: matching.strangers.first.flatMap {
        NearestPlace.hint($0, among: matching.knownNames)
      },
      notes: remarks(matching, model)
        + ["names are addresses or the published module paths; load(\"folder\") reads its model"])
  }

  /// What did not match, in a few lines.
  private func remarks(_ matching: PublishedMatching, _ model: LoadedModel) -> [String] {
    var lines: [String] = []
    let strangers = matching.strangers
    if !strangers.isEmpty || !matching.misfits.isEmpty {
      lines.append("\(name): \(matching.values.count) places of \(model.name) matched")
    }
    for misfit in matching.misfits.prefix(8) {
      lines.append(
        "\(name): '\(misfit.name)' has shape \(misfit.found), but \(misfit.address) has "
          + "\(misfit.expected)")
    }
    if matching.misfits.count > 8 {
      lines.append("\(name): \(matching.misfits.count - 8) more have other shapes")
    }
    for stranger in strangers.prefix(8) {
      let hint = NearestName.of(stranger, among: matching.knownNames)
      lines.append(
        "\(name): no place is called '\(stranger)'" + (hint.map { "; the nearest is '\($0)'" } ?? "")
      )
    }
    if strangers.count > 8 { lines.append("\(name): \(strangers.count - 8) more match no place") }
    return lines
  }
}
