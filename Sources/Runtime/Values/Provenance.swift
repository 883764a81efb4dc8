/// Where a tensor's numbers come from, as a figure's title tells it: what they are, what was chosen of
/// that, and what was done with it.
///
/// Tensors carry it; indexing, arithmetic and methods pass it on. So whoever draws `pattern[1][0] * 2` can
/// say which head of which block that is.
public struct Provenance: Sendable, Equatable {
  /// What one axis counts.
  public struct Axis: Sendable, Equatable {
    /// One of them in a word: `head`.
    public let name: String
    /// What each place is called; empty where its number says it all.
    let places: [String]
    /// The number of the first place, and how far the next is from it.
    private let first, step: Int

    /// An axis by its name.
    ///
    /// - Parameter places: what each place is called; empty where its number says it all.
    public init(_ name: String, places: [String] = []) {
      self.init(name, places: places, first: 0, step: 1)
    }

    private init(_ name: String, places: [String], first: Int, step: Int) {
      (self.name, self.places, self.first, self.step) = (name, places, first, step)
    }

    /// A place of it in words.
    func word(for place: Int) -> String {
      places.indices.contains(place) ? places[place] : "\(name) \(first + step * place)"
    }

    /// Several of them in a word.
    var plural: String { name == "query" ? "queries" : name + "s" }

    /// The places of a range of it.
    func taking(_ range: RangeValue) -> Axis {
      Axis(
        name, places: places.isEmpty ? [] : (0..<range.count).map { word(for: range[$0]) },
        first: first + step * range.start, step: step * range.step)
    }
  }

  /// What it is: an address, a title.
  public let subject: String
  /// What each axis counts; nil for one without a name.
  let axes: [Axis?]
  /// What was chosen and done, in order: `head 1`, `query 0`.
  let choices: [String]
  /// Which view of its picture the numbers lie on, counted from 0, where a model splits pictures.
  public let view: Int?

  /// A whole tensor.
  ///
  /// - Parameters:
  ///   - axes: what each axis counts; empty where that is not known.
  ///   - choices: what was chosen and done already.
  ///   - view: which view of its picture the numbers lie on, of a model that splits pictures.
  public init(
    _ subject: String, axes: [Axis?] = [], choices: [String] = [], view: Int? = nil
  ) {
    (self.subject, self.axes, self.choices, self.view) = (subject, axes, choices, view)
  }

  /// All of it in words: `vision.blocks.3.attention.pattern: head 1, query 0`.
  public var title: String {
    choices.isEmpty ? subject : "\(subject): \(choices.joined(separator: ", "))"
  }

  /// The subject, as long as nothing was chosen of it and nothing done with it: then it is a name.
  var ownName: String? { choices.isEmpty ? subject : nil }

  private func axis(_ number: Int) -> Axis? { axes.indices.contains(number) ? axes[number] : nil }

  // MARK: Passing on

  /// The same with something added; nil where it got so long that it tells nobody anything.
  private func saying(_ axes: [Axis?], _ added: String...) -> Provenance? {
    Self.told(subject, axes, choices + added, view: view)
  }

  /// As it is; nil where it is so long that it tells nobody anything, as after a loop of sums.
  ///
  /// Where the numbers lie is not forgotten with the words.
  private static func told(
    _ subject: String, _ axes: [Axis?], _ choices: [String], view: Int?
  ) -> Provenance? {
    guard choices.count <= 8, choices.reduce(subject.utf8.count, { $0 + $1.utf8.count }) <= 200
    else {
      return view.map { Provenance("numbers", axes: axes, choices: [], view: $0) }
    }
    return Provenance(subject, axes: axes, choices: choices, view: view)
  }

  /// One part of an index between its commas.
  enum Pick {
    /// `None`: an axis more.
    case new
    /// One place of an axis.
    case place(Int)
    /// A range of an axis, of so many.
    case range(RangeValue, of: Int)
    /// Several places of an axis.
    case places([Int])
    /// Whatever is true of so many axes.
    case mask(axes: Int)
  }

  /// What is left after indexing.
  ///
  /// - Parameter reorders: whether the axes that are left change places.
  func picking(_ picks: [Pick], reorders: Bool) -> Provenance? {
    var (left, said) = ([Axis?](), choices)
    var number = 0
    for pick in picks {
      let own = axis(number)
      switch pick {
      case .new:
        left.append(nil)
        continue
      case .place(let place): said.append(own?.word(for: place) ?? "[\(place)]")
      case .range(let range, let length):
        left.append(own?.taking(range))
        if range.count < length {
          said.append(Self.words(range.count, of: own) { range[$0] })
        }
      case .places(let places):
        left.append(
          places.count > 64
            ? nil : own.map { axis in Axis(axis.name, places: places.map(axis.word(for:))) })
        said.append(Self.words(places.count, of: own) { places[$0] })
      case .mask(let count):
        left.append(nil)
        said.append("where a mask is true")
        number += count - 1
      }
      number += 1
    }
    left += axes.dropFirst(number)
    return Self.told(subject, reorders ? [] : left, said, view: view)
  }

