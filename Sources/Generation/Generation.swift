public import Tensors

/// A model that gives the logits of the next token, one token after the other.
///
/// `State` is a value: two continuations of the same tokens copy it and go their own ways.
public protocol NextTokenModel<State> {
  /// What the model remembers of the tokens it has read.
  associatedtype State
  /// Reads the prompt: the logits `[V]` of the first new token.
  func start() throws -> (logits: Tensor, state: State)
  /// Reads one more token: the logits `[V]` of the one after it.
  func advance(_ state: inout State, by token: Int) throws -> Tensor
  /// How many more tokens the model has room for after the prompt; nil for any number.
  var room: Int? { get }
}

extension NextTokenModel {
  /// Any number.
  public var room: Int? { nil }
}

/// One token of an answer, and what else it might have been.
public struct GenerationStep: Sendable, Equatable {
  /// A token and how likely it was.
  public struct Candidate: Sendable, Equatable {
    /// The token's id.
    public let token: Int
    /// Its probability by the model's own logits.
    public let probability: Float
  }
  /// The token that was written.
  public let token: Int
  /// Its probability by the model's own logits.
  public let probability: Float
  /// Its probability after penalties, temperature and the like.
  public let processedProbability: Float
  /// The most likely tokens by the model's own logits, the likeliest first.
  public let candidates: [Candidate]

  /// Reads a step off the logits before and after processing.
  init(token: Int, logits: Tensor, processed: Tensor, candidateCount: Int) {
    let before = logits.softmax().elements
    self.token = token
    probability = before[token]
    processedProbability = processed.softmax().elements[token]
    candidates = before.largest(candidateCount).map {
      Candidate(token: $0, probability: before[$0])
    }
  }
}

/// Why an answer ended.
public enum Ending: String, Sendable {
  /// An end token was written.
  case endToken
  /// As many tokens were written as allowed.
  case maxNewTokens
  /// The model has no room for more tokens.
  case contextFull
}

/// A written answer.
public struct Generated: Sendable, Equatable {
  /// The tokens after the prompt, the end token included.
  public let tokens: [Int]
  /// One record a token.
  public let steps: [GenerationStep]
  /// A beam search's score: the sum of log-probabilities over the length penalty's power.
  public let score: Float?
  /// Why it ended.
  public let ending: Ending
}

/// Writes an answer.
///
/// - Parameters:
///   - promptIDs: the prompt as the penalties and length rules see it.
///   - onStep: called after each token of a greedy or drawn answer.
/// - Throws: options out of range; whatever the model throws, cancellation included.
public func generate<Model: NextTokenModel>(
  with model: Model, promptIDs: [Int], options: GenerationOptions,
  onStep: (GenerationStep) throws -> Void = { _ in }
) throws -> Generated {
  try options.validate()
  if options.numBeams > 1 {
    return try beamSearch(with: model, promptIDs: promptIDs, options: options)
  }
  var random = SplitMix64(seed: options.seed)
  var (logits, state) = try model.start()
  var sequence = promptIDs
  var steps: [GenerationStep] = []
  let limit = min(options.maxNewTokens, model.room.map { $0 + 1 } ?? .max)
  while true {
    let processed = options.process(logits, sequence: sequence, promptLength: promptIDs.count)
    let token =
      options.doSample ? draw(from: processed, &random) : processed.elements.largest(1).first ?? 0
    let step = GenerationStep(
      token: token, logits: logits, processed: processed, candidateCount: options.candidateCount)
    steps.append(step)
    sequence.append(token)
    try onStep(step)
    if options.ends(sequence) || steps.count >= limit { break }
    logits = try model.advance(&state, by: token)
  }
  let ending: Ending =
    options.ends(sequence)
    ? .endToken : steps.count >= options.maxNewTokens ? .maxNewTokens : .contextFull
  return Generated(
    tokens: steps.map(\.token), steps: steps, score: nil, ending: ending)
}

private func draw(from scores: Tensor, _ random: inout SplitMix64) -> Int {
  let probabilities = scores.softmax().elements
  let place = random.fraction() * probabilities.reduce(0.0) { $0 + Double($1) }
  var sum = 0.0
  var last = 0
  for (token, probability) in probabilities.enumerated() where probability > 0 {
    sum += Double(probability)
    last = token
    if place < sum { return token }
  }
  return last
}

extension [Float] {
  /// The indices of the `count` largest elements, the largest first; the first of equals first.
  func largest(_ count: Int) -> [Int] {
    var best: [Int] = []
    for index in indices where !self[index].isNaN {
      if best.count == count, let last = best.last, self[index] <= self[last] { continue }
      var place = best.count
      while place > 0 && self[best[place - 1]] < self[index] { place -= 1 }
      best.insert(index, at: place)
      if best.count > count { best.removeLast() }
    }
    return best
  }
}
