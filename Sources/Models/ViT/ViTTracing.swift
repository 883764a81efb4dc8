internal import Images
internal import Tensors
public import Tracing

extension ViT.Model {
  /// The classes of one or more pictures, with every place.
  public func traced(_ request: TraceRequest) throws -> TracedRun {
    guard request.texts.isEmpty, request.prompt.isEmpty else {
      throw ModelError.missingPart(wanted: "read a text", has: "it is \(kind)")
    }
    var traces: [Trace] = []
    var answers: [String] = []
    for image in request.images {
      var trace = request.trace
      if classifier == nil {
        try pass(Input(image: image), trace: &trace)
      } else {
        let place = try classify(image, trace: &trace).argmax(axis: 0).elements[0]
        answers.append(labels[Int(place)])
      }
      traces.append(trace)
    }
    let pixels = try request.images.map { try preprocess($0).withBatchAxis }
    return TracedRun(
      tensors: [PublishedTensor(name: "inputs.pixel_values", tensor: Tensor.concatenated(pixels))]
        + (request.usesPublishedNames ? published(traces) : traces.named),
      integers: [], answer: answers.joined(separator: "\n"))
  }

  /// The tensors of a batch's runs under the module paths of transformers 5.
  public func published(_ traces: [Trace]) -> [PublishedTensor] {
    publishedBatch(traces) { batch, address, place in
      switch address.description {
      case "vision.embedding.patch.output" where place.hasSuffix(".projection"):
        batch.imageChannels(patches)
      case "classifier.output": Tensor.concatenated(batch)
      default: Tensor.concatenated(batch.map(\.withBatchAxis))
      }
    }
  }
}
