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
    public let places: [String]

    /// An axis by its name.
    public init(_ name: String, places: [String] = []) { (self.name, self.places) = (name, places) }

    /// A place of it in words.
    func word(for place: Int) -> String {
      places.indices.contains(place) ? places[place] : "\(name) \(place)"
    }
  }

  /// What it is: an address, a title.
  public let subject: String
  /// What each axis counts; nil for one without a name.
  let axes: [Axis?]
  /// What was chosen and done, in order: `head 1`, `query 0`.
  let choices: [String]

  /// A whole tensor.
  ///
  /// - Parameters:
  ///   - axes: what each axis counts; empty where that is not known.
  ///   - choices: what was chosen and done already.
  public init(_ subject: String, axes: [Axis?] = [], choices: [String] = []) {
    (self.subject, self.axes, self.choices) = (subject, axes, choices)
  }

  /// All of it in words: `vision.blocks.3.attention.pattern: head 1, query 0`.
  public var title: String {
    choices.isEmpty ? subject : "\(subject): \(choices.joined(separator: ", "))"
  }

  /// The subject, as long as nothing was chosen of it and nothing done with it: then it is a name.
  var ownName: String? { choices.isEmpty ? subject : nil }

  private func axis(_ number: Int) -> Axis? { axes.indices.contains(number) ? axes[number] : nil }

  // MARK: Passing on

  /// One part of an index between its commas.
  enum Pick {
    /// `None`: an axis more.
    case new
    /// One place of an axis.
    case place(Int)
    /// Several places of an axis, of so many.
    case places([Int], of: Int)
    /// Whatever is true of so many axes.
    case mask(axes: Int)
  }

  /// What is left after indexing.
  ///
  /// - Parameter reorders: whether the axes that are left change places.
  func picking(_ picks: [Pick], reorders: Bool) -> Provenance {
    var (left, said) = ([Axis?](), choices)
    var number = 0
    for pick in picks {
      switch pick {
      case .new:
        left.append(nil)
        continue
      case .place(let place): said.append(axis(number)?.word(for: place) ?? "[\(place)]")
      case .places(let places, let length):
        let own = axis(number)
        left.append(
          own.map { axis in
            Axis(
              axis.name,
              places: axis.places.isEmpty && places == Array(0..<places.count)
                ? [] : places.map(axis.word(for:)))
          })
        if places.count < length { said.append(Self.words(places, of: own)) }
      case .mask(let count):
        left.append(nil)
        said.append("where a mask is true")
        number += count - 1
      }
      number += 1
    }
    left += axes.dropFirst(number)
    return Provenance(subject, axes: reorders ? [] : left, choices: said)
  }

  /// A part of an axis in words: `keys 1 to 100`, `heads 0, 2`.
  private static func words(_ places: [Int], of axis: Axis?) -> String {
    let name = axis.map {
      places.count == 1 ? $0.name : $0.name == "query" ? "queries" : $0.name + "s"
    }
    let some: String
    if let first = places.first, let last = places.last, places.count > 2,
      places == Array(first...max(first, last))
    {
      some = "\(first) to \(last)"
    } else if places.count <= 4 {
      some = places.map(String.init).joined(separator: ", ")
    } else {
      some = "\(places.count) places"
    }
    return name.map { "\($0) \(some)" } ?? "[\(some)]"
  }

  /// One place of the first axis.
  public func choosing(_ place: Int) -> Provenance {
    picking([.place(place)], reorders: false)
  }

  /// After something was done with it that changes no axis.
  func doing(_ what: String) -> Provenance {
    Provenance(subject, axes: axes, choices: choices + [what])
  }

  /// After an axis was folded, as by `mean`.
  func folding(_ axis: Int, by word: String, keepsAxis: Bool) -> Provenance {
    var left = axes
    if left.indices.contains(axis) {
      if keepsAxis { left[axis] = nil } else { left.remove(at: axis) }
    }
    let name =
      self.axis(axis).map { $0.name == "query" ? "queries" : $0.name + "s" } ?? "axis \(axis)"
    return Provenance(subject, axes: left, choices: choices + ["\(word) of \(name)"])
  }

  /// With its axes in another order.
  func permuted(by order: [Int]) -> Provenance {
    Provenance(
      subject, axes: axes.count == order.count ? order.map { axes[$0] } : [],
      choices: choices + ["transposed"])
  }

  /// The same numbers in a shape of which nothing is known.
  var reshaped: Provenance { Provenance(subject, choices: choices + ["reshaped"]) }

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
      guard left.subject == right.subject else {
        return Provenance("\(left.title) \(word) \(right.title)", axes: axes)
      }
      // What both have in common is said once: `head 0 minus head 1, query 3`.
      let shared = zip(left.choices, right.choices).prefix { $0 == $1 }.count
      let rest = [left, right].map { $0.choices.dropFirst(shared) }
      let sharedLast = zip(rest[0].reversed(), rest[1].reversed()).prefix { $0 == $1 }.count
      let own = rest.map { $0.dropLast(sharedLast).joined(separator: ", ") }
      return Provenance(
        left.subject, axes: axes,
        choices: left.choices.prefix(shared)
          + [own.map { $0.isEmpty ? "all" : $0 }.joined(separator: " \(word) ")]
          + rest[0].suffix(sharedLast))
    }
  }
}
