internal import Layers
internal import Tensors
public import Tracing

extension BLIP2.Model {
  /// The tensors of a generating run under the published module paths, as a forward hook in the
  /// published implementation sees them.
  public func published(_ trace: Trace) -> [PublishedTensor] { published([trace], prefix: "") }

  /// The tensors of a matching run: keys start with `itm.` and `itc.`, texts are the batch.
  public func published(_ run: MatchRun) -> [PublishedTensor] {
    let batch = run.matches.count
    let vision = [Trace](repeating: run.vision, count: batch)
    let image = [Trace](repeating: run.contrastImage, count: batch)
    let matching = published(vision, prefix: "itm.") + published(run.matching, prefix: "itm.")
    let contrast =
      published(vision, prefix: "itc.") + published(image, prefix: "itc.")
      + published(run.contrastTexts, prefix: "itc.")
    var names: Set<String> = []
    // The picture's pass comes first in the published code, and a hook keeps the first.
    let tensors = (matching + contrast).filter { names.insert($0.name).inserted }
    let similarities = Tensor(run.matches.map(\.similarity), shape: [batch])
    return tensors + [
      PublishedTensor(
        name: "itm.logits_per_image",
        tensor: Tensor.concatenated(run.matches.map { $0.logits.reshaped(1, 2) })),
      PublishedTensor(
        name: "itc.logits_per_image",
        tensor: similarities.reshaped(1, batch).broadcast(to: [batch, batch])),
    ]
  }

  private func published(_ traces: [Trace], prefix: String) -> [PublishedTensor] {
    publishedBatch(traces, prefix: prefix) { batch, address, _ in
      publishedAxes(batch, at: address)
    }
  }

  /// Stacks one tensor a batch entry and lays the axes as the published code has them.
  private func publishedAxes(_ batch: [Tensor], at address: Address) -> Tensor {
    let text = address.description
    if text == "vision.embedding.patch.output" {
      return batch.imageChannels(patches)
    }
    if text.hasPrefix("qformer.text.positions") { return batch[0].withBatchAxis }
    if text.hasPrefix("retrieval.text_projection") { return Tensor.concatenated(batch) }
    let isFlat =
      configuration.language?.kind == .opt && text.hasPrefix("language.blocks.")
      && (text.contains(".mlp.") || text.contains(".norm2."))
    // OPT's feed-forward part runs on rows without a batch axis.
    return isFlat
      ? Tensor.concatenated(batch) : Tensor.concatenated(batch.map(\.withBatchAxis))
  }
}
