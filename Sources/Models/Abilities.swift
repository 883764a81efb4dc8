public import Generation
public import Images
public import Tensors
public import Tokenizers
public import Tracing

/// A model that writes text.
public protocol WritingModel: FamilyModel {
  /// Text to token ids.
  var tokenizer: any Tokenizer { get }
  /// Greedy, as many tokens as the model's own file says, ending at its end tokens.
  var defaultOptions: GenerationOptions { get }
  /// The token ids of a prompt, with those that stand for the picture.
  func promptIDs(_ prompt: String) throws -> [Int]
  /// The token ids that a run reads, with those that stand for the picture.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions.
  func ids(of input: Input) throws -> [Int]
  /// Those of a prompt's token ids that occurred before the answer, to whoever makes such tokens less
  /// likely; all, unless the family says otherwise.
  func penalizedIDs(of promptIDs: [Int]) -> [Int]
  /// What reads the sequence and writes.
  ///
  /// - Throws: `ModelError.missingPart` for a checkpoint without one.
  func decoder(for stage: String) throws(ModelError) -> Decoder
  /// Which of the tokens that were written are the text; spaces at both ends are cut.
  var reading: StreamingDecoder.Reading { get }
}

/// A model that writes after vectors that stand for a picture among the words.
public protocol SoftPromptModel: WritingModel, SeeingModel {}

extension SoftPromptModel {
  /// Everything from a picture to the vectors that stand for it among the words, `[Q, E]`; of one that is
  /// split those of all its views.
  public func softPrompt(_ image: Image, trace: inout Trace) throws -> Tensor {
    var slots = Slots(Input(image: image))
    try stages.upTo("project").steps.walk(&slots, trace: &trace)
    return Tensor.concatenated(slots.ofAllPictures(.softPrompt))
  }

  /// The soft prompt `[Q, E]` with the embedded prompt: `[Q + T, E]`.
  public func assemble(_ soft: Tensor, _ prompt: String, trace: inout Trace) throws -> Tensor {
    try run(stage: "assemble", on: soft, of: Input(prompt: prompt), trace: &trace)
  }

  /// The sequence that the language model reads of an input whose pictures have gone their way already.
  ///
  /// - Parameter rows: what stands for each picture among the words, `[Q, E]` each.
  public func sequence(
    _ input: Input, rows: [Tensor], trace: inout Trace
  ) throws -> Tensor {
    var slots = Slots(input)
    for (picture, row) in rows.enumerated() {
      slots.picture = picture
      slots[.softPrompt] = row
    }
    slots.picture = 0
    try stages.filter { $0.name == "assemble" }.steps.walk(&slots, trace: &trace)
    return slots.take(.sequence)
  }
}

extension WritingModel {
  /// Special tokens left out.
  public var reading: StreamingDecoder.Reading {
    var reading = StreamingDecoder.Reading()
    reading.trims = true
    return reading
  }

  /// The text of tokens that were written.
  public func text(of tokens: [Int]) -> String { tokenizer.decode(tokens, as: reading) }

  /// All.
  public func penalizedIDs(of promptIDs: [Int]) -> [Int] { promptIDs }

  /// Everything from what a run starts from to the sequence that the language model reads, `[T, E]`.
  public func sequence(_ input: Input, trace: inout Trace) throws -> Tensor {
    try run(input, through: "assemble", trace: &trace)
  }

  /// A state as large as that behind so many tokens, which says nothing; for measuring.
  ///
  /// - Throws: when the model has fewer positions.
  public func standIn(for tokenCount: Int) throws -> Slots {
    let decoder = try decoder(for: "decode")
    var slots = Slots(Input())
    slots.reading = try decoder.standIn(for: tokenCount)
    slots[.logits] = Tensor(repeating: 0, shape: [1, decoder.shape.vocabularySize])
    return slots
  }

  /// The embeddings of so many tokens, whichever they are, `[T, E]`; for measuring.
  ///
  /// - Throws: when the model has fewer positions.
  public func standInSequence(of tokenCount: Int) throws -> Tensor {
    let decoder = try decoder(for: "decode")
    guard tokenCount <= decoder.shape.positionCount else {
      throw ModelError.promptTooLong(tokens: tokenCount, limit: decoder.shape.positionCount)
    }
    var nothing = Trace.nothing
    let ids = (0..<tokenCount).map { $0 * 7919 % decoder.shape.vocabularySize }
    return try decoder.embed(ids, trace: &nothing)
  }

