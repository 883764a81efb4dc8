internal import Characters
internal import Checkpoints
public import Foundation
internal import Models
public import Runtime
internal import Tracing

/// The model that commands use when none is named.
enum CurrentModel: SessionKey {
  static var initial: LoadedModel? { nil }
}

/// The folder of the model that a session starts with; nil for the one that ships.
public enum StartingModel: SessionKey {
  /// The one that ships.
  public static var initial: URL? { nil }
}

/// How the weights of the model that a session starts with are kept; its folder is not looked at.
public enum StartingPrecision: SessionKey {
  /// As they are stored.
  public static var initial: ModelChoice { ModelChoice() }
}

extension Session {
  /// The current model; the first command that needs one reads it.
  func model() throws -> LoadedModel {
    if let model = self[CurrentModel.self] { return model }
    var choice = self[StartingPrecision.self]
    choice.folder = self[StartingModel.self]
    let model = try LoadedModel.read(
      choice.checkpoint(), precisions: choice.precisions(), in: self)
    self[CurrentModel.self] = model
    return model
  }

  /// A trace for a run of a model: it keeps what fits `glob`, makes the changes that the model keeps
  /// and those that are given, and stops when this session is interrupted.
  ///
  /// - Parameter input: what the run starts from, as far as it is known.
  /// - Throws: `RuntimeFailure` for a change that fits no place, or not the place's shape.
  func trace(
    keeping glob: String, of model: LoadedModel, on input: Input, changes: [Change] = []
  ) throws -> Trace {
    var trace = trace(keeping: glob)
    trace.alterations = try alterations(changes, of: model, on: input)
    return trace
  }

  /// Says where a choice of places chose none of those that ran.
  func note(_ trace: Trace, keptNothingOf glob: String, by model: LoadedModel, on input: Input) {
    guard !glob.isEmpty, glob != "*", trace.records.isEmpty else { return }
    let names = (try? model.model.outline(input).places.map(\.address.description)) ?? []
    let hint = NearestPlace.hint(glob: glob, among: names).map { "; \($0)" } ?? ""
    note("keep=\(Value.text(glob).represented) fits no place that ran\(hint)")
  }

  /// A trace that keeps what fits `glob` and stops when this session is interrupted.
  func trace(keeping glob: String) -> Trace {
    var trace = Trace { $0.matches(glob) }
    trace.isCancelled = { [self] in isCancelled }
    trace.onStep = { [self] kind, number, count in
      report(Progress(kind.description, completed: number, total: count))
    }
    return trace
  }
}

extension LoadedModel {
  /// Reads a checkpoint folder again, its weights as they are stored; what there is to say of it was
  /// said when it was read first.
  static func read(
    _ checkpoint: CheckpointFolder, name: String?
  ) throws -> LoadedModel {
    LoadedModel(
      name: name ?? ModelPlace.name(of: checkpoint.url), from: checkpoint,
      load: try ModelLoad(checkpoint))
  }

  /// Reads a checkpoint folder, each part in its precision, and reports how far it is.
  ///
  /// - Throws: `Cancelled` when the session is interrupted.
  static func read(
    _ checkpoint: CheckpointFolder, precisions: [String: Precision], in session: Session
  ) throws -> LoadedModel {
    let name = ModelPlace.name(of: checkpoint.url)
    session.report(Progress("loading \(name)", completed: 0, total: nil))
    let load = try ModelLoad.stoppable(
      checkpoint, precisions: precisions,
      available: session.availableMemory
    ) { done, total in
      session.report(.converting(done, of: total))
      return !session.isCancelled
    }
    for note in load.notes { session.note(note.visibleOnOneLine) }
    var model = LoadedModel(name: name, from: checkpoint, load: load)
    model.precisions = precisions
    return model
  }
}
