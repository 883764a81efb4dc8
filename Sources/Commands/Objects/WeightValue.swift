internal import Budget
internal import Characters
internal import Foundation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// A weight of a model: where it lies, and its numbers, of which only what is asked for is read.
struct WeightValue: ForeignObject {
  let weight: Weight

  var typeName: String { "Weight" }
  var brief: String { "weight \(weight.address) \(weight.tensor.shape)" }
  var shown: String {
    let file = URL(filePath: weight.file).lastPathComponent
    let way = isRounded ? " multiplied in bfloat16" : ""
    return "\(weight.address): \(weight.tensor.shape), \(weight.tensor.encoding.name)\(way), "
      + "\(weight.tensor.byteCount.asByteCount)\n\(weight.name) in \(file.visibleOnOneLine)"
  }

  /// All numbers as they are multiplied; quantized ones as what they stand for.
  var tensor: Tensor? { multiplied(weight.tensor.tensor) }

  /// Whether other numbers lie in the file than are multiplied.
  private var isRounded: Bool {
    guard weight.tensor.arithmetic == .bfloat16, case .plain(let type) = weight.tensor.encoding
    else { return false }
    return type != .bfloat16
  }

  private func multiplied(_ numbers: Tensor) -> Tensor {
    isRounded ? numbers.roundedToBFloat16() : numbers
  }

  var attributeNames: [String] { ["name", "address", "file", "dtype", "shape", "bytes"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "name": .text(weight.name)
    case "address": .text(weight.address.description)
    case "file": .text(weight.file)
    case "dtype": .text(weight.tensor.encoding.name)
    case "shape": .tuple(weight.tensor.shape.map { .integer($0) })
    case "bytes": .integer(weight.tensor.byteCount)
    default: nil
    }
  }

  /// A row, or a slice of rows, without reading the others; for other indices all are read.
  func element(_ index: Value) throws -> Value? {
    let shape = weight.tensor.shape
    guard let count = shape.first else { return nil }
    let name = weight.address.description
    switch index {
    case .integer(let number):
      let row = number < 0 ? number + count : number
      guard (0..<count).contains(row) else {
        throw RuntimeFailure(
          .index, "row \(number) is outside the \(count.counted(as: "row")) of \(name)")
      }
      let tensor = multiplied(weight.tensor.rows([row]))
      return .tensor(
        tensor.reshaped(to: Array(shape.dropFirst())),
        from: Provenance("\(name)[\(row)]"))
    case .slice(let slice):
      guard let range = slice.indices(count: count) else { return nil }
      let rows = (0..<range.count).map { range.start + $0 * range.step }
      let (bytes, overflow) = (rows.count * 4).multipliedReportingOverflow(
        by: shape.dropFirst().reduce(1, *))
      try MemoryGate.take(overflow ? .max : bytes, of: 1, for: "\(rows.count) rows of \(name)")
      return .tensor(multiplied(weight.tensor.rows(rows)), from: Provenance(name))
    default:
      try MemoryGate.take(weight.tensor.count, of: 4, for: "the numbers of \(name)")
      return nil
    }
  }
}
