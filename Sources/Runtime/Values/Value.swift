public import Tensors

/// Anything a script can hold.
///
/// Lists and dictionaries are references, as in Python: two names may share one. All others are
/// values.
public enum Value: Sendable {
  /// `None`.
  case none
  /// `True` or `False`.
  case bool(Bool)
  /// A whole number of 64 bits.
  case integer(Int)
  /// A number in double precision.
  case float(Double)
  /// Text.
  case text(IndexedText)
  /// A list, shared by everybody who holds it.
  case list(List)
  /// Several values that stay as they are.
  case tuple([Value])
  /// Values by key, in the order they were added, shared by everybody who holds it.
  case dictionary(Mapping)
  /// Whole numbers at equal distances.
  case range(RangeValue)
  /// A part of a sequence, as in `x[1:3]`.
  case slice(SliceValue)
  /// `...`
  case ellipsis
  /// Numbers in a shape, and where they come from.
  case tensor(Tensor, from: Provenance? = nil)
  /// Something to call: a script's own function, or a method of a value.
  case function(Callable)
  /// A command.
  case command(Command)
  /// Something the commands brought: a picture, a model, a trace.
  case object(any ForeignObject)
}

extension Value {
  /// The text of a string.
  public static func text(_ string: String) -> Value { .text(IndexedText(string)) }

  /// A new list of `values`.
  public static func newList(_ values: [Value]) -> Value { .list(List(values)) }

  /// A new list of texts.
  public static func texts(_ texts: [String]) -> Value { .list(List(texts.map { .text($0) })) }

  /// A new list of whole numbers.
  public static func integers(_ numbers: [Int]) -> Value {
    .list(List(numbers.map { .integer($0) }))
  }

  /// The name of the value's type, as `type(x)` gives it.
  public var typeName: String {
    switch self {
    case .none: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .float: "float"
    case .text: "str"
    case .list: "list"
    case .tuple: "tuple"
    case .dictionary: "dict"
    case .range: "range"
    case .slice: "slice"
    case .ellipsis: "ellipsis"
    case .tensor: "Tensor"
    case .function: "function"
    case .command: "command"
    case .object(let object): object.typeName
    }
  }

  /// The tensor in it: a tensor itself, or what stands for an object in arithmetic.
  public var tensor: Tensor? {
    switch self {
    case .tensor(let tensor, _): tensor
    case .object(let object): object.tensor
    default: nil
    }
  }

  /// Where the numbers of the tensor in it come from, as far as that is known.
  public var provenance: Provenance? {
    switch self {
    case .tensor(_, let provenance): provenance
    case .object(let object): object.tensor == nil ? nil : object.provenance
    default: nil
    }
  }

  /// The shape of the tensor in it.
  public var shape: [Int]? { tensor?.shape }

  /// The number in it, or the only element of the tensor in it.
  public var onlyNumber: Double? {
    if let number { return number }
    guard let tensor, tensor.count == 1 else { return nil }
    return Double(tensor.elements[0])
  }

  /// The whole number in it; `True` is 1, as in Python.
  public var integer: Int? {
    switch self {
    case .integer(let number): number
    case .bool(let truth): truth ? 1 : 0
    default: nil
    }
  }

  /// The number in it, whole or not; `True` is 1, as in Python.
  public var number: Double? {
    switch self {
    case .integer(let number): Double(number)
    case .float(let number): number
    case .bool(let truth): truth ? 1 : 0
    default: nil
    }
  }

  /// The text in it.
  public var text: String? { if case .text(let text) = self { text.string } else { nil } }
}

/// The whole numbers from `start` to before `stop`, `step` apart; `step` is not 0.
public struct RangeValue: Sendable, Equatable {
  /// The first.
  public let start: Int
  /// Where it ends, itself not included.
  public let stop: Int
  /// The distance; may be negative.
  public let step: Int

  /// A range; nil where `step` is 0.
  public init?(start: Int = 0, stop: Int, step: Int = 1) {
    guard step != 0 else { return nil }
    (self.start, self.stop, self.step) = (start, stop, step)
  }

  /// How many numbers there are; at most `Int.max`.
  public var count: Int {
    guard step > 0 ? start < stop : start > stop else { return 0 }
    let distance =
      step > 0
      ? stop.subtractingReportingOverflow(start)
      : start.subtractingReportingOverflow(stop)
    let span = UInt(bitPattern: distance.partialValue)
    return Int(clamping: (span - 1) / step.magnitude + 1)
  }

  /// Number `index`; it must be from 0 to below `count`.
  public subscript(_ index: Int) -> Int { start &+ index &* step }
}

/// The bounds of a part of a sequence; what is left out is nil.
public struct SliceValue: Sendable, Equatable {
  /// The first index.
  public let start: Int?
  /// The index before which it ends.
  public let stop: Int?
  /// The distance between indices.
  public let step: Int?

  /// The bounds as written.
  public init(start: Int?, stop: Int?, step: Int?) {
    (self.start, self.stop, self.step) = (start, stop, step)
  }

  /// The bounds applied to a sequence of `count` elements by Python's rules; nil for step 0.
  public func indices(count: Int) -> RangeValue? {
    let step = step ?? 1
    guard step != 0 else { return nil }
    let (low, high) = step > 0 ? (0, count) : (-1, count - 1)
    func place(_ index: Int) -> Int {
      min(max(index < 0 ? index.addingReportingOverflow(count).partialValue : index, low), high)
    }
    let first = start.map(place) ?? (step > 0 ? low : high)
    let last = stop.map(place) ?? (step > 0 ? high : low)
    return RangeValue(start: first, stop: last, step: step)
  }
}
