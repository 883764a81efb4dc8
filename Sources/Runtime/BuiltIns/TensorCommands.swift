internal import Budget
internal import Tensors

/// Commands that put tensors together and in order, each as the function of that name in NumPy or
/// PyTorch.
public enum TensorCommands {
  /// The list, in the order of the reference.
  public static let all: [Command] = [concat, stack, sort, argsort, topk]

  private static let nanRule =
    "Equal elements keep their order. NaN counts as larger than any number, as in PyTorch: last "
    + "when rising, first when falling."

  private static let concat = Command(
    "concat", group: "Tensors", "Joins tensors along an axis that they have.",
    .any("tensors", expects: "a list of tensors", "The tensors, alike but for that axis."),
    Parameter.integer("axis", default: 0, "Along which axis.").also("dim"),
    returns: "a tensor, as long on that axis as all together",
    examples: [
      Example("concat([zeros(2, 3), ones(1, 3)]).shape", "Two rows and one more."),
      Example("concat([zeros(2, 3), ones(2, 1)], axis=1)", "A further column."),
    ], seeAlso: ["stack"]
  ) { session, tensors, axis in
    let parts = try Numbers.list(tensors, session)
    let first = parts[0].tensor
    guard first.rank > 0 else {
      throw ArgumentFailure(
        parameter: "tensors", "must have at least one axis to be joined along",
        note: "stack([1, 2]) lays numbers beside each other")
    }
    let along = try TensorMethods.place(axis, first)
    func rest(_ shape: [Int]) -> [Int] { Array(shape[..<along] + shape[(along + 1)...]) }
    for (index, part) in parts.enumerated() {
      let shape = part.tensor.shape
      guard shape.count == first.rank, rest(shape) == rest(first.shape) else {
        throw RuntimeFailure(
          .shape,
          "concat: element \(index) has shape \(shape), and the first has \(first.shape)",
          notes: ["all lengths but that of axis \(axis) must be equal"])
      }
    }
    var shape = first.shape
    shape[along] = parts.reduce(0) { $0 + $1.tensor.shape[along] }
    return try joined(
      parts, outer: first.shape[..<along].reduce(1, *), shape: shape,
      from: .together(parts.map(\.origin), axis: along, isNew: false), "concat")
  }

  private static let stack = Command(
    "stack", group: "Tensors", "Lays tensors of one shape on each other, along a new axis.",
    .any("tensors", expects: "a list of tensors", "The tensors, all of one shape."),
    Parameter.integer("axis", default: 0, "Where the new axis stands in the result.").also("dim"),
    returns: "a tensor with one axis more, as long as the list",
    examples: [
      Example("stack([zeros(3), ones(3)]).shape", "Two rows of three."),
      Example(
        "trace = run(scene(7), keep=\"vision.blocks.*.attention.pattern\").trace\n"
          + "stack([pattern.mean(axis=0) for name, pattern in trace.items()]).shape",
        "The mean over heads of every block, in one tensor."),
    ], seeAlso: ["concat"]
  ) { session, tensors, axis in
    let parts = try Numbers.list(tensors, session)
    let first = parts[0].tensor.shape
    for (index, part) in parts.enumerated() where part.tensor.shape != first {
      throw RuntimeFailure(
        .shape,
        "stack: element \(index) has shape \(part.tensor.shape), and the first has \(first)")
    }
    let along = axis < 0 ? axis + first.count + 1 : axis
    guard (0...first.count).contains(along) else {
      throw ArgumentFailure(
        parameter: "axis",
        "must be a whole number from \(-first.count - 1) to \(first.count), not \(axis)",
        note: "the tensors have shape \(first)")
    }
    let shape = first[..<along] + [parts.count] + first[along...]
    return try joined(
      parts, outer: first[..<along].reduce(1, *), shape: Array(shape),
      from: .together(parts.map(\.origin), axis: along, isNew: true), "stack")
  }

  /// Takes from each tensor in turn what belongs to one place of the axes before the joined one.
  private static func joined(
    _ parts: [Numbers], outer: Int, shape: [Int], from origin: Provenance?, _ name: String
  ) throws -> Value {
    try TensorArithmetic.checkCount(shape, "\(name): the result")
    try Tensor.askForRoom(shape)
    var elements: [Float] = []
    elements.reserveCapacity(parts.reduce(0) { $0 + $1.tensor.count })
    for place in 0..<outer {
      try Stop.check()
      for part in parts {
        let size = part.tensor.count / outer
        elements += part.tensor.elements[place * size..<(place + 1) * size]
      }
    }
    let kind = parts.allSatisfy { $0.kind == parts[0].kind } ? parts[0].kind : nil
    return Numbers(Tensor(elements, shape: shape), kind, from: origin).value
  }

