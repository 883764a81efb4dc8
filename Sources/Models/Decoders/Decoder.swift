internal import Checkpoints
public import Layers
public import Tensors
public import Tracing

/// A language model: a sequence of embeddings to the next token's logits, each token looking at itself
/// and those before it.
///
/// OPT, LLaMA and Mistral fill in its shape from their configurations.
public struct Decoder: Sendable, Tapped {
  /// `[1, V]`: one number a token of the vocabulary, before softmax, at the last position.
  public static let logits = Tap(
    "output", .token, .vocabulary, says: "How likely each next token is, before softmax.")
  /// `[T, K]`: the cosine of the angle by which each channel of a head turns, where positions are
  /// rotary.
  public static let cosines = Tap(
    "output", .token, .channel, says: "The cosines of the angles by which queries and keys turn.")
  /// The decoder's own taps.
  public static let taps = [cosines, logits]

  /// What a decoder is like.
  public struct Shape: Sendable, Equatable {
    /// How a token knows where it is.
    public enum Positions: Sendable, Equatable {
      /// By a row of a table that is added to it; the table begins with rows that stand for nothing.
      case table(unusedRows: Int)
      /// By turning queries and keys.
      case rotary(Rotary)
    }

    /// Rows of the embedding table.
    public var vocabularySize: Int
    /// How many blocks there are.
    public var blockCount: Int
    /// What each is like.
    public var block: TransformerBlock.Shape
    /// The longest sequence.
    public var positionCount: Int
    /// How tokens know where they are.
    public var positions: Positions
    /// How many tokens each sees, itself included; nil for all before it.
    public var window: Int?
    /// Whether the head is the embedding table.
    public var isTied: Bool

    /// Channels of a token.
    public var width: Int { block.attention.width }
    /// How positions turn, where they are rotary.
    var rotary: Rotary? { if case .rotary(let rotary) = positions { rotary } else { nil } }

    /// - Throws: for an id, of those that somebody gave, that the table has no row for.
    func checkRows(of ids: [Int]) throws(ModelError) {
      if let id = ids.first(where: { $0 < 0 || $0 >= vocabularySize }) {
        throw .badTokenIDs(found: "hold \(id)", expected: "0 to \(vocabularySize - 1)")
      }
    }

    /// The same with a head of its own, if it has one.
    func untied(_ hasOwnHead: Bool) -> Self {
      var copy = self
      if hasOwnHead { copy.isTied = false }
      return copy
    }
  }

  /// What has been read so far: keys and values of every block.
  public struct State: Sendable {
    var caches: [KeyValues?]
    /// How many tokens have been read.
    public internal(set) var tokenCount: Int
    /// How this sequence's positions turn, from its first pass on.
    var rotary: Rotary?
  }

  /// What it is like.
  public let shape: Shape
  /// What the reader should know about the weights.
  let notes: [String]
  let tokens: StoredTensor  // [V, E]
  /// `[L + unused, E]`; nil where positions are rotary.
  let positions: StoredTensor?
  let blocks: [TransformerBlock]
  let norm: Norm
  let head: Linear

  private static let root = Address("language")
  /// Where the table of embeddings is, and the weight of the head.
  static let (tableAddress, headAddress) = (root / "tokens" / "weight", root / "head" / "weight")

  /// Reads the decoder below the address `language`.
  init(from weights: inout WeightReader, _ shape: Shape) throws(CheckpointError) {
    let (root, width) = (Self.root, shape.width)
    let table = [shape.vocabularySize, width]
    let (tokensAt, headAt) = (Self.tableAddress, Self.headAddress)
    // A tied table is stored once or twice, and may bear either name. A head that differs from the
    // table is the head, whatever the configuration says: so transformers reads such files.
    let isUnderHead =
      shape.isTied && weights.shape(of: tokensAt) == nil && weights.shape(of: headAt) != nil
    tokens = try weights.take(isUnderHead ? headAt : tokensAt, shape: table)
    let mayHaveOwn = shape.isTied && !isUnderHead
    let hasOwnHead = mayHaveOwn ? try weights.isCopy(headAt, of: tokens) == false : false
    self.shape = shape.untied(hasOwnHead)
    notes =
      hasOwnHead
      ? [
        "tie_word_embeddings says that the head is the embedding table, but \(weights.name(of: headAt)) "
          + "is stored too and differs: it is the head, as in transformers"
      ] : []
    if case .table(let unused) = shape.positions {
      positions = try weights.take(
        root / "positions" / "weight", shape: [shape.positionCount + unused, width])
    } else {
      positions = nil
    }
    blocks = try TransformerBlock.read(
      shape.blockCount, from: &weights, below: root / "blocks", shape.block)
    norm = try Norm(
      from: &weights, at: root / "norm", width: width, epsilon: shape.block.epsilon,
      kind: shape.block.norm)
    head = Linear(
      weight: try weights.takeWeight(
        self.shape.isTied && !isUnderHead ? tokensAt : headAt, shape: table),
      bias: nil, at: root / "head")
  }

