internal import Tensors

/// Where elements of a tensor stand, as `argmax` along an axis gives them: whole numbers, though a
/// tensor of float32 stands for them in arithmetic.
struct Positions: ForeignObject {
  let numbers: Tensor

  var tensor: Tensor? { numbers }
  var typeName: String { "Tensor" }
  var shown: String {
    "Tensor [\(numbers.shape.map(String.init).joined(separator: ", "))] int64\n  "
      + Self.nested(numbers).represented
  }
  var brief: String { "a tensor of shape \(numbers.shape)" }
  var attributeNames: [String] { ["dtype", "tolist"] }

  func attribute(_ name: String) throws -> Value? {
    switch name {
    case "dtype": .text("int64")
    case "tolist":
      .function(
        Callable(name, "Nested lists of its elements.") { session in
          try Arithmetic.checkCount(numbers.count, session)
          return Self.nested(numbers)
        })
    default: nil
    }
  }

  var elementCount: Int? { numbers.rank > 0 ? numbers.shape[0] : nil }

  func element(_ index: Value) throws -> Value? {
    switch try TensorIndex.apply(index, to: numbers) {
    case .tensor(let some, _): .object(Positions(numbers: some))
    case .float(let number): .integer(Int(number))
    case let other: other
    }
  }

  private static func nested(_ numbers: Tensor) -> Value {
    guard numbers.rank > 0 else { return .integer(Int(numbers.elements[0])) }
    return .newList((0..<numbers.shape[0]).map { nested(numbers.row($0)) })
  }
}
