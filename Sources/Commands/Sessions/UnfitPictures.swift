internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Scenes

/// Whether it was said that the models which ship know scenes alone.
private enum SaidUnfit: SessionKey {
  static var initial: Bool { false }
}

extension Session {
  /// Says, once a session, that a model which knows small scenes alone is given a picture of something
  /// else.
  func noteUnfit(_ picture: Picture, for model: LoadedModel) {
    guard !picture.mayBeScene, ShippedModel.all.contains(where: { $0.folder == model.folder }),
      !self[SaidUnfit.self]
    else { return }
    self[SaidUnfit.self] = true
    note(
      "\(model.name.visibleOnOneLine) knows only small scenes of plain shapes, as scene(7) gives; of "
        + "\(picture.name.visibleOnOneLine) it will say something all the same; load() reads other models"
    )
  }
}

extension Picture {
  /// Whether it is a scene, or the file of one as far as its size tells: a picture made of numbers is
  /// taken for one as well.
  fileprivate var mayBeScene: Bool {
    guard scene == nil, let path else { return true }
    let isOfSize = image.width == Scene.side && image.height == Scene.side
    return isOfSize && path.lowercased().hasSuffix(".png")
  }
}
