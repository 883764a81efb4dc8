internal import Tensors

/// One turn before it has words.
struct Move: Equatable {
  var topic: Dialogue.Topic
  var ask: Ask
  var answer: Answer
  /// The object that "it" means afterwards.
  var focus: Int?

  func turn(in language: Dialogue.Language) -> Dialogue.Turn {
    Dialogue.Turn(
      topic: topic, question: ask.words(in: language), answer: answer.words(in: language))
  }
}

/// What is asked; "it" where a thing is nil.
enum Ask: Equatable {
  case color(Thing?), colorOf(Thing), shape(Thing?), size(Thing?), place(Thing?)
  case exists(Thing), count(Thing)
  case relation(Thing?, Side, Thing)
  case half(Thing?, horizontal: Bool)
  case neighbor(Side)
  case also(Thing, Series)
  case find(Thing), findAll(Thing)
  case describe, whatIsThere
  case morePicture, sameNumber
  case inBoth(Thing), inWhich(Thing)
  case colorIn(Int, Thing), shapeIn(Int, Thing), countIn(Int, Thing), existsIn(Int, Thing)
  case sameColor(Thing), sameSize(Thing)
}

/// What is answered.
enum Answer: Equatable, Hashable {
  case color(SceneObject.Color), shape(SceneObject.Shape), size(SceneObject.Size)
  case count(Int), side(Side), picture(Int)
  case exists(Bool), holds(Bool), same(Bool)
  case boxes([Found]), missing(Thing)
  case neighbor(Thing?)
  case caption([Thing])
}

/// An object that was found: what to call it, and where it is.
struct Found: Equatable, Hashable {
  var thing: Thing
  var edges: [Int]
}

enum Side: Equatable, Hashable, CaseIterable {
  case left, right, above, below
}

/// What an "And the star?" goes on with.
enum Series: Equatable, CaseIterable {
  case color, shape, size, place, existence, count
}

/// Objects as far as they are named; nothing named means any shape.
struct Thing: Equatable, Hashable {
  var size: SceneObject.Size?
  var color: SceneObject.Color?
  var shape: SceneObject.Shape?

  func fits(_ object: SceneObject) -> Bool {
    (size == nil || size == object.size) && (color == nil || color == object.color)
      && (shape == nil || shape == object.shape)
  }

  /// Every shape and every colour by itself.
  static let simple =
    SceneObject.Shape.allCases.map { Thing(shape: $0) }
    + SceneObject.Color.allCases.map { Thing(color: $0) }
}

extension SceneObject {
  /// Colour and shape.
  var named: Thing { Thing(color: color, shape: shape) }
  var found: Found {
    Found(thing: named, edges: [box.left, box.top, box.right, box.bottom])
  }
}

extension SplitMix64 {
  /// An answer that is drawn evenly, then a move with it; nil when there are none.
  mutating func evenly(_ moves: [Move]) -> Move? {
    guard !moves.isEmpty else { return nil }
    var answers: [Answer] = []
    for move in moves where !answers.contains(move.answer) { answers.append(move.answer) }
    let answer = element(of: answers)
    return element(of: moves.filter { $0.answer == answer })
  }

  /// Any of the moves; nil when there are none.
  mutating func any(_ moves: [Move]) -> Move? { moves.isEmpty ? nil : element(of: moves) }
}

// MARK: - One picture

extension Scene {
  var hasUniqueNames: Bool { Set(objects.map(\.name)).count == objects.count }

  func number(_ thing: Thing) -> Int { objects.count(where: thing.fits) }

  /// The objects from left to right; nil when two are closer than 12 pixels in this direction.
  func ordered(_ chosen: [SceneObject]) -> [SceneObject]? {
    let sorted = chosen.sorted { $0.box.doubledCenterX < $1.box.doubledCenterX }
    for (first, second) in zip(sorted, sorted.dropFirst())
    where second.box.doubledCenterX - first.box.doubledCenterX < 24 { return nil }
    return sorted
  }

