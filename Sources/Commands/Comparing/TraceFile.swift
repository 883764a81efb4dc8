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

/// A file that cannot be compared; what is wrong stands in the failure that holds this.
struct UnfitFile: HasExitCode {
  var exitCode: Int32 { ExitCode.badData }
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

  /// What an entry's run started from, as far as the file tells.
  private func input(entry: Int) throws -> Input {
    var input = Input(prompt: tensors.metadata["prompt"] ?? "")
    let pictures = ["picture.pixels.output", "inputs.pixel_values", "pixel_values"]
    var several: [Input.Segment] = []
    if let key = pictures.first(where: { tensors[$0] != nil }), tensors[key]?.shape.count == 5 {
      several = try self.pictures(key, entry: entry)
    } else if let key = pictures.first(where: { tensors[$0] != nil }) {
      let pixels = try tensors.floats(key)
      let mine = pixels.rank == 4 ? min(entry, pixels.shape[0] - 1) : 0
      let picture =
        pixels.rank == 4 && mine >= 0
        ? pixels.rows(mine..<mine + 1).reshaped(to: Array(pixels.shape.dropFirst())) : pixels
      guard picture.rank == 3 else {
        throw failure("'\(key)' has shape \(pixels.shape), but pictures have [N, 3, Y, X]")
      }
      input.picture = .pixels(picture)
    }
    if let key = ["inputs.input_ids", "input_ids"].first(where: { tensors[$0] != nil }) {
      let (shape, ids) = try tensors.integers(key)
      guard let count = shape.last, (1...2).contains(shape.count), ids.count >= count else {
        throw failure("'\(key)' has shape \(shape), but token ids have [N, T]")
      }
      let mine = min(entry, ids.count / max(1, count) - 1) * count
      let row = Array(ids[mine..<mine + count])
      var attended = count
      for key in ["inputs.attention_mask", "attention_mask"] where tensors[key] != nil {
        let (maskShape, all) = try tensors.integers(key)
        guard maskShape == shape else {
          throw failure("'\(key)' has shape \(maskShape), but the token ids have \(shape)")
        }
        let mask = all.dropFirst(mine).prefix(count)
        guard mask.first != 0 else {
          throw failure(
            "the text of entry \(entry) is filled up on its left, which no run here does; write a "
              + "file for each text")
        }
        attended = mask.count { $0 != 0 }
        break
      }
      input.words = .tokens(row, attended: attended)
    }
    guard !several.isEmpty else { return input }
    var whole = Input(turns: [Input.Turn(.user, several + (input.words.map { [$0] } ?? []))])
    whole.fillsUp = true
    return whole
  }

  /// The pictures of an entry of a batch in which each has several, filled up to one size.
  private func pictures(_ key: String, entry: Int) throws -> [Input.Segment] {
    let pixels = try tensors.floats(key)  // [N, P, 3, Y, X]
    let mine = min(entry, pixels.shape[0] - 1)
    var mask: [Int]?
    for key in ["inputs.pixel_attention_mask", "pixel_attention_mask"] where tensors[key] != nil {
      let (shape, all) = try tensors.integers(key)
      guard shape.count == 4, shape[0] == pixels.shape[0] else {
        throw failure("'\(key)' has shape \(shape), but the pixels have \(pixels.shape)")
      }
      let count = all.count / shape[0]
      mask = Array(all[mine * count..<(mine + 1) * count])
      break
    }
    return try Input.pictures(inBatch: pixels.row(mine), mask: mask).map { .picture($0) }
  }

  /// The text that goes with the picture, as the file says it: a JSON list, or a line each.
  private var firstText: String? {
    guard let texts = tensors.metadata["texts"], !texts.isEmpty else { return nil }
    if let list = try? JSON(parsing: Array(texts.utf8), limit: 1 << 20), let all = list.array {
      return all.first?.text
    }
    return texts.split(separator: "\n").first.map(String.init)
  }

  /// How many pictures or texts the file's batch has.
  var entryCount: Int {
    ["inputs.pixel_values", "pixel_values", "inputs.input_ids", "input_ids"].compactMap { key in
      tensors[key].flatMap { $0.shape.first }
    }.reduce(1, max)
  }

  /// Something is wrong with what the file holds.
  private func failure(_ message: String) -> RuntimeFailure {
    var failure = RuntimeFailure(.command, "\(name): \(message)")
    failure.underlying = UnfitFile()
    return failure
  }

  /// An entry of the file as one side, its tensors matched with the places of `model`.
  ///
  /// - Throws: where no tensor fits a place, a failure with the nearest names.
  /// - Parameter other: what the run beside it read; taken where the file says nothing of that.
  func side(
    entry: Int, of model: LoadedModel, judge: any FamilyModel, beside other: Input?
  ) throws -> MatchedFile {
    var input = try input(entry: entry)
    if let other, input.tokenIDs == nil, tensors.metadata["prompt"] == nil {
      input.words = other.words
    }
    if let seer = judge.seeing, seer.hasOneGrid, let pixels = input.pixels,
      case let size = seer.patches.imageSize, pixels.shape != [3, size, size]
    {
      throw failure(
        "made by another model than \(model.name): its pixels have shape \(pixels.shape), but "
          + "\(model.name) takes [3, \(size), \(size)]")
    }
    let names = tensors.names.filter { name in
      !name.hasPrefix("inputs.")
        && !["pixel_values", "input_ids", "attention_mask", "generated_ids"].contains(name)
    }
    let matching: PublishedMatching
    do {
      matching = try PublishedMatching(
        names, of: judge, input: input, entry: entry, of: entryCount, read: tensors.floats)
    } catch let error as ModelError {
      throw failure("made by another model than \(model.name): \(error)")
    }
    guard !matching.values.isEmpty else { throw failure(matching, model) }
    var values = matching.values
    if input.fillsUp, let seer = judge.seeing {
      values = try seer.withoutFilling(values, of: input)
      input.fillsUp = false
    }
    // The pixels of a foreign file come under their own name.
    if let seer = judge.seeing, !seer.hasOneGrid {
      for (index, view) in seer.views(of: input).enumerated() {
        if case .pixels(let pixels) = view.picture {
          values[Address("picture.pixels.output").ofPicture(index)] = pixels
        }
      }
    } else if let pixels = input.pixels {
      values[Address("picture.pixels.output")] = pixels
    }
    var side = ComparedSide(name: name, values: values, model: nil, input: input)
    side.picture = tensors.metadata["image"].flatMap { $0.isEmpty ? nil : $0 }
    // What is read may be given as ids; what they say stands beside them.
    if let prompt = tensors.metadata["prompt"], !prompt.isEmpty { side.text = prompt }
    if side.text == nil { side.text = firstText }
    side.precision =
      LowerPrecision(precision, partsOf: model)
      ?? LowerPrecision(weights: tensors.metadata["weights"], partsOf: model)
    return MatchedFile(
      side: side, remarks: remarks(matching, model), hasMisfits: !matching.misfits.isEmpty)
  }

  private func failure(_ matching: PublishedMatching, _ model: LoadedModel) -> RuntimeFailure {
    var failure = failure("no tensor fits a place of \(model.name)")
    failure.hint = "names are addresses or the published module paths of the model in use"
    failure.notes = remarks(matching, model)
    return failure
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
        "\(name): no place is called '\(stranger)'"
          + (hint.map { "; the nearest is '\($0)'" } ?? "")
      )
    }
    if strangers.count > 8 { lines.append("\(name): \(strangers.count - 8) more match no place") }
    return lines
  }
}
