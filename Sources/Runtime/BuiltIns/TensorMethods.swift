internal import Budget
internal import Foundation
internal import Tensors

/// Attributes and methods of tensors, named as NumPy's.
enum TensorMethods {
  static let names = [
    "T", "abs", "all", "any", "argmax", "argmin", "argsort", "clip", "dtype", "exp", "flatten",
    "item", "log",
    "max", "mean", "min", "name", "ndim", "norm", "reshape", "shape", "size", "softmax", "sqrt",
    "std", "sum", "tolist", "topk", "transpose",
  ]

  /// What stands behind a name; what it gives knows where the tensor's numbers come from.
  static func attribute(
    _ x: Tensor, _ name: String, from origin: Provenance? = nil
  ) throws -> Value? {
    switch name {
    case "shape": return .tuple(x.shape.map { .integer($0) })
    case "ndim": return .integer(x.rank)
    case "size": return .integer(x.count)
    case "dtype": return .text("float32")
    case "T":
      let order = Array((0..<x.rank).reversed())
      return .tensor(try permuted(x, order), from: origin?.permuted(by: order))
    default: return try method(x, name, origin).map { .function($0) }
    }
  }

  private static func method(
    _ x: Tensor, _ name: String, _ origin: Provenance?
  ) throws -> Callable? {
    switch name {
    case "abs": return mapped(x, name, origin, "Sizes without signs.") { abs($0) }
    case "exp": return mapped(x, name, origin, "e to each element.") { exp($0) }
    case "log": return mapped(x, name, origin, "Natural logarithms.") { log($0) }
    case "sqrt": return mapped(x, name, origin, "Square roots.") { $0.squareRoot() }
    case "tolist":
      return Callable(name, "Nested lists of its elements.") { session in
        try Arithmetic.checkCount(x.count, session)
        return try nested(x)
      }
    case "item":
      return Callable(name, "Its only element.") { _ in
        guard x.count == 1 else {
          throw RuntimeFailure(
            .value, "item() is for tensors of one element; this one has shape \(x.shape)")
        }
        return .float(Double(x.elements[0]))
      }
    case "flatten":
      return Callable(name, "All elements along one axis.") { _ in
        .tensor(x.reshaped(x.count), from: x.rank == 1 ? origin : origin?.reshaped)
      }
    case "clip":
      return Callable(
        name, "Held between two bounds.", .number("min", "The lower."), .number("max", "The upper.")
      ) { _, low, high in
        try Tensor.askForRoom(x.shape)
        return .tensor(
          x.map { min(max($0, Float(low)), Float(high)) }, from: origin?.doing("clipped"))
      }
    case "reshape":
      return Callable(unchecked: name, takes: "*shape", "The same elements in another shape.") {
        arguments, _ in
        .tensor(try reshaped(x, arguments), from: origin?.reshaped)
      }
    case "transpose":
      return Callable(unchecked: name, takes: "*axes", "The axes in another order.") {
        arguments, _ in
        let order = try order(of: arguments, x)
        return .tensor(try permuted(x, order), from: origin?.permuted(by: order))
      }
    case "softmax":
      return Callable(
        name, "Exponentials divided by their sum, along one axis.",
        .integer("axis", default: -1, "Which axis.").also("dim")
      ) { _, axis in
        let axis = try place(axis, x)
        try Tensor.askForRoom(x.shape, copies: axis == x.rank - 1 ? 1 : 3)
        return .tensor(softmax(x, axis), from: origin?.doing("softmax"))
      }
    case "argsort":
      return Callable(
        name, "Where its elements stand in order.", TensorOrder.axis, TensorOrder.falling
      ) { _, axis, falls in
        try TensorOrder(x, axis: axis, falling: falls, name).positions
      }
    case "topk":
      return Callable(
        name, "The k largest along an axis, and where they stand.",
        .integer("k", in: 0...Int.max, "How many."), TensorOrder.axis, TensorOrder.largest
      ) { _, k, axis, largest in
        try TensorOrder(x, axis: axis, falling: largest, first: k, name).pair
      }
    default: return reduction(x, name, origin)
    }
  }