  /// One question of a kind that is drawn evenly from the eight.
  func singleMove(from random: inout SplitMix64) -> Move? {
    var kinds: [[Move]] = [
      colorMoves, shapeMoves, existenceMoves, countMoves, sizeMoves, relationMoves, halfMoves,
      placeMoves,
    ]
    kinds.removeAll(where: \.isEmpty)
    let kind = random.element(of: kinds)
    return kind[0].topic == .half || kind[0].topic == .box
      ? random.any(kind) : random.evenly(kind)
  }

  /// Names of the object that fit it alone, without `color` or without `shape`.
  private func names(of object: SceneObject, byShape: Bool) -> [Thing] {
    let short = byShape ? Thing(shape: object.shape) : Thing(color: object.color)
    if number(short) == 1 { return [short] }
    var long = short
    long.size = object.size
    return number(long) == 1 ? [long] : []
  }

  private var colorMoves: [Move] {
    var result: [Move] = []
    for (index, object) in objects.enumerated() {
      let answer = Answer.color(object.color)
      func add(_ ask: Ask) {
        result.append(Move(topic: .color, ask: ask, answer: answer, focus: index))
      }
      for thing in names(of: object, byShape: true) {
        add(.color(thing))
        if thing.size == nil { add(.colorOf(thing)) }
      }
      if objects.count == 1 { add(.color(Thing())) }
    }
    return result
  }

  private var shapeMoves: [Move] {
    objects.enumerated().flatMap { index, object in
      names(of: object, byShape: false).map {
        Move(topic: .shape, ask: .shape($0), answer: .shape(object.shape), focus: index)
      }
    }
  }

  private var sizeMoves: [Move] {
    objects.enumerated().flatMap { index, object in
      let short = [Thing(shape: object.shape), Thing(color: object.color)]
        .filter { number($0) == 1 }
      return (short + [object.named]).map {
        Move(topic: .size, ask: .size($0), answer: .size(object.size), focus: index)
      }
    }
  }

  private var existenceMoves: [Move] {
    var things = Thing.simple
    // Of the pairs only those that need both halves: something is there with the colour or shape.
    for color in SceneObject.Color.allCases {
      for shape in SceneObject.Shape.allCases
      where number(Thing(color: color)) + number(Thing(shape: shape)) > 0 {
        things.append(Thing(color: color, shape: shape))
      }
    }
    return things.map {
      Move(topic: .existence, ask: .exists($0), answer: .exists(number($0) > 0))
    }
  }

  private var countMoves: [Move] {
    ([Thing()] + Thing.simple).map {
      Move(topic: .count, ask: .count($0), answer: .count(number($0)))
    }
  }

  private var relationMoves: [Move] {
    objects.indices.flatMap { index in
      relations(of: index).map { side, other, holds in
        Move(
          topic: .relation, ask: .relation(objects[index].named, side, objects[other].named),
          answer: .holds(holds), focus: index)
      }
    }
  }

  /// What can be said for sure about where other objects are: 24 pixels between centres.
  private func relations(of index: Int) -> [(Side, Int, Bool)] {
    var result: [(Side, Int, Bool)] = []
    let box = objects[index].box
    for other in objects.indices where other != index {
      let right = box.doubledCenterX - objects[other].box.doubledCenterX
      let down = box.doubledCenterY - objects[other].box.doubledCenterY
      if abs(right) >= 48 {
        result += [(.left, other, right < 0), (.right, other, right > 0)]
      }
      if abs(down) >= 48 {
        result += [(.above, other, down < 0), (.below, other, down > 0)]
      }
    }
    return result
  }

  private var halfMoves: [Move] {
    objects.indices.flatMap { halves(of: $0, as: objects[$0].named) }
  }