  /// Reads a sequence `[T, E]`: the state from which an answer is written.
  public func read(_ sequence: Tensor, trace: inout Trace) throws -> Slots {
    let stage = try decoder(for: "decode").stage()
    var slots = try stage.slots(sequence)
    try stage.steps.walk(&slots, trace: &trace)
    return slots
  }

  /// Reads a sequence `[T, E]` and writes what follows.
  ///
  /// - Parameters:
  ///   - promptIDs: the ids that the sequence stands for, for penalties and length rules.
  ///   - trace: keeps the numbers of the pass over the prompt.
  ///   - onStep: called after each token.
  public func write(
    after sequence: Tensor, promptIDs: [Int], options: GenerationOptions, trace: Trace,
    onStep: (GenerationStep) throws -> Void = { _ in }
  ) throws -> WrittenAnswer {
    var trace = trace
    let slots = try read(sequence, trace: &trace)
    return try write(
      after: slots, promptIDs: promptIDs, options: options, trace: trace, onStep: onStep)
  }

  /// Writes what follows a sequence that was read.
  ///
  /// - Parameters:
  ///   - slots: the state behind the last step.
  ///   - promptIDs: the ids that the sequence stands for, for penalties and length rules.
  ///   - trace: what the run has kept; the answer hands it on.
  ///   - onStep: called after each token.
  public func write(
    after slots: Slots, promptIDs: [Int], options: GenerationOptions, trace: Trace,
    onStep: (GenerationStep) throws -> Void = { _ in }
  ) throws -> WrittenAnswer {
    let decoder = try decoder(for: "decode")
    guard let state = slots.reading else { preconditionFailure("no sequence was read") }
    let generated = try decoder.write(
      after: slots.take(.logits), state: state, promptIDs: penalizedIDs(of: promptIDs),
      options: options, trace: trace, onStep: onStep)
    return WrittenAnswer(text: text(of: generated.tokens), generated: generated, trace: trace)
  }

  /// Reads tokens behind a sequence that was read; `trace` keeps the pass of the last of them.
  ///
  /// - Parameter slots: the state behind the last step.
  public func follow(_ slots: Slots, by tokens: [Int], trace: inout Trace) throws {
    let decoder = try decoder(for: "decode")
    guard var state = slots.reading else { preconditionFailure("no sequence was read") }
    var before = trace.keepingNothing
    for token in tokens.dropLast() {
      try trace.checkCancellation()
      _ = try decoder.read(token: token, after: &state, trace: &before)
    }
    if let last = tokens.last { _ = try decoder.read(token: last, after: &state, trace: &trace) }
  }

  /// Bytes of the keys and values of so many tokens, which later tokens look at; no more than the
  /// longest sequence has.
  public func cacheByteCount(tokenCount: Int) -> Int {
    (try? decoder(for: "decode"))?.cacheByteCount(tokenCount: tokenCount) ?? 0
  }

  /// The logits after a sequence `[T, E]` and after each of `tokens` that follow it: a row each,
  /// `[N + 1, V]`.
  public func logits(
    after sequence: Tensor, tokens: [Int], isCancelled: @escaping @Sendable () -> Bool
  ) throws -> Tensor {
    var trace = Trace.nothing
    trace.isCancelled = isCancelled
    return try decoder(for: "decode").logits(after: sequence, tokens: tokens, trace: trace)
  }
}

/// An answer, and the numbers of the pass over the prompt.
public struct WrittenAnswer: Sendable {
  /// The text, special tokens left out, spaces at both ends cut.
  public var text: String
  /// The tokens and how likely each was.
  public let generated: Generated
  /// The language model's numbers while it read the prompt.
  public let trace: Trace
}

/// A model with heads that judge whether a text fits a picture.
public protocol MatchingModel: SeeingModel {
  /// Channels of the space in which similarities are measured.
  var sharedWidth: Int { get }
  /// What `match` is going to pass, a place of a text's pass as often as there are texts.
  func matchingOutline(texts: [String]) throws -> Outline
  /// What one pass of `match` over such texts is going to pass.
  func matchingOutline(texts: [String], pass: MatchPass) throws -> Outline
  /// The token ids of a text, as `match` reads it.
  ///
  /// - Throws: when the text is longer than the model reads.
  func matchingIDs(_ text: String) throws -> [Int]
  /// Compares a picture's tokens `[T, D]` with each text.
  ///
  /// - Parameters:
  ///   - vision: the trace of the way to the tokens, which the result hands on.
  ///   - makeTrace: starts the trace of each pass.
  func match(
    _ tokens: Tensor, vision: Trace, texts: [String], makeTrace: (MatchPass) -> Trace
  ) throws -> MatchRun
}

