internal import Models
internal import Tensors
internal import Tracing

/// How many weights of two models differ by more than the types that they are kept in round.
///
/// Of a table only the first and the last row are read. Weights that are integers on either side are left
/// out: they differ from what they were made of everywhere.
struct WeightDifference {
  /// How many differ, are on one side only, or have another shape, of how many.
  private(set) var differing = 0
  private(set) var compared = 0

  init(_ first: LoadedModel, _ second: LoadedModel) {
    guard !first.hasFiles(of: second) else { return }
    for address in Set(first.weights.keys).union(second.weights.keys) {
      guard let a = first.weights[address]?.tensor, let b = second.weights[address]?.tensor else {
        // A model in other words has no such place.
        (differing, compared) = (differing + 1, compared + 1)
        continue
      }
      if a.isQuantized || b.isQuantized { continue }
      compared += 1
      if a.shape != b.shape || Self.differ(a, b) { differing += 1 }
    }
  }

  /// Whether these are two models, rather than one in two files: most of the weights differ.
  var isOfTwoModels: Bool { compared > 0 && differing * 2 > compared }

  private static func differ(_ a: StoredTensor, _ b: StoredTensor) -> Bool {
    guard a.count > 0 else { return false }
    func read(_ weight: StoredTensor) -> [Float] {
      weight.shape.count < 2
        ? weight.tensor.elements : weight.rows([0, weight.shape[0] - 1]).elements
    }
    let (x, y) = (read(a), read(b))
    let largest = x.reduce(Float(0)) { max($0, abs($1)) }
    let tolerance = largest * max(step(of: a.type), step(of: b.type))
    return zip(x, y).contains { !(abs($0 - $1) <= tolerance) }
  }

  /// How far rounding to a type moves a number, relative to it.
  private static func step(of type: ElementType) -> Float {
    switch type {
    case .float16: 0x1p-10
    case .bfloat16: 0x1p-7
    default: 0
    }
  }
}
