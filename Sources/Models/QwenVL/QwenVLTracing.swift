internal import Generation
internal import Tensors
internal import Tracing

extension QwenVL.Model {
  /// An answer to a conversation, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    try tracedAnswer(conversation(of: request), request) { published($0) }
  }

  /// The tensors of a run under the published module paths; pictures are a batch.
  func published(_ trace: Trace) -> [PublishedTensor] {
    trace.records.flatMap { record -> [PublishedTensor] in
      guard record.address.picture.index == 0 else { return [] }
      let names = publishedPlaces(of: record.address)
      guard !names.isEmpty else { return [] }
      let batch = trace.ofAllPictures(record)
      return names.map {
        PublishedTensor(name: $0, tensor: publishedAxes(batch, at: record.address))
      }
    }
  }

  /// The axes as the published code has them.
  private func publishedAxes(_ batch: [Tensor], at address: Address) -> Tensor {
    let text = address.description
    func stacked() -> Tensor { Tensor.concatenated(batch.map(\.withBatchAxis)) }
    switch text {
    case "vision.embedding.patch.output": return batch.imageChannels(patches)
    // The queries are normed once for all pictures.
    case "resampler.query_norm.output": return batch[0]
    case "language.rotary.output":
      return batch[0].reshaped(1, batch[0].shape[0], 1, batch[0].shape[1])
    default: break
    }
    // Tower and resampler have the batch behind the tokens.
    let isTurned =
      batch[0].rank == 2
      && (text.hasPrefix("vision.blocks") || text.hasPrefix("resampler.attention"))
    return isTurned ? stacked().permuted(1, 0, 2) : stacked()
  }
}