  private func halves(of index: Int, as thing: Thing?) -> [Move] {
    var result: [Move] = []
    let box = objects[index].box
    func add(_ twice: Int, _ horizontal: Bool, _ low: Side, _ high: Side) {
      if abs(twice - Scene.side) < 32 { return }
      result.append(
        Move(
          topic: .half, ask: .half(thing, horizontal: horizontal),
          answer: .side(twice < Scene.side ? low : high), focus: index))
    }
    add(box.doubledCenterX, true, .left, .right)
    add(box.doubledCenterY, false, .above, .below)
    return result
  }

  private var placeMoves: [Move] {
    objects.enumerated().map { index, object in
      Move(
        topic: .box, ask: .place(object.named), answer: .boxes([object.found]), focus: index)
    }
  }

  func describeMove(from random: inout SplitMix64) -> Move? {
    let ask = random.element(of: [Ask.describe, .whatIsThere])
    guard let sorted = ordered(objects) else { return nil }
    let things = sorted.map { Thing(size: $0.size, color: $0.color, shape: $0.shape) }
    return Move(topic: .scene, ask: ask, answer: .caption(things))
  }

  func groundMove(from random: inout SplitMix64) -> Move? {
    if random.chance(percent: 50) {
      // One thing: that is there, or that shares its colour or shape with one that is.
      let present = random.chance(percent: 65)
      let moves = existenceMoves.compactMap { move -> Move? in
        guard case .exists(let thing) = move.ask, thing.color != nil, thing.shape != nil,
          (move.answer == .exists(true)) == present
        else { return nil }
        let found = objects.filter(thing.fits).map(\.found)
        return Move(
          topic: .find, ask: .find(thing), answer: present ? .boxes(found) : .missing(thing))
      }
      return random.any(moves)
    }
    let things = Thing.simple.filter { ordered(objects.filter($0.fits)) != nil }
    let numbers = Array(Set(things.map(number))).sorted()
    guard !numbers.isEmpty else { return nil }
    // More often one or two than none.
    var wanted = random.element(of: numbers)
    if wanted == 0 { wanted = random.element(of: numbers) }
    let thing = random.element(of: things.filter { number($0) == wanted })
    let found = (ordered(objects.filter(thing.fits)) ?? []).map(\.found)
    return Move(
      topic: .find, ask: .findAll(thing), answer: found.isEmpty ? .missing(thing) : .boxes(found))
  }
}

// MARK: - More turns

extension Scene {
  /// Two to four moves; empty when none were found.
  func followUpMoves(from random: inout SplitMix64) -> [Move] {
    for _ in 0..<20 {
      let series = random.element(of: Series.allCases)
      let byShape = random.chance(percent: 50)
      let length = random.element(of: [2, 2, 3, 3, 4])
      let all = moves(series, byShape: byShape)
      guard let start = random.evenly(all) else { continue }
      var asked = [start]
      var focus = Knowledge(of: start)
      var inSeries = true
      while asked.count < length {
        let further =
          inSeries ? all.filter { move in !asked.contains { $0.ask == move.ask } } : []
        let about = focus.map { moves(about: $0) } ?? []
        if further.isEmpty && about.isEmpty { break }
        let goOn = about.isEmpty || (!further.isEmpty && random.chance(percent: 45))
        guard var move = goOn ? random.evenly(further) : random.any(about) else { break }
        inSeries = goOn
        if goOn {
          asked.append(move)
          focus = Knowledge(of: move)
          continue
        }
        asked.append(move)
        // What "it" would mean after these is not sure.
        if move.topic == .relation || move.topic == .neighbor { break }
        move.focus = focus?.object
        focus?.learn(move)
      }
      guard asked.count >= 2 else { continue }
      return asked.enumerated().map { number, move in
        guard number > 0, let thing = all.contains(move) ? move.ask.thing : nil else { return move }
        var result = move
        result.ask = .also(thing, series)
        return result
      }
    }
    return []
  }

