/// How an answer is written, token by token; names and meanings are those of transformers.
public struct GenerationOptions: Sendable, Equatable {
  /// The most tokens that are written after the prompt.
  public var maxNewTokens = 20
  /// The fewest tokens that are written after the prompt.
  public var minNewTokens = 0
  /// The fewest tokens of prompt and answer together.
  public var minLength = 0
  /// Draw from the distribution rather than take the most likely token.
  public var doSample = false
  /// Logits are divided by it before drawing.
  public var temperature = 1.0
  /// Draw among so many of the most likely tokens; 0 for all, 50 by default as in transformers.
  public var topK = 50
  /// Draw among the most likely tokens that together have this probability.
  public var topP = 1.0
  /// Where the random numbers start; the same seed draws the same tokens on every machine.
  public var seed: UInt64 = 0
  /// How many continuations are followed side by side.
  public var numBeams = 1
  /// Beam scores are divided by the answer's length to this power.
  public var lengthPenalty = 1.0
  /// When a beam search stops.
  public var earlyStopping = EarlyStopping.heuristic
  /// Tokens that occurred before have their logits divided by it (multiplied where negative).
  public var repetitionPenalty = 1.0
  /// No run of so many tokens may occur twice; 0 for no limit.
  public var noRepeatNgramSize = 0
  /// Tokens that end an answer.
  public var endTokens: [Int]
  /// Sequences of tokens behind which an answer ends too.
  public var stopSequences: [[Int]] = []
  /// How many of the most likely tokens each step's record names.
  public var candidateCount = 5

  /// When a beam search stops.
  public enum EarlyStopping: String, Sendable, CaseIterable {
    /// `False`: when the best open beam, at its length now, cannot beat the worst finished one.
    case heuristic = "False"
    /// `True`: when as many answers are finished as there are beams.
    case always = "True"
    /// `"never"`: when no open beam could ever beat the worst finished one.
    case never
  }

  /// The defaults: greedy, up to 20 new tokens.
  public init(endTokens: [Int]) { self.endTokens = endTokens }
}

/// Options that contradict themselves or their range.
public struct GenerationOptionsError: Error, Equatable, CustomStringConvertible {
  /// The option.
  public let option: String
  /// What it is.
  public let found: String
  /// What it must be.
  public let expected: String
  /// The sentence shown to people.
  public var description: String { "\(option) must be \(expected), not \(found)" }
}

extension GenerationOptions {
  /// Whether an answer ends behind these tokens.
  func ends(_ sequence: [Int]) -> Bool {
    sequence.last.map { endTokens.contains($0) } ?? false
      || stopSequences.contains { !$0.isEmpty && sequence.suffix($0.count) == $0[...] }
  }

  /// Fails where an option is out of range or two contradict each other.
  public func validate() throws(GenerationOptionsError) {
    func require(_ holds: Bool, _ option: String, _ found: Any, _ expected: String)
      throws(GenerationOptionsError)
    {
      if !holds { throw .init(option: option, found: "\(found)", expected: expected) }
    }
    try require(maxNewTokens >= 1, "max_new_tokens", maxNewTokens, "at least 1")
    try require(
      minNewTokens <= maxNewTokens, "min_new_tokens", minNewTokens,
      "at most max_new_tokens, \(maxNewTokens)")
    try require(
      temperature > 0 && temperature.isFinite, "temperature", temperature, "greater than 0")
    try require(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1")
    try require(topK >= 0, "top_k", topK, "at least 0")
    try require(numBeams >= 1 && numBeams <= 64, "num_beams", numBeams, "from 1 to 64")
    try require(
      numBeams == 1 || !doSample, "num_beams", numBeams,
      "1 while do_sample is True; beams are followed without chance")
    try require(
      repetitionPenalty > 0 && repetitionPenalty.isFinite, "repetition_penalty", repetitionPenalty,
      "greater than 0")
    try require(
      noRepeatNgramSize >= 0, "no_repeat_ngram_size", noRepeatNgramSize, "at least 0")
    try require(lengthPenalty.isFinite, "length_penalty", lengthPenalty, "a finite number")
  }
}
