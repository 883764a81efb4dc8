internal import Tensors

/// Two scenes that are asked about together.
struct ScenePair {
  var first: Scene
  var second: Scene

  private var scenes: [Scene] { [first, second] }

  func move(from random: inout SplitMix64) -> Move? {
    var topics = [
      more, sameNumber, both, which, colors, shapes, counts, existence, same(.color), same(.size),
    ]
    topics.removeAll(where: \.isEmpty)
    while true {
      let topic = random.element(of: topics)
      guard let move = random.evenly(topic) else { return nil }
      // Two things have the same colour one time in eight.
      if case .sameColor = move.ask, move.answer == .same(false), random.chance(percent: 75) {
        continue
      }
      return move
    }
  }

  private var more: [Move] {
    let counts = scenes.map(\.objects.count)
    if counts[0] == counts[1] { return [] }
    return [
      Move(topic: .picture, ask: .morePicture, answer: .picture(counts[0] > counts[1] ? 1 : 2))
    ]
  }

  private var sameNumber: [Move] {
    [
      Move(
        topic: .both, ask: .sameNumber,
        answer: .same(first.objects.count == second.objects.count))
    ]
  }

  private var both: [Move] {
    Thing.simple.filter { thing in scenes.contains { $0.number(thing) > 0 } }.map { thing in
      Move(
        topic: .both, ask: .inBoth(thing),
        answer: .holds(scenes.allSatisfy { $0.number(thing) > 0 }))
    }
  }

  private var which: [Move] {
    let names = scenes.flatMap { $0.objects.map(\.named) }
    return (Thing.simple + names).compactMap { thing in
      let counts = scenes.map { $0.number(thing) }
      guard counts == [1, 0] || counts == [0, 1] else { return nil }
      return Move(topic: .picture, ask: .inWhich(thing), answer: .picture(counts[0] == 1 ? 1 : 2))
    }
  }

  /// A move for every picture and everything that fits one object of it.
  private func each(_ things: [Thing], _ make: (Int, Thing, SceneObject) -> Move) -> [Move] {
    scenes.enumerated().flatMap { number, scene in
      things.compactMap { thing in
        let fitting = scene.objects.filter(thing.fits)
        return fitting.count == 1 ? make(number + 1, thing, fitting[0]) : nil
      }
    }
  }

  private var colors: [Move] {
    each(Thing.simple.filter { $0.shape != nil }) { picture, thing, object in
      Move(topic: .color, ask: .colorIn(picture, thing), answer: .color(object.color))
    }
  }

  private var shapes: [Move] {
    each(Thing.simple.filter { $0.color != nil }) { picture, thing, object in
      Move(topic: .shape, ask: .shapeIn(picture, thing), answer: .shape(object.shape))
    }
  }

  private var counts: [Move] {
    scenes.enumerated().flatMap { number, scene in
      ([Thing()] + Thing.simple).map {
        Move(topic: .count, ask: .countIn(number + 1, $0), answer: .count(scene.number($0)))
      }
    }
  }

  private var existence: [Move] {
    scenes.enumerated().flatMap { number, scene in
      Thing.simple.filter { thing in scenes.contains { $0.number(thing) > 0 } }.map {
        Move(
          topic: .existence, ask: .existsIn(number + 1, $0), answer: .exists(scene.number($0) > 0))
      }
    }
  }

  private func same(_ series: Series) -> [Move] {
    SceneObject.Shape.allCases.compactMap { shape in
      let thing = Thing(shape: shape)
      let found = scenes.map { $0.objects.filter(thing.fits) }
      guard found.allSatisfy({ $0.count == 1 }) else { return nil }
      let (one, two) = (found[0][0], found[1][0])
      return series == .color
        ? Move(topic: .both, ask: .sameColor(thing), answer: .same(one.color == two.color))
        : Move(topic: .both, ask: .sameSize(thing), answer: .same(one.size == two.size))
    }
  }
}
