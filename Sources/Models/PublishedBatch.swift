internal import Tensors
internal import Tracing

extension [Tensor] {
  /// A convolution's result, `[N, D, rows, columns]`, of one `[P, D]` a picture.
  func imageChannels(_ grid: PatchGrid) -> Tensor {
    Tensor.concatenated(
      map { $0.transposed().reshaped(1, $0.shape[1], grid.rowCount, grid.columnCount) })
  }
}

extension [Trace] {
  /// What was kept, by address: behind the picture's number where there are several.
  var named: [PublishedTensor] {
    count == 1
      ? self[0].named("") : enumerated().flatMap { $0.element.named("images.\($0.offset).") }
  }
}

extension FamilyModel {
  /// The tensors of a batch's runs under the published module paths.
  ///
  /// - Parameters:
  ///   - prefix: what stands before each path.
  ///   - stack: one tensor a run, as the published code has them, at an address, under one of its
  ///     paths.
  func publishedBatch(
    _ traces: [Trace], prefix: String = "", stack: ([Tensor], Address, String) -> Tensor
  ) -> [PublishedTensor] {
    guard let first = traces.first else { return [] }
    return first.records.flatMap { record -> [PublishedTensor] in
      let places = publishedPlaces(of: record.address)
      guard !places.isEmpty else { return [] }
      let batch = traces.compactMap { $0[record.address] }
      return places.map {
        PublishedTensor(name: prefix + $0, tensor: stack(batch, record.address, $0))
      }
    }
  }
}