  /// The embeddings of token ids, `[T, E]`.
  ///
  /// - Throws: an id that the table has no row for.
  public func embed(_ ids: [Int], trace: inout Trace) throws(ModelError) -> Tensor {
    if let id = ids.first(where: { $0 < 0 || $0 >= shape.vocabularySize }) {
      throw .unknownToken(id: id, rows: shape.vocabularySize)
    }
    return trace.pass(tokens.rows(ids), Linear.output, at: Self.root / "tokens")
  }

  /// The state before anything was read.
  public var start: State { State(caches: blocks.map(\.attention.emptyCache), tokenCount: 0) }

  /// A sequence on its way through the blocks.
  struct Pass: Sendable {
    /// `[T, E]`: its tokens, after as many blocks as have run.
    var tokens: Tensor
    let mask: Tensor?
    let rotation: Rotation?
  }

  /// Gives the tokens of `embeddings` `[T, E]` their places behind what was read.
  ///
  /// - Throws: when the sequence is longer than the model has positions.
  func begin(
    _ embeddings: Tensor, after state: inout State, trace: inout Trace
  ) throws(ModelError) -> Pass {
    let count = embeddings.shape[0]
    let total = state.tokenCount + count
    trace.firstToken = state.tokenCount
    guard total <= shape.positionCount else {
      throw .promptTooLong(tokens: total, limit: shape.positionCount)
    }
    var tokens = embeddings  // [T, E]
    var rotation: Rotation?
    switch shape.positions {
    case .table(let unused):
      let places = (state.tokenCount..<total).map { $0 + unused }
      if let positions {
        tokens =
          tokens + trace.pass(positions.rows(places), Linear.output, at: Self.root / "positions")
      }
    case .rotary(let rotary):
      let ownRotary = state.rotary ?? rotary.stretched(for: total)
      state.rotary = ownRotary
      var turn = ownRotary.rotation(at: state.tokenCount..<total)
      turn.cosines = trace.pass(turn.cosines, Self.cosines, at: Self.root / "rotary")
      rotation = turn
    }
    let needsMask = count > 1 || (shape.window.map { total > $0 } ?? false)
    let mask =
      needsMask
      ? Attention.causalMask(queryCount: count, tokenCount: total, window: shape.window) : nil
    return Pass(tokens: tokens, mask: mask, rotation: rotation)
  }

  /// Takes a sequence through one block, whose keys and values `state` keeps.
  func go(_ pass: inout Pass, through block: Int, _ state: inout State, trace: inout Trace) {
    pass.tokens = blocks[block](
      pass.tokens, mask: pass.mask, rotation: pass.rotation, cache: &state.caches[block],
      trace: &trace)
  }

  /// The logits `[1, V]` that follow the last token of a sequence that has gone through all blocks.
  func end(_ pass: Pass, _ state: inout State, trace: inout Trace) -> Tensor {
    let count = pass.tokens.shape[0]
    state.tokenCount += count
    let last = norm(pass.tokens, trace: &trace).rows(count - 1..<count)  // [1, E]
    return head(last, trace: &trace)  // [1, V]
  }

  /// Reads `embeddings` `[T, E]` after what `state` has read, and gives the logits `[1, V]` that
  /// follow the last of them.
  ///
  /// - Throws: when the sequence is longer than the model has positions; when cancelled.
  public func read(
    _ embeddings: Tensor, after state: inout State, trace: inout Trace
  ) throws -> Tensor {
    var pass = try begin(embeddings, after: &state, trace: &trace)
    for block in blocks.indices {
      try trace.checkCancellation()
      go(&pass, through: block, &state, trace: &trace)
    }
    return end(pass, &state, trace: &trace)
  }

  /// Reads one token after what `state` has read: the logits `[1, V]` behind it.
  func read(
    token: Int, after state: inout State, trace: inout Trace
  ) throws -> Tensor {
    trace.firstToken = state.tokenCount
    let embedded = try embed([token], trace: &trace)
    return try read(embedded, after: &state, trace: &trace)
  }

  /// A state as large as that behind so many tokens, whose keys and values say nothing: how long the
  /// next token takes does not depend on what they say.
  ///
  /// - Throws: when the model has fewer positions.
  public func standIn(for tokenCount: Int) throws(ModelError) -> State {
    guard tokenCount <= shape.positionCount else {
      throw .promptTooLong(tokens: tokenCount, limit: shape.positionCount)
    }
    var state = start
    guard let one = state.caches.first ?? nil else { return state }
    let channels = one.headCount * one.headWidth
    let count = min(64, tokenCount)
    let rows = Tensor(
      (0..<count * channels).map { Float($0 * 7919 % 2003) / 1001 - 1 }, shape: [count, channels])
    for block in state.caches.indices {
      for first in stride(from: 0, to: tokenCount, by: 64) {
        let some = Channels(rows, rows: 0..<min(64, tokenCount - first))
        state.caches[block]?.append(keys: some, values: some)
      }
    }
    (state.tokenCount, state.rotary) = (tokenCount, shape.rotary?.stretched(for: tokenCount))
    return state
  }

  /// Bytes of the keys and values of so many tokens, no more than the longest sequence has.
  func cacheByteCount(tokenCount: Int) -> Int {
    guard let one = blocks.first?.attention.emptyCache else { return 0 }
    let (product, overflow) = one.byteCount(tokenCount: min(tokenCount, shape.positionCount))
      .multipliedReportingOverflow(by: blocks.count)
    return overflow ? .max : product
  }
}