  /// One place of the first axis.
  public func choosing(_ place: Int) -> Provenance? {
    picking([.place(place)], reorders: false)
  }

  /// A part of an axis in words: `keys 1 to 100`, `heads 0, 2`.
  private static func words(_ count: Int, of axis: Axis?, _ place: (Int) -> Int) -> String {
    func isRow(_ count: Int) -> Bool {
      (1..<count).allSatisfy { place($0) == place($0 - 1) + 1 }
    }
    let some =
      count > 2 && isRow(count)
      ? "\(place(0)) to \(place(count - 1))"
      : count <= 4 ? (0..<count).map { "\(place($0))" }.joined(separator: ", ") : "\(count) places"
    return axis.map { "\(count == 1 ? $0.name : $0.plural) \(some)" } ?? "[\(some)]"
  }

  /// After something was done with it that changes no axis.
  func doing(_ what: String) -> Provenance? { saying(axes, what) }

  /// After an axis was folded, as by `mean`.
  func folding(_ number: Int, by word: String, keepsAxis: Bool) -> Provenance? {
    var left = axes
    if left.indices.contains(number) {
      if keepsAxis { left[number] = nil } else { left.remove(at: number) }
    }
    return saying(left, "\(word) of \(axis(number)?.plural ?? "axis \(number)")")
  }

  /// With its axes in another order.
  func permuted(by order: [Int]) -> Provenance? {
    saying(axes.count == order.count ? order.map { axes[$0] } : [], "transposed")
  }

  /// The same numbers in a shape of which nothing is known.
  var reshaped: Provenance? { saying([], "reshaped") }

  /// What tensors are that were put together; nil where one of them is not known.
  ///
  /// - Parameters:
  ///   - axis: the axis along which they were.
  ///   - isNew: whether none of them had that axis: then each place of it is called as they are.
  static func together(_ parts: [Provenance?], axis: Int, isNew: Bool) -> Provenance? {
    let all = parts.compactMap { $0 }
    guard let first = all.first, all.count == parts.count, all.count <= 64 else { return nil }
    let isOne = all.allSatisfy { $0.subject == first.subject }
    var axes = all.allSatisfy { $0.axes == first.axes } ? first.axes : []
    let words = all.map { isOne ? $0.choices.joined(separator: ", ") : $0.title }
    if isNew {
      // Names are worth having only where they tell the parts apart.
      let places = Set(words).count == words.count ? words : []
      while axes.count < axis { axes.append(nil) }
      axes.insert(Axis("part", places: places), at: axis)
    } else if axes.indices.contains(axis) {
      axes[axis] = nil
    }
    return told(
      isOne ? first.subject : "\(all.count) tensors", axes,
      ["\(all.count) \(isNew ? "stacked" : "joined")"],
      view: all.allSatisfy { $0.view == first.view } ? first.view : nil)
  }

  /// What becomes of two sides of an operator; nil where neither is known.
  ///
  /// - Parameters:
  ///   - word: what the operator does: `minus`.
  ///   - numbers: what a side is in words where it has no provenance.
  static func joining(
    _ left: Provenance?, _ word: String, _ right: Provenance?, numbers: (String, String)
  ) -> Provenance? {
    switch (left, right) {
    case (nil, nil): return nil
    case (let left?, nil): return left.doing("\(word) \(numbers.1)")
    case (nil, let right?): return right.doing("\(numbers.0) \(word) it")
    case (let left?, let right?):
      let axes = left.axes == right.axes ? left.axes : []
      let view = left.view == right.view ? left.view : nil
      guard left.subject == right.subject else {
        return told("\(left.title) \(word) \(right.title)", axes, [], view: view)
      }
      // What both have in common is said once: `head 0 minus head 1, query 3`.
      let shared = zip(left.choices, right.choices).prefix { $0 == $1 }.count
      let rest = [left, right].map { $0.choices.dropFirst(shared) }
      let sharedLast = zip(rest[0].reversed(), rest[1].reversed()).prefix { $0 == $1 }.count
      let own = rest.map { $0.dropLast(sharedLast).joined(separator: ", ") }
      return told(
        left.subject, axes,
        left.choices.prefix(shared)
          + [own.map { $0.isEmpty ? "all" : $0 }.joined(separator: " \(word) ")]
          + rest[0].suffix(sharedLast), view: view)
    }
  }
}
