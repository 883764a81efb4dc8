internal import Checkpoints
internal import Foundation
internal import Models
internal import Runtime

/// Something that only some models can do.
struct Ability<Part: Sendable>: Sendable {
  /// The part of a model that does it; nil where it has none.
  let part: @Sendable (any FamilyModel) -> Part?
  /// What is needed, as in "a model that writes text".
  let need: String
  /// The shipped model that stands in for the shipped BLIP-2, if that lacks it.
  let companion: URL?
}

extension Ability where Part == any SeeingModel {
  static var seeing: Self {
    Ability(part: { $0.seeing }, need: "a model that looks at pictures", companion: nil)
  }
}

extension Ability where Part == any WritingModel {
  static var writing: Self {
    Ability(part: { $0.writing }, need: "a model that writes text", companion: nil)
  }
}

extension Ability where Part == any MatchingModel {
  static var matching: Self {
    Ability(
      part: { $0.matching }, need: "a model with retrieval heads",
      companion: ShippedModel.retrievalFolder)
  }
}

extension Ability where Part == any ClassifyingModel {
  static var classifying: Self {
    Ability(
      part: { $0.classifying }, need: "a model that knows a list of classes", companion: nil)
  }
}

extension Ability where Part == any EmbeddingModel {
  static var embedding: Self {
    Ability(
      part: { $0.embedding }, need: "a model that puts pictures and texts in one space",
      companion: ShippedModel.jointFolder)
  }
}

/// The models that stand in for the shipped one, as far as they were needed.
enum CompanionModels: SessionKey {
  static var initial: [Kind: LoadedModel] { [:] }

  struct Kind: Hashable {
    let folder: URL
    let precision: Precision?
  }
}

extension Session {
  /// The part of the current model that `command` needs, and the model that has it.
  ///
  /// Where the model that ships lacks it, another that ships stands in.
  func able<Part>(
    _ ability: Ability<Part>, for command: String
  ) throws -> (part: Part, model: LoadedModel) {
    let current = try model()
    if let part = ability.part(current.model) { return (part, current) }
    guard current.isShipped, let folder = ability.companion else {
      throw current.lacks(ability, for: command)
    }
    var known = self[CompanionModels.self]
    let kind = CompanionModels.Kind(folder: folder, precision: current.commonPrecision)
    let companion = try known[kind] ?? current.companion(in: folder)
    known[kind] = companion
    self[CompanionModels.self] = known
    guard let part = ability.part(companion.model) else {
      throw current.lacks(ability, for: command)
    }
    return (part, companion)
  }
}

extension EmbeddingModel {
  /// This model, or the one that cuts texts that are too long.
  func cuttingTexts(_ isAsked: Bool) -> any EmbeddingModel { isAsked ? cuttingTexts : self }
}

extension LoadedModel {
  /// This model, or where it is the shipped one and lacks the ability, the one that stands in.
  func orCompanion<Part>(with ability: Ability<Part>) throws -> LoadedModel {
    guard ability.part(model) == nil, isShipped, let folder = ability.companion else {
      return self
    }
    return try companion(in: folder)
  }

  /// The precision that all parts have; nil where they have several, or are as stored.
  fileprivate var commonPrecision: Precision? {
    let chosen = Set(parts.map { precisions[$0.name] })
    return chosen.count == 1 ? chosen.first ?? nil : nil
  }

  /// The model that stands in, in this one's precision where all its parts have one.
  fileprivate func companion(in folder: URL) throws -> LoadedModel {
    let choice = ModelChoice(folder: folder, dtype: commonPrecision?.rawValue)
    return try LoadedModel.read(choice)
  }

  /// The part that `command` needs, or an error that says what the model is.
  func able<Part>(_ ability: Ability<Part>, for command: String) throws -> Part {
    guard let part = ability.part(model) else { throw lacks(ability, for: command) }
    return part
  }

  func lacks<Part>(
    _ ability: Ability<Part>, for command: String,
    advice: String = "load(\"folder\") reads another model; models() lists the families"
  ) -> RuntimeFailure {
    RuntimeFailure(
      .command, "\(command) needs \(ability.need); \(name) is \(model.kind)", notes: [advice])
  }
}
