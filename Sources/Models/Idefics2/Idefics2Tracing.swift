internal import Generation
internal import Tensors
internal import Tracing

extension Idefics2.Model {
  /// An answer to a conversation, with every place.
  ///
  /// Under the published names the views are one batch, each filled up to the size of the largest, as the
  /// published processor makes it.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    var input = try conversation(of: request)
    input.fillsUp = request.usesPublishedNames
    return try tracedAnswer(input, request) { published($0, of: input) }
  }

  /// The tensors of a run under the published module paths; views are a batch.
  func published(_ trace: Trace, of input: Input) -> [PublishedTensor] {
    trace.records.flatMap { record -> [PublishedTensor] in
      guard record.address.picture.index == 0 else { return [] }
      let names = publishedPlaces(of: record.address)
      guard !names.isEmpty else { return [] }
      let batch = trace.ofAllPictures(record)
      // Views of different sizes are a batch only where they were filled up.
      guard batch.allSatisfy({ $0.shape == batch[0].shape }) else { return [] }
      let isPatch = record.address.description == "vision.embedding.patch.output"
      let tensor =
        isPatch
        ? batch.imageChannels((try? patches(of: input, at: 0)) ?? patches)
        : Tensor.concatenated(batch.map(\.withBatchAxis))
      return names.map { PublishedTensor(name: $0, tensor: tensor) }
    }
  }
}
