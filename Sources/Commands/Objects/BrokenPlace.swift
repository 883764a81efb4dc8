internal import Files
internal import Models
public import Runtime
internal import Tensors
internal import Tracing

extension BrokenNumber {
  /// What it is.
  var kind: String { number.isNaN ? "NaN" : "infinity" }
}

extension FamilyModel {
  /// Indices in words: `patch 3,4, channel 12`.
  func words(_ index: [Int], axes: [Axis], at address: Address, input: Input) -> String {
    zip(axes, index).map { axis, index in
      name(of: index, on: axis, at: address, input: input) ?? "\(axis.rawValue) \(index)"
    }.joined(separator: ", ")
  }
}

/// The way to a result, which can be gone again to look for the first NaN or infinity.
struct WayToResult: Sendable {
  /// What it started from, for the names of patches and words.
  let input: Input
  let replay: Replay

  init(from input: Input = Input(), _ replay: @escaping Replay) {
    (self.input, self.replay) = (input, replay)
  }
}

extension FamilyModel {
  /// Where a way has its first NaN or infinity, in words; nil where all are finite.
  func brokenPlace(
    on way: WayToResult, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> String? {
    let broken = try BrokenNumber.first(in: way.replay, isCancelled: isCancelled)
    return broken.map { broken in
      let words = words(
        broken.index, axes: broken.axes, at: broken.address, input: way.input)
      return "\(broken.kind) first at \(broken.address): \(words)"
    }
  }

  /// Where a whole run has its first NaN or infinity, in words; nil where all are finite.
  func brokenPlace(
    _ input: Input, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws -> String? {
    try brokenPlace(
      on: WayToResult(from: input) { try pass(input, trace: &$0) },
      isCancelled: isCancelled)
  }
}

/// A model whose numbers are not finite, where nothing can be made of others.
struct BrokenModel: HasExitCode, CustomStringConvertible {
  let command, model, place: String

  var exitCode: Int32 { ExitCode.badData }
  var description: String {
    "\(command) needs a model whose numbers are finite; \(model) gives \(place)"
  }
}

/// Whether a model gave NaN or infinity: a script then ends with the status for bad data.
public enum BrokenResults: SessionKey {
  /// Not yet.
  public static var initial: Bool { false }
}

extension Session {
  /// Says where a model's numbers broke, if a result has NaN or infinity.
  ///
  /// Only the result is looked at, which costs nothing beside making it; where it is broken, the way
  /// to it is gone once more.
  ///
  /// - Parameters:
  ///   - given: what the way began with, where that was numbers of the person's own.
  ///   - ways: those that lead to the broken numbers; the first on which one breaks is told.
  func checkFinite(
    _ result: Tensor, of model: LoadedModel, given: Tensor? = nil, ways: () -> [WayToResult]
  ) throws {
    guard let broken = result.firstNonFinite() else { return }
    let kind = result.elements[broken].isNaN ? "NaN" : "infinity"
    if let given, let offset = given.firstNonFinite() {
      let index = given.shape.index(ofPlace: offset)
      return note("\(model.name) was given numbers with NaN or infinity, first at \(index)")
    }
    self[BrokenResults.self] = true
    for way in ways() {
      if let place = try model.model.brokenPlace(on: way, isCancelled: { self.isCancelled }) {
        return note("\(model.name) gives \(place)")
      }
    }
    note("\(model.name) gives \(kind) in its result, and nowhere on the way to it")
  }
}

extension Session {
  /// Says which weight is to blame where what cosines are multiplied by is NaN or infinity.
  ///
  /// - Returns: whether it is.
  func noteBrokenScale(of part: any EmbeddingModel, _ model: LoadedModel) -> Bool {
    let scale = part.similarityScale
    guard !scale.isFinite else { return false }
    self[BrokenResults.self] = true
    note(
      "\(model.name) gives \(scale.isNaN ? "NaN" : "infinity") as what cosines are multiplied by, "
        + "which comes from its weight \(part.similarityScaleWeight)")
    return true
  }
}

extension EmbeddingModel {
  /// The way of one picture or text into the space.
  func way(of item: Embedded) -> WayToResult {
    switch item {
    case .picture(let picture):
      WayToResult(from: Input(image: picture.image)) { trace in
        var traces = [trace]
        _ = try self.embed(images: [picture.image], traces: &traces)
      }
    case .text(let text):
      WayToResult(from: Input(prompt: text)) { trace in
        var traces = [trace]
        _ = try self.embed(texts: [text], traces: &traces)
      }
    }
  }
}