  private static let sort = Command(
    "sort", group: "Tensors", "The elements in order, along an axis.",
    Parameter.numbers("x", "A tensor, or a list of numbers."), TensorOrder.axis,
    TensorOrder.falling,
    returns: "a tensor of the same shape", details: nanRule,
    examples: [
      Example("sort(tensor([3, 1, 2]))", "Smallest first."),
      Example("sort(tensor([[3, 1], [2, 4]]), axis=0, descending=True)", "Columns, falling."),
    ], seeAlso: ["argsort", "topk"]
  ) { _, x, axis, falls in
    let order = try TensorOrder(x.tensor, axis: axis, falling: falls, "sort")
    return Numbers(order.values, x.kind, from: x.origin?.doing("sorted")).value
  }

  private static let argsort = Command(
    "argsort", group: "Tensors", "Where the elements stand, in their order along an axis.",
    Parameter.numbers("x", "A tensor, or a list of numbers."), TensorOrder.axis,
    TensorOrder.falling,
    returns: "positions, a tensor of the same shape", details: nanRule,
    examples: [
      Example("x = tensor([30, 10, 20])\nx[argsort(x)]", "The same as sort(x)."),
      Example(
        "seen = attention(encode(embed(patchify(preprocess(scene(7))))), block=1)\n"
          + "argsort(seen[0, 1:], descending=True)[:5]",
        "The five patches that the class token looks at most."),
    ], seeAlso: ["sort", "topk"]
  ) { _, x, axis, falls in
    try TensorOrder(x.tensor, axis: axis, falling: falls, "argsort").positions
  }

  private static let topk = Command(
    "topk", group: "Tensors", "The k largest elements along an axis, and where they stand.",
    Parameter.numbers("x", "A tensor, or a list of numbers."),
    .integer("k", in: 0...Int.max, "How many."), TensorOrder.axis, TensorOrder.largest,
    returns: "a pair: the elements, largest first, and their positions", details: nanRule,
    examples: [
      Example(
        "values, places = topk(tensor([0.1, 0.7, 0.2]), 2)\nplaces.tolist()", "Where they stand.")
    ], seeAlso: ["sort", "argsort"]
  ) { _, x, k, axis, largest in
    let order = try TensorOrder(x.tensor, axis: axis, falling: largest, first: k, "topk")
    return .tuple([Numbers(order.values, x.kind).value, order.positions])
  }
}

/// A tensor that an argument gave, or numbers in lists, and what its elements are.
struct Numbers: Sendable {
  let tensor: Tensor
  /// Nil for floats.
  let kind: DiscreteTensor.Kind?
  /// What the numbers are; nil where that is not known.
  let origin: Provenance?

  init(_ tensor: Tensor, _ kind: DiscreteTensor.Kind?, from origin: Provenance? = nil) {
    (self.tensor, self.kind, self.origin) = (tensor, kind, origin)
  }

  /// - Throws: `RuntimeFailure` for lists of something else, or of different lengths.
  fileprivate init?(_ value: Value, _ session: Session) throws {
    if case .object(let object as DiscreteTensor) = value {
      self.init(object.numbers, object.kind)
    } else if let tensor = value.tensor {
      self.init(tensor, nil, from: value.provenance)
    } else if value.isContainer, value.text == nil {
      var elements: [Float] = []
      let shape = try BuiltIns.fill(value, &elements, session, depth: 0)
      self.init(Tensor(elements, shape: shape), nil)
    } else {
      return nil
    }
  }

  /// The tensors of a list; the rows of a tensor.
  static func list(_ value: Value, _ session: Session) throws -> [Numbers] {
    func failure(_ found: Value) -> ArgumentFailure {
      ArgumentFailure(
        parameter: "tensors", "must be a list of tensors, not \(found.inMessage)")
    }
    guard value.isContainer || value.tensor != nil, value.text == nil else { throw failure(value) }
    let values = try Sequences.values(of: value, limit: session.limits.elements)
    guard !values.isEmpty else {
      throw ArgumentFailure(parameter: "tensors", "must be a list of at least one")
    }
    return try values.map { value in
      if let number = value.number { return Numbers(Tensor(Float(number)), nil) }
      guard let numbers = try Numbers(value, session) else { throw failure(value) }
      return numbers
    }
  }

  var value: Value {
    kind.map { DiscreteTensor.value(tensor, $0) } ?? Indexing.scalar(tensor, from: origin)
  }
}

extension Parameter where T == Numbers {
  /// A tensor, or numbers in nested lists.
  static func numbers(_ name: String, _ summary: String) -> Self {
    let facts = ParameterFacts(
      name: name, type: "Tensor", expects: "a tensor or a list of numbers", defaultText: nil,
      summary: summary, suggestions: { session in session.names { $0.tensor != nil } })
    return Parameter(facts) { value, session in try Numbers(value, session) }
  }
}