  /// What a series can ask about: all by shape or all by colour.
  private func moves(_ series: Series, byShape: Bool) -> [Move] {
    func by(_ thing: Thing) -> Bool { (thing.shape != nil) == byShape }
    switch series {
    case .color: return colorMoves.filter { $0.ask.isPlainColor && $0.ask.thing?.size == nil }
    case .shape: return shapeMoves.filter { $0.ask.thing?.size == nil }
    case .size:
      return sizeMoves.filter { move in
        guard let thing = move.ask.thing else { return false }
        return (thing.color == nil || thing.shape == nil) && by(thing)
      }
    case .place: return placeMoves
    case .existence:
      return Thing.simple.filter(by).map { thing in
        let only = number(thing) == 1 ? objects.firstIndex(where: thing.fits) : nil
        return Move(
          topic: .existence, ask: .exists(thing), answer: .exists(number(thing) > 0), focus: only)
      }
    case .count:
      return Thing.simple.filter(by).map { thing in
        let only = number(thing) == 1 ? objects.firstIndex(where: thing.fits) : nil
        return Move(topic: .count, ask: .count(thing), answer: .count(number(thing)), focus: only)
      }
    }
  }

  /// What has been said about the object that "it" means.
  private struct Knowledge {
    var object: Int
    var topics: Set<Dialogue.Topic> = []
    var asks: [Ask] = []

    init?(of move: Move) {
      guard let focus = move.focus else { return nil }
      object = focus
      learn(move)
    }

    mutating func learn(_ move: Move) {
      topics.insert(move.topic)
      asks.append(move.ask)
      if move.topic == .box { topics.formUnion([.color, .shape]) }
      if let thing = move.ask.thing {
        if thing.color != nil { topics.insert(.color) }
        if thing.shape != nil { topics.insert(.shape) }
      }
    }
  }

  /// What can be asked about "it".
  private func moves(about known: Knowledge) -> [Move] {
    let index = known.object
    let object = objects[index]
    var result: [Move] = []
    func add(_ topic: Dialogue.Topic, _ ask: Ask, _ answer: Answer) {
      result.append(Move(topic: topic, ask: ask, answer: answer, focus: index))
    }
    if !known.topics.contains(.color) { add(.color, .color(nil), .color(object.color)) }
    if !known.topics.contains(.shape) { add(.shape, .shape(nil), .shape(object.shape)) }
    if !known.topics.contains(.size) { add(.size, .size(nil), .size(object.size)) }
    if !known.topics.contains(.box) { add(.box, .place(nil), .boxes([object.found])) }
    result += halves(of: index, as: nil).filter { !known.asks.contains($0.ask) }
    for (side, other, holds) in relations(of: index) {
      add(.relation, .relation(nil, side, objects[other].named), .holds(holds))
    }
    for side in Side.allCases {
      guard let found = neighbors(of: index, on: side), found.count <= 1 else { continue }
      add(.neighbor, .neighbor(side), .neighbor(found.first?.named))
    }
    return result
  }

  /// The objects on a side; nil when one is neither there nor on the opposite side for sure.
  private func neighbors(of index: Int, on side: Side) -> [SceneObject]? {
    var result: [SceneObject] = []
    let box = objects[index].box
    for other in objects.indices where other != index {
      let right = objects[other].box.doubledCenterX - box.doubledCenterX
      let down = objects[other].box.doubledCenterY - box.doubledCenterY
      let distance =
        switch side {
        case .left: -right
        case .right: right
        case .above: -down
        case .below: down
        }
      if abs(distance) < 48 { return nil }
      if distance > 0 { result.append(objects[other]) }
    }
    return result
  }
}

extension Ask {
  /// What is asked about, where that is one thing with a name.
  var thing: Thing? {
    switch self {
    case .color(let thing), .shape(let thing), .size(let thing), .place(let thing): thing
    case .colorOf(let thing), .exists(let thing), .count(let thing): thing
    default: nil
    }
  }

  /// Whether it is "what color is …?" about a shape.
  var isPlainColor: Bool {
    if case .color(let thing) = self { thing?.shape != nil } else { false }
  }
}
