internal import Checkpoints
internal import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Scenes
internal import Searching
internal import Tensors

extension Embedder {
  /// A model with one space for pictures and texts.
  init(_ model: any EmbeddingModel, of loaded: LoadedModel) throws {
    let scene = Scene(seed: 1).painted().image
    let probe = Tensor.concatenated([
      try model.embed(texts: ["a picture"]), try model.embed(images: [scene]),
    ])
    // What the probe passes everything else passes too.
    if !probe.elements.allSatisfy(\.isFinite) {
      let items: [Embedded] = [.picture(Picture(scene, name: "probe")), .text("a picture")]
      let place = try items.lazy.compactMap { try model.brokenPlace(on: model.way(of: $0)) }.first
      throw BrokenModel(
        command: "searching", model: loaded.name, place: place ?? "NaN or infinity in its result")
    }
    self.init(
      name: loaded.name, folder: loaded.folder.path(percentEncoded: false), probe: probe,
      // At its own size the model's preprocessing leaves a picture as it is.
      shrink: { try model.preprocessing.prepare(model.preprocessing.loaded($0)).picture },
      embed: { try model.embed(images: $0, isCancelled: $1) })
  }
}

/// A model that can be searched with.
struct EmbeddingSpace: Sendable {
  let model: any EmbeddingModel
  let embedder: Embedder
  let loaded: LoadedModel
}

/// What decides where a model puts pictures and texts.
private struct SpaceKey: Hashable {
  let folder: URL
  let precisions: [String: Precision]
  let patches: PatchGrid?

  init(_ model: LoadedModel) {
    (folder, precisions, patches) = (model.folder, model.precisions, model.model.seeing?.patches)
  }
}

/// The spaces that were looked at in a session.
private enum KnownSpaces: SessionKey {
  static var initial: [SpaceKey: EmbeddingSpace] { [:] }
}

extension Session {
  /// The space of a model; nil where it has none.
  private func space(of loaded: LoadedModel) throws -> EmbeddingSpace? {
    let key = SpaceKey(loaded)
    if let known = self[KnownSpaces.self][key] { return known }
    guard let model = loaded.model.embedding else { return nil }
    let space = EmbeddingSpace(
      model: model, embedder: try Embedder(model, of: loaded), loaded: loaded)
    self[KnownSpaces.self][key] = space
    return space
  }

  /// The space that new indexes are made in: the current model's, or the shipped one's.
  func space(for command: String) throws -> EmbeddingSpace {
    let (model, loaded) = try able(.embedding, for: command)
    try loaded.refuse(for: command)
    return try space(of: loaded)
      ?? EmbeddingSpace(model: model, embedder: try Embedder(model, of: loaded), loaded: loaded)
  }

  /// The space that an index was made in: the current model, another that ships, or the model in
  /// the folder that the index names.
  ///
  /// - Throws: `SearchingError.otherModel` where none of them is the one.
  func space(of index: PictureIndex, for command: String) throws -> EmbeddingSpace {
    let current = try model()
    if let space = try space(of: current), index.fits(space.embedder.probe) { return space }
    if current.isShipped, let (_, loaded) = try? able(.embedding, for: command),
      let space = try space(of: loaded), index.fits(space.embedder.probe)
    {
      return space
    }
    let named = URL(filePath: index.model.folder, directoryHint: .isDirectory)
    // A downloaded model may lie elsewhere by now, under the same name.
    let name = index.model.name
    let isGone = !FileManager.default.fileExists(atPath: index.model.folder)
    let folder = isGone && name.contains("/") ? (try? ModelPlace.folder(name)) ?? named : named
    if let loaded = try? LoadedModel.read(CheckpointFolder(folder), name: index.model.name),
      let space = try space(of: loaded), index.fits(space.embedder.probe)
    {
      return space
    }
    throw SearchingError.otherModel(
      index: index.folder.path(percentEncoded: false),
      made: index.model,
      found: ModelName(
        name: current.name, folder: current.folder.path(percentEncoded: false)))
  }
}
