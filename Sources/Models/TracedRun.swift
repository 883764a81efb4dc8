internal import Generation
public import Images
public import Tensors
public import Tracing

/// A tensor under the name that the published implementation gives its place.
public struct PublishedTensor: Sendable {
  /// A module path, or an attention's with `.probs`.
  public let name: String
  /// The numbers, in the published axes: a batch first.
  public let tensor: Tensor

  /// Names a tensor.
  public init(name: String, tensor: Tensor) { (self.name, self.tensor) = (name, tensor) }
}

/// What a traced run is to take.
public struct TraceRequest: Sendable {
  /// The pictures; several make a batch, where the family knows such a thing.
  public var images: [Image]
  /// What a model that writes reads after the picture.
  public var prompt: String
  /// What was said, of a model that converses, in place of pictures and prompt.
  public var conversation: Input?
  /// Texts that the pictures are compared with.
  public var texts: [String]
  /// Whether places are named by the published module paths, or else by address.
  public var usesPublishedNames: Bool
  /// Which places are kept.
  public var keeps: @Sendable (Address) -> Bool = { _ in true }

  /// Asks for a run.
  public init(
    images: [Image], prompt: String = "", texts: [String] = [], conversation: Input? = nil,
    usesPublishedNames: Bool
  ) {
    (self.images, self.prompt, self.texts) = (images, prompt, texts)
    self.conversation = conversation
    self.usesPublishedNames = usesPublishedNames
  }

  /// What one run starts from: the conversation as far as the model's window holds it, or the prompt.
  func input(by model: any FamilyModel) throws -> Input {
    guard let conversation else {
      return Input(image: images.count == 1 ? images[0] : nil, prompt: prompt)
    }
    return try model.chatting?.reading(conversation).input ?? conversation
  }

  /// A trace of what is kept.
  var trace: Trace { Trace(keeping: keeps) }

  /// The one picture of a model that takes no more.
  func onlyImage(for kind: String) throws(ModelError) -> Image {
    guard let image = images.first, images.count == 1 else {
      throw .missingPart(
        wanted: "trace \(images.count) pictures at once", has: "it is \(kind); give one")
    }
    return image
  }
}

/// Everything that passed in one run.
public struct TracedRun: Sendable {
  /// Whole numbers of a run, such as token ids.
  public struct Integers: Sendable {
    /// Such as `inputs.input_ids`.
    public let name: String
    /// Row-major.
    public let values: [Int]
    /// The length of each axis.
    public let shape: [Int]

    init(_ name: String, _ values: [Int], shape: [Int]) {
      (self.name, self.values, self.shape) = (name, values, shape)
    }
  }

  /// The numbers, by place.
  public let tensors: [PublishedTensor]
  /// Token ids and masks.
  public let integers: [Integers]
  /// What came out, in words.
  public let answer: String
}

extension ChatModel {
  /// What the model reads of a conversation that is to be traced, or of a picture with a prompt.
  ///
  /// - Throws: `ModelError.missingPart` for texts, which such a model does not compare.
  func conversation(of request: TraceRequest) throws -> Input {
    guard request.texts.isEmpty else {
      throw ModelError.missingPart(wanted: "compare texts", has: "it is \(kind)")
    }
    let input =
      try request.conversation
      ?? Input(
        image: request.images.isEmpty ? nil : request.onlyImage(for: kind), prompt: request.prompt)
    return try reading(input).input
  }
}

extension Trace {
  /// What passed a place of the first picture, and the same place of all that follow it.
  func ofAllPictures(_ record: Record) -> [Tensor] {
    var batch = [record.tensor]
    while let next = self[record.address.ofPicture(batch.count)] { batch.append(next) }
    return batch
  }
}

extension WritingModel {
  /// An answer to what the input asks, with every place.
  ///
  /// - Parameter published: gives a trace's tensors under the published module paths.
  func tracedAnswer(
    _ input: Input, _ request: TraceRequest, published: (Trace) -> [PublishedTensor]
  ) throws -> TracedRun {
    var trace = request.trace
    let ids = try ids(of: input)
    var slots = Slots(input)
    try stages.of(input).steps.walk(&slots, trace: &trace)
    let answer = try write(
      after: slots, promptIDs: ids, options: defaultOptions, trace: trace)
    let tokens = answer.generated.tokens
    let seen = slots.ofAllPictures(.pixels).map(\.withBatchAxis)
    let pixels =
      seen.isEmpty
      ? []
      : [PublishedTensor(name: "inputs.pixel_values", tensor: Tensor.concatenated(seen))]
    return TracedRun(
      tensors: pixels
        + (request.usesPublishedNames ? published(trace) : trace.named("")),
      integers: [
        .init("inputs.input_ids", ids, shape: [1, ids.count]),
        .init("inputs.attention_mask", ids.map { _ in 1 }, shape: [1, ids.count]),
        .init("generated_ids", tokens, shape: [1, tokens.count]),
      ], answer: answer.text)
  }
}

extension Trace {
  /// What was kept, by address behind `prefix`.
  func named(_ prefix: String) -> [PublishedTensor] {
    records.map { PublishedTensor(name: prefix + $0.address.description, tensor: $0.tensor) }
  }
}

extension Tensor {
  /// The tensor as the only entry of a batch.
  var withBatchAxis: Tensor { reshaped(to: [1] + shape) }
}
