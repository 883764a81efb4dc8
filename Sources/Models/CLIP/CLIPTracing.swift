internal import Images
internal import Tensors
internal import Tokenizers
public import Tracing

extension CLIP.Model {
  /// Pictures and texts, each kind a batch, with every place and how well they fit.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    guard request.prompt.isEmpty else {
      throw ModelError.missingPart(wanted: "go on from a prompt", has: "it is \(kind)")
    }
    var pictures = request.images.map { _ in request.trace }
    let imageRows = try embed(images: request.images, traces: &pictures)  // [N, E]
    let ids = try request.texts.map { try textIDs($0) }
    let longest = ids.map(\.count).max() ?? 0
    // Texts of one call are filled up to the longest, as the published processor does: with the
    // end token, or with 0 in OpenCLIP.
    let filled = ids.map {
      $0 + [Int](repeating: isOpenCLIP ? 0 : $0.last ?? 0, count: longest - $0.count)
    }
    var (texts, textRows): ([Trace], [Tensor]) = ([], [])
    for (ids, filled) in zip(ids, filled) {
      var trace = request.trace
      let input = Input(words: .tokens(filled, attended: ids.count))
      textRows.append(try run(input, through: "project_text", trace: &trace))
      texts.append(trace)
    }
    var tensors = [
      PublishedTensor(
        name: "inputs.pixel_values",
        tensor: Tensor.concatenated(
          try request.images.map { try preprocess($0).withBatchAxis }))
    ]
    // One text alone has the addresses that a session gives it.
    let isAlone = texts.count == 1
    tensors +=
      request.usesPublishedNames
      ? published(pictures) + published(texts)
      : pictures.named
        + texts.enumerated().flatMap {
          $0.element.named(isAlone ? "" : "texts.\($0.offset).")
        }
    let images = imageRows.unitRows()
    tensors.append(PublishedTensor(name: "image_embeds", tensor: images))
    var answer = ""
    if !textRows.isEmpty {
      let texts = Tensor.concatenated(textRows).unitRows()
      let logits = images.matmulTransposed(texts) * similarityScale  // [N, M]
      tensors += [
        PublishedTensor(name: "text_embeds", tensor: texts),
        PublishedTensor(name: "logits_per_image", tensor: logits),
        PublishedTensor(name: "logits_per_text", tensor: logits.transposed()),
      ]
      answer = (0..<logits.shape[0]).map {
        request.texts[Int(logits.row($0).argmax(axis: 0).elements[0])]
      }.joined(separator: "\n")
    }
    return TracedRun(
      tensors: tensors,
      integers: ids.isEmpty
        ? []
        : [
          .init("inputs.input_ids", filled.flatMap { $0 }, shape: [ids.count, longest]),
          .init(
            "inputs.attention_mask",
            ids.flatMap { ids in (0..<longest).map { $0 < ids.count ? 1 : 0 } },
            shape: [ids.count, longest]),
        ], answer: answer)
  }

  /// The tensors of a batch's runs under the module paths of transformers; the runs are all of
  /// pictures or all of texts.
  public func published(_ traces: [Trace]) -> [PublishedTensor] {
    publishedBatch(traces) { batch, address, place in
      let text = address.description
      if text.hasSuffix(".qkv.output") {
        let part = CLIP.fusedParts.firstIndex { place.hasSuffix($0) } ?? 0
        let width = batch[0].shape[1] / 3
        return Tensor.concatenated(
          batch.map { $0.columns(part * width..<(part + 1) * width).withBatchAxis })
      }
      switch text {
      case "vision.embedding.patch.output": return batch.imageChannels(patches)
      case "vision.embedding.positions.output", "text.embedding.positions.output":
        return batch[0].withBatchAxis
      case "vision.norm.output", "joint.image_projection.output", "joint.text_projection.output":
        return Tensor.concatenated(batch)
      default: return Tensor.concatenated(batch.map(\.withBatchAxis))
      }
    }
  }
}
