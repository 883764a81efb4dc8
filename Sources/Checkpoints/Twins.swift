/// Tensors that several names of a file stand for, found as the names come.
///
/// PyTorch's files keep numbers once that several tensors share; safetensors keep one of the names.
package struct Twins {
  private let tensors: TensorCollection
  private var names: [[Int]: String] = [:]

  /// Looks among `tensors`.
  package init(_ tensors: TensorCollection) { self.tensors = tensors }

  /// The name that came before for the very same tensor; nil for a tensor that is new.
  package mutating func insert(_ name: String) -> String? {
    guard let place = tensors.place(name), let identity = tensors.identity(at: place) else {
      return nil
    }
    if let kept = names[identity] { return kept }
    names[identity] = name
    return nil
  }
}