  private static func mapped(
    _ x: Tensor, _ name: String, _ origin: Provenance?, _ summary: String,
    _ operation: @escaping @Sendable (Float) -> Float
  ) -> Callable {
    Callable(name, summary) { _ in
      try Tensor.askForRoom(x.shape)
      return .tensor(x.map(operation), from: origin?.doing(name))
    }
  }

  private static func reduction(
    _ x: Tensor, _ name: String, _ origin: Provenance?
  ) -> Callable? {
    let fold: @Sendable ([Float]) -> Float
    switch name {
    case "sum": fold = { Float(total($0) { $0 }) }
    case "mean": fold = { Float(total($0) { $0 } / Double($0.count)) }
    case "std": fold = { Float(deviation($0)) }
    case "norm": fold = { Float(total($0) { $0 * $0 }.squareRoot()) }
    // A NaN anywhere is the result, as in NumPy.
    case "max": fold = { folded($0) { $0.isNaN || $0 >= $1 ? $0 : $1 } }
    case "min": fold = { folded($0) { $0.isNaN || $0 <= $1 ? $0 : $1 } }
    case "argmax": fold = { Float(extreme($0) { $0 > $1 }) }
    case "argmin": fold = { Float(extreme($0) { $0 < $1 }) }
    case "any": fold = { line in folded(line) { $0 != 0 || $1 != 0 ? 1 : 0 } != 0 ? 1 : 0 }
    case "all":
      fold = { line in line.isEmpty || folded(line) { $0 != 0 && $1 != 0 ? 1 : 0 } != 0 ? 1 : 0 }
    default: return nil
    }
    return Callable(
      name, "Over all elements, or along one axis.",
      .optional(.integer("axis", "Which axis; all elements where it is None.")).also("dim"),
      .flag("keepdims", "Whether the axis stays, with length 1.").also("keepdim")
    ) { _, axis, keepsAxis in
      let along = try axis.map { try place($0, x) }
      if let along {
        var rest = x.shape
        rest.remove(at: along)
        try Tensor.askForRoom(rest, copies: 2)
      }
      let length = along.map { x.shape[$0] } ?? x.count
      if length == 0, !["sum", "norm", "any", "all", "mean", "std"].contains(name) {
        throw RuntimeFailure(.value, "\(name) of no elements")
      }
      guard let along else {
        let result = fold(x.elements)
        if keepsAxis { return .tensor(Tensor([result], shape: x.shape.map { _ in 1 })) }
        switch name {
        case "argmax": return .integer(extreme(x.elements) { $0 > $1 })
        case "argmin": return .integer(extreme(x.elements) { $0 < $1 })
        case "any", "all": return .bool(result != 0)
        default: return .float(Double(result))
        }
      }
      let folded = x.reduced(axis: along, fold)
      let arePositions = name == "argmax" || name == "argmin"
      if arePositions { try DiscreteTensor.checkPositions(x.shape[along], name) }
      let folding = origin?.folding(along, by: name, keepsAxis: keepsAxis)
      guard keepsAxis else {
        guard arePositions else { return Indexing.scalar(folded, from: folding) }
        return DiscreteTensor.value(folded, .positions)
      }
      var shape = x.shape
      shape[along] = 1
      let kept = folded.reshaped(to: shape)
      return arePositions
        ? .object(DiscreteTensor(kept, .positions)) : .tensor(kept, from: folding)
    }
  }

  private static func deviation(_ line: [Float]) -> Double {
    let mean = total(line) { $0 } / Double(line.count)
    let squares = total(line) { ($0 - mean) * ($0 - mean) }
    return (squares / Double(line.count)).squareRoot()
  }

  /// What `term` gives for each element, added in order and in double precision.
  private static func total(_ line: [Float], _ term: (Double) -> Double) -> Double {
    var sum = 0.0
    Stop.parts(of: line.count) { part in
      for index in part { sum += term(Double(line[index])) }
    }
    return sum
  }

  /// The elements joined from the first on; 0 for none.
  private static func folded(_ line: [Float], _ join: (Float, Float) -> Float) -> Float {
    var result = line.first ?? 0
    Stop.parts(of: line.count) { part in
      for index in part where index > 0 { result = join(result, line[index]) }
    }
    return result
  }

