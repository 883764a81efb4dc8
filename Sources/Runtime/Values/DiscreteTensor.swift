internal import Budget
public import Tensors

/// Truths or whole numbers in a shape: a mask, as comparisons give it, or positions, as `argmax`
/// and `argsort` give them.
///
/// Elements are `bool` or `int`; in arithmetic a tensor of float32 stands for them.
struct DiscreteTensor: ForeignObject {
  enum Kind: String {
    /// 0 and 1.
    case mask = "bool"
    /// Whole numbers, exact in float32.
    case positions = "int64"

    var noun: String { self == .mask ? "mask" : "tensor" }
  }

  let numbers: Tensor
  let kind: Kind

  init(_ numbers: Tensor, _ kind: Kind) { (self.numbers, self.kind) = (numbers, kind) }

  /// The same as a value: without axes it is a plain truth or number.
  static func value(_ numbers: Tensor, _ kind: Kind) -> Value {
    numbers.rank == 0
      ? element(numbers.elements[0], kind) : .object(DiscreteTensor(numbers, kind))
  }

  /// The mask in a value; a plain truth is a mask without axes.
  static func mask(in value: Value) -> Tensor? {
    switch value {
    case .bool(let truth): Tensor(truth ? 1 : 0)
    case .object(let object as DiscreteTensor): object.kind == .mask ? object.numbers : nil
    default: nil
    }
  }

  /// Fails where an axis has more places than float32 can number.
  static func checkPositions(_ length: Int, _ name: String) throws {
    guard length > 1 << 24 else { return }
    throw RuntimeFailure(
      .limit,
      "\(name): an axis of \(length) has places beyond 16777216, which a tensor of float32 "
        + "cannot hold exactly",
      hint: "take parts of the axis one after the other")
  }

  var tensor: Tensor? { numbers }
  var typeName: String { "Tensor" }
  var brief: String { "Tensor\(numbers.shape)" }

  var shown: String {
    let head =
      "Tensor [\(numbers.shape.map(String.init).joined(separator: ", "))] \(kind.rawValue)\n  "
    if numbers.count <= 64 { return head + Self.nested(numbers, kind).represented }
    switch kind {
    case .mask: return head + "\(total) of \(numbers.count) are True"
    case .positions:
      let (low, high) = numbers.elements.reduce((Float.infinity, -Float.infinity)) {
        (min($0.0, $1), max($0.1, $1))
      }
      return head + "from \(Int(low)) to \(Int(high))"
    }
  }

  /// The sum of the elements; of a mask, how many are true.
  var total: Int {
    var total = 0
    Stop.parts(of: numbers.count, size: 1 << 16) { part in
      for number in numbers.elements[part] { total += Int(number) }
    }
    return total
  }

  /// What gives whole numbers or truths here, and floats for other tensors.
  var attributeNames: [String] {
    ["T", "dtype", "flatten", "item", "max", "min", "reshape", "sum", "tolist", "transpose"]
  }

  func attribute(_ name: String) throws -> Value? {
    switch name {
    case "dtype": return .text(kind.rawValue)
    case "tolist":
      return .function(
        Callable(name, "Nested lists of its elements.") { session in
          try Arithmetic.checkCount(numbers.count, session)
          try [Value].askForRoom(of: numbers.count)
          let list = Self.nested(numbers, kind)
          try Stop.check()
          return list
        })
    case "T":
      return .object(
        DiscreteTensor(numbers.permuted(by: Array((0..<numbers.rank).reversed())), kind))
    case "flatten", "item", "max", "min", "reshape", "sum", "transpose":
      guard case .function(let method)? = try TensorMethods.attribute(numbers, name) else {
        return nil
      }
      // Sums of truths count them.
      let kind = name == "sum" ? .positions : kind
      return .function(
        method.giving { value in
          switch value {
          case .float(let number): Self.element(Float(number), kind, exactly: number)
          case .tensor(let tensor, _): Self.value(tensor, kind)
          default: value
          }
        })
    default: return nil
    }
  }

  var elementCount: Int? { numbers.rank > 0 ? numbers.shape[0] : nil }

  func element(_ index: Value) throws -> Value? {
    switch try TensorIndex.apply(index, to: numbers) {
    case .tensor(let some, _): .object(DiscreteTensor(some, kind))
    case .float(let number): Self.element(Float(number), kind)
    case let other: other
    }
  }

  private static func element(_ number: Float, _ kind: Kind, exactly: Double? = nil) -> Value {
    kind == .mask ? .bool(number != 0) : .integer(Int(exactly ?? Double(number)))
  }

  private static func nested(_ numbers: Tensor, _ kind: Kind) -> Value {
    guard numbers.rank > 0 else { return element(numbers.elements[0], kind) }
    var values: [Value] = []
    values.reserveCapacity(numbers.shape[0])
    Stop.parts(of: numbers.shape[0], size: numbers.rank > 1 ? 64 : 1 << 16) { part in
      values += part.map { place in
        numbers.rank > 1
          ? nested(Indexing.row(numbers, place), kind) : element(numbers.elements[place], kind)
      }
    }
    return .newList(values)
  }
}

extension Value {
  /// Positions, as `argsort` gives them.
  public static func positions(_ places: [Int]) -> Value {
    .object(DiscreteTensor(Tensor(places.map { Float($0) }, shape: [places.count]), .positions))
  }

  /// Whether it is a tensor of whole numbers.
  var isPositions: Bool {
    if case .object(let object as DiscreteTensor) = self {
      object.kind == .positions
    } else {
      false
    }
  }

  /// The mask in it, 0 and 1, as a comparison of tensors gives it.
  public var mask: Tensor? {
    if case .object(let object as DiscreteTensor) = self, object.kind == .mask {
      object.numbers
    } else {
      nil
    }
  }

  /// The whole numbers in it: of a list of them, of a range, or of positions along one axis.
  public var wholeNumbers: [Int]? {
    switch self {
    case .object(let object as DiscreteTensor):
      guard object.kind == .positions, object.numbers.rank == 1 else { return nil }
      return object.numbers.elements.map { Int($0) }
    case .list, .tuple, .range:
      guard let values = try? Sequences.values(of: self, limit: 10_000_000) else { return nil }
      let numbers = values.compactMap { value -> Int? in
        if case .integer(let number) = value { number } else { nil }
      }
      return numbers.count == values.count ? numbers : nil
    default: return nil
    }
  }
}

extension Callable {
  /// The same function with its result changed.
  func giving(_ change: @escaping @Sendable (Value) -> Value) -> Callable {
    guard case .builtIn(let body) = self.body else { return self }
    var function = self
    function.body = .builtIn { change(try body($0, $1)) }
    return function
  }
}
