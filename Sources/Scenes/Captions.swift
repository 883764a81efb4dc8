public import Tensors

extension Scene {
  /// Every object from left to right: "a small red circle and a large blue star".
  public var caption: String { Scene.caption(of: objects) }

  /// Captions that are not true of the scene although only one thing in each is wrong: a colour, a
  /// shape or a size of one object, or two objects' colours exchanged.
  ///
  /// Which colours and shapes are put in is drawn from `random`.
  public func wrongCaptions(from random: inout SplitMix64) -> [String] {
    var result: [String] = []
    for index in objects.indices {
      var wrong = objects
      let colors = SceneObject.Color.allCases.filter { $0 != objects[index].color }
      wrong[index].color = random.element(of: colors)
      result.append(Scene.caption(of: wrong))
      wrong = objects
      let shapes = SceneObject.Shape.allCases.filter { $0 != objects[index].shape }
      wrong[index].shape = random.element(of: shapes)
      result.append(Scene.caption(of: wrong))
      wrong = objects
      wrong[index].size = objects[index].size == .small ? .large : .small
      result.append(Scene.caption(of: wrong))
      for other in objects.indices
      where other > index && objects[other].color != objects[index].color
        && objects[other].shape != objects[index].shape
      {
        wrong = objects
        wrong[index].color = objects[other].color
        wrong[other].color = objects[index].color
        result.append(Scene.caption(of: wrong))
      }
    }
    return result
  }

  private static func caption(of objects: [SceneObject]) -> String {
    let sorted = objects.enumerated().sorted { first, second in
      (first.element.box.doubledCenterX, first.offset)
        < (second.element.box.doubledCenterX, second.offset)
    }
    let names = sorted.map { "a " + $0.element.fullName }
    guard let last = names.last else { return "an empty picture" }
    if names.count == 1 { return last }
    return names.dropLast().joined(separator: ", ") + " and " + last
  }
}