  /// The first of the most extreme; a NaN wins, as in NumPy.
  private static func extreme(_ line: [Float], _ isBetter: (Float, Float) -> Bool) -> Int {
    var best = 0
    Stop.parts(of: line.count) { part in
      for index in part where index > 0 && !line[best].isNaN {
        if line[index].isNaN || isBetter(line[index], line[best]) { best = index }
      }
    }
    return best
  }

  static func place(_ axis: Int, _ x: Tensor) throws -> Int {
    let place = axis < 0 ? axis + x.rank : axis
    guard place >= 0, place < x.rank else {
      throw ArgumentFailure(
        parameter: "axis",
        x.rank == 0
          ? "must be None: the shape is []"
          : "must be a whole number from \(-x.rank) to \(x.rank - 1), not \(axis)",
        note: x.rank == 0 ? nil : "the shape is \(x.shape)")
    }
    return place
  }

  private static func softmax(_ x: Tensor, _ axis: Int) -> Tensor {
    guard axis != x.rank - 1 else { return x.softmax() }
    var order = Array(0..<x.rank)
    order.swapAt(axis, x.rank - 1)
    return x.permuted(by: order).softmax().permuted(by: order)
  }

  /// Whole numbers from `f(2, 3)`, `f((2, 3))` or `f([2, 3])`.
  static func integers(_ arguments: [Argument], _ name: String) throws -> [Int] {
    var values = arguments.map(\.value)
    if values.count == 1, values[0].isContainer {
      values = try Sequences.values(of: values[0], limit: 1000)
    }
    return try values.map { value in
      guard case .integer(let number) = value else {
        throw RuntimeFailure(.type, "\(name) takes whole numbers, not \(value.inMessage)")
      }
      return number
    }
  }

  private static func reshaped(_ x: Tensor, _ arguments: [Argument]) throws -> Tensor {
    var shape = try integers(arguments, "reshape")
    func fail() -> RuntimeFailure {
      RuntimeFailure(
        .shape, "the \(x.count) elements of shape \(x.shape) do not fill shape \(shape)")
    }
    let open = shape.indices.filter { shape[$0] == -1 }
    guard open.count <= 1, shape.allSatisfy({ $0 >= -1 }) else {
      throw RuntimeFailure(.shape, "a shape may hold one -1, and no other negative length")
    }
    var known = 1
    for length in shape where length >= 0 {
      let (product, overflowed) = known.multipliedReportingOverflow(by: length)
      guard !overflowed else { throw fail() }
      known = product
    }
    if let open = open.first {
      guard known > 0, x.count.isMultiple(of: known) else { throw fail() }
      shape[open] = x.count / known
      known *= shape[open]
    }
    guard known == x.count else { throw fail() }
    return x.reshaped(to: shape)
  }

  /// The order of axes that `transpose` is given; the reverse where none is.
  private static func order(of arguments: [Argument], _ x: Tensor) throws -> [Int] {
    let axes = try integers(arguments, "transpose").map { $0 < 0 ? $0 + x.rank : $0 }
    if axes.isEmpty { return Array((0..<x.rank).reversed()) }
    guard axes.sorted() == Array(0..<x.rank) else {
      throw RuntimeFailure(
        .shape, "transpose names every axis of shape \(x.shape) once",
        notes: ["such as " + (0..<x.rank).reversed().map(String.init).joined(separator: ", ")])
    }
    return axes
  }

  private static func permuted(_ x: Tensor, _ axes: [Int]) throws -> Tensor {
    guard x.rank > 1 else { return x }
    try Tensor.askForRoom(axes.map { x.shape[$0] })
    return x.permuted(by: axes)
  }

  private static func nested(_ x: Tensor) throws -> Value {
    if x.rank == 0 { return .float(Double(x.elements[0])) }
    try Stop.check()
    try [Value].askForRoom(of: x.shape[0])
    if x.rank == 1 {
      var values: [Value] = []
      values.reserveCapacity(x.count)
      Stop.parts(of: x.count) { part in
        for number in x.elements[part] { values.append(.float(Double(number))) }
      }
      return .newList(values)
    }
    return .newList(try (0..<x.shape[0]).map { try nested(Indexing.row(x, $0)) })
  }
}