/// One pass of the matching heads over what the vision tower gave.
public enum MatchPass: Sendable, Hashable {
  /// The picture alone.
  case picture
  /// The picture and a text, by its number.
  case both(Int)
  /// A text alone, by its number.
  case text(Int)
}

/// How well one text fits one picture.
public struct Match: Sendable {
  /// What was compared.
  public let text: String
  /// The probability of a match by the matching head (ITM), which sees both together.
  public let probability: Float
  /// `[2]`: the matching head's mean logits: no match, match.
  public let logits: Tensor
  /// The largest cosine between a query and the text by the contrastive heads (ITC).
  public let similarity: Float
  /// `[Q]`: each query's cosine with the text.
  public let queryCosines: Tensor
}

/// A run of the matching heads: the results, and a trace for each of its parts.
public struct MatchRun: Sendable {
  /// One result a text.
  public let matches: [Match]
  /// The vision tower's numbers.
  public let vision: Trace
  /// The matching head's numbers, one trace a text.
  public let matching: [Trace]
  /// The contrastive head's numbers for the picture.
  public let contrastImage: Trace
  /// The contrastive head's numbers, one trace a text.
  public let contrastTexts: [Trace]
}

/// A model that knows a list of classes.
public protocol ClassifyingModel: SeeingModel {
  /// The names of the classes, in the order of the logits.
  var labels: [String] { get }
  /// How the logits become probabilities.
  var scores: ClassScores { get }
}

extension ClassifyingModel {
  /// `[L]`: a number a class, before softmax.
  public func classify(_ image: Image, trace: inout Trace) throws -> Tensor {
    let logits = try run(Input(image: image), through: "classify", trace: &trace)
    return logits.reshaped(logits.count)
  }

  /// Encoded tokens `[T, D]` to a number a class, `[1, L]`.
  public func classify(tokens: Tensor, trace: inout Trace) throws -> Tensor {
    try run(stage: "classify", on: tokens, trace: &trace)
  }
}

extension SeeingModel {
  /// Everything from a picture to the vision tower's tokens, `[T, D]`.
  public func see(_ image: Image, trace: inout Trace) throws -> Tensor {
    try run(Input(image: image), through: "encode", trace: &trace)
  }
}

/// A model that puts pictures and texts in one space, in which likeness is the cosine.
///
/// Embeddings are as the model projects them, not divided by their lengths.
public protocol EmbeddingModel: SeeingModel {
  /// Text to token ids.
  var tokenizer: any Tokenizer { get }
  /// Channels of the space, `E`.
  var embeddingWidth: Int { get }
  /// What cosines are multiplied by before softmax.
  var similarityScale: Float { get }
  /// What its checkpoint calls the weight that this scale comes from.
  var similarityScaleWeight: String { get }
  /// `[L, D]`: what the text tower adds to each token for where it is.
  var textPositionEmbeddings: Tensor { get }
  /// The token ids of a text, begin and end token in place.
  ///
  /// - Throws: `ModelError.textTooLong` for more than the model reads.
  func textIDs(_ text: String) throws -> [Int]
  /// The same model, which cuts a text that is too long and keeps its end token.
  var cuttingTexts: any EmbeddingModel { get }
  /// Pictures to `[N, E]`, all rows of a batch in one product a layer.
  ///
  /// - Parameter traces: empty, or one a picture.
  func embed(images: [Image], traces: inout [Trace]) throws -> Tensor
  /// The same without traces.
  ///
  /// - Parameter isCancelled: asked between blocks.
  /// - Throws: `Cancelled` where it says so.
  func embed(images: [Image], isCancelled: () -> Bool) throws -> Tensor
  /// Texts to `[N, E]`.
  ///
  /// - Parameter traces: empty, or one a text.
  func embed(texts: [String], traces: inout [Trace]) throws -> Tensor
  /// `[P, E]`: every patch token of an encoded picture `[T, D]`, projected as the class token is.
  func projectPatches(_ tokens: Tensor) throws -> Tensor
}

extension EmbeddingModel {
  /// Pictures to `[N, E]`.
  public func embed(images: [Image]) throws -> Tensor {
    try embed(images: images, isCancelled: { false })
  }

  /// Texts to `[N, E]`.
  public func embed(texts: [String]) throws -> Tensor {
    var none: [Trace] = []
    return try embed(texts: texts, traces: &none)
  }
}
