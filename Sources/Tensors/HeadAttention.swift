internal import CKernels

/// Some rows and channels of a matrix, read where they lie.
public struct Channels: Sendable {
  let tensor: Tensor
  let rows: Range<Int>
  let channels: Range<Int>

  /// The `channels` of the `rows` of a matrix; all of them unless said otherwise.
  ///
  /// - Precondition: both lie within the matrix.
  public init(_ tensor: Tensor, rows: Range<Int>? = nil, channels: Range<Int>? = nil) {
    precondition(tensor.rank == 2, "\(tensor.shape) is not a matrix")
    self.tensor = tensor
    self.rows = rows ?? 0..<tensor.shape[0]
    self.channels = channels ?? 0..<tensor.shape[1]
    precondition(
      self.rows.lowerBound >= 0 && self.rows.upperBound <= tensor.shape[0]
        && self.channels.lowerBound >= 0 && self.channels.upperBound <= tensor.shape[1],
      "rows \(self.rows), channels \(self.channels) of \(tensor.shape)")
  }

  /// How far apart rows lie.
  var stride: Int { tensor.shape[1] }
  /// Where the first element lies.
  var offset: Int { rows.lowerBound * stride + channels.lowerBound }
  /// The elements as a matrix of their own.
  var copy: Tensor { tensor.rows(rows).columns(channels) }

  /// Some of the rows, counted from the first of these.
  public func picking(_ range: Range<Int>) -> Channels {
    let first = rows.lowerBound
    return Channels(
      tensor, rows: first + range.lowerBound..<first + range.upperBound, channels: channels)
  }

  /// The channels of each of `headCount` heads apart, `[H, T, K]`, a copy.
  public func byHead(_ headCount: Int) -> Tensor {
    copy.reshaped(rows.count, headCount, channels.count / headCount).permuted(1, 0, 2)
  }
}

/// Attention of `H` heads: queries `[Q, H·K]` look at keys `[T, G·K]` and gather values `[T, G·K]`.
///
/// Head `h` has channels `h·K` to `(h+1)·K` of the queries, and looks at key head `h·G/H`: where there
/// are fewer key heads than heads, neighbours share one. Every row of scores, pattern and result has
/// the same bits whether it is kept or not, computed at once or step by step, with other rows or
/// alone, from rows or from a cache, and with masked tokens behind it or none.
public struct HeadAttention: Sendable {
  /// Where keys and values are.
  private enum Source: Sendable {
    case rows(keys: Channels, values: Channels)
    case cache(KeyValues)
  }

  let queries: Channels
  private let source: Source
  let headCount: Int
  let keyHeadCount: Int
  let scale: Float
  let mask: Tensor?
  private let tokenCount: Int

  /// Attention with scores times `scale` plus `mask`: `[Q, T]`, `[1, T]` for all alike, or none.
  ///
  /// - Parameter keyHeadCount: heads of the keys and values; nil for as many as queries have.
  /// - Precondition: heads have equally many channels everywhere, each key head serves equally many
  ///   heads, and there are as many keys as values.
  public init(
    queries: Channels, keys: Channels, values: Channels, headCount: Int,
    keyHeadCount: Int? = nil, scale: Float, mask: Tensor? = nil
  ) {
    let keyHeads = keyHeadCount ?? headCount
    let width = queries.channels.count / headCount * keyHeads
    precondition(
      keys.channels.count == width && values.channels.count == width
        && keys.rows.count == values.rows.count,
      "\(keys.channels.count) channels of keys, \(values.channels.count) of values for \(keyHeads) "
        + "heads of \(queries.channels.count / headCount)")
    self.init(
      queries, .rows(keys: keys, values: values), headCount, keyHeads, keys.rows.count, scale, mask)
  }

  /// Attention to all tokens of a cache.
  ///
  /// - Precondition: its heads have as many channels as the queries', and each serves equally many.
  public init(
    queries: Channels, cache: KeyValues, headCount: Int, scale: Float, mask: Tensor? = nil
  ) {
    precondition(
      queries.channels.count == headCount * cache.headWidth,
      "\(queries.channels.count) channels in \(headCount) heads of \(cache.headWidth)")
    self.init(
      queries, .cache(cache), headCount, cache.headCount, cache.tokenCount, scale, mask)
  }

  private init(
    _ queries: Channels, _ source: Source, _ headCount: Int, _ keyHeadCount: Int,
    _ tokenCount: Int, _ scale: Float, _ mask: Tensor?
  ) {
    precondition(
      queries.channels.count.isMultiple(of: headCount) && headCount.isMultiple(of: keyHeadCount),
      "\(queries.channels.count) channels in \(headCount) heads, \(keyHeadCount) of keys")
    precondition(
      mask.map { $0.shape == [queries.rows.count, tokenCount] || $0.shape == [1, tokenCount] }
        ?? true)
    (self.queries, self.source, self.headCount) = (queries, source, headCount)
    (self.keyHeadCount, self.tokenCount) = (keyHeadCount, tokenCount)
    (self.scale, self.mask) = (scale, mask)
  }

  private var headWidth: Int { queries.channels.count / headCount }
  private var patternShape: [Int] { [headCount, queries.rows.count, tokenCount] }
  private var mixedShape: [Int] { [queries.rows.count, queries.channels.count] }
  private var operations: Int { 2 * patternShape.reduce(1, *) * headWidth }

  /// What a cache holds of these tokens; 0 for rows, which were made just before.
  private var cacheByteCount: Int {
    guard case .cache(let cache) = source else { return 0 }
    return 2 * tokenCount * keyHeadCount * headWidth * cache.type.size
  }

  /// What the heads gathered, and what was kept on the way.
  public struct Result: Sendable {
    /// `[H, Q, T]`, masked, before softmax; nil unless kept.
    public let scores: Tensor?
    /// `[H, Q, T]`: softmax of the scores; nil unless kept.
    public let pattern: Tensor?
    /// `[Q, D]`, heads side by side.
    public let mixed: Tensor
  }

  /// All of it, scores and patterns in full only where they are kept.
  public func attend(keepingScores: Bool = false, keepingPattern: Bool = false) -> Result {
    if Arithmetic.override == .float64 {
      let scores = scores()
      let pattern = scores.softmax()
      return Result(
        scores: keepingScores ? scores : nil, pattern: keepingPattern ? pattern : nil,
        mixed: mixed(by: pattern))
    }
    if ShapesAlone.isOn {
      let pattern = Tensor.filled(patternShape) { _ in }
      return Result(
        scores: keepingScores ? pattern : nil, pattern: keepingPattern ? pattern : nil,
        mixed: Tensor.filled(mixedShape) { _ in })
    }
    Work.note(operations: 2 * operations, cacheBytes: cacheByteCount)
    var scores, pattern: Tensor?
    let mixed = Tensor.filled(mixedShape) { mixed in
      func run(_ scores: UnsafeMutablePointer<Float>?, _ pattern: UnsafeMutablePointer<Float>?) {
        forEachHead(scores, pattern, mixed) { ck_attend($0, $1, $2) }
      }
      func withPattern(_ scores: UnsafeMutablePointer<Float>?) {
        guard keepingPattern, patternShape.reduce(1, *) > 0 else { return run(scores, nil) }
        pattern = Tensor.filled(patternShape) { run(scores, $0) }
      }
      guard keepingScores, patternShape.reduce(1, *) > 0 else { return withPattern(nil) }
      scores = Tensor.filled(patternShape) { withPattern($0) }
    }
    let empty = Tensor.filled(patternShape.contains(0) ? patternShape : [0]) { _ in }
    return Result(
      scores: keepingScores ? scores ?? empty : nil,
      pattern: keepingPattern ? pattern ?? empty : nil, mixed: mixed)
  }

  /// The scores `[H, Q, T]`, masked.
  public func scores() -> Tensor {
    if Arithmetic.override == .float64 {
      let plain = queries.copy.headScoresInDouble(
        keys: keysOfAllHeads, headCount: headCount, scale: scale)
      return mask.map { plain + $0 } ?? plain
    }
    Work.note(operations: operations)
    return Tensor.filled(patternShape) { scores in
      forEachHead(scores, nil, nil) { ck_head_scores($0, $1, $2) }
    }
  }

  /// What each query gathers by `pattern` `[H, Q, T]`: `[Q, D]`.
  ///
  /// - Precondition: the pattern has that shape.
  public func mixed(by pattern: Tensor) -> Tensor {
    precondition(pattern.shape == patternShape, "\(pattern.shape) is not \(patternShape)")
    if Arithmetic.override == .float64 { return pattern.headMixInDouble(values: valuesOfAllHeads) }
    Work.note(operations: operations)
    return Tensor.filled(mixedShape) { mixed in
      pattern.elements.withUnsafeBufferPointer { pattern in
        // The kernel only reads it here.
        forEachHead(nil, UnsafeMutablePointer(mutating: pattern.baseAddress), mixed) {
          ck_head_mix($0, $1, $2)
        }
      }
    }
  }

  /// Keys and values as if every head had its own, `[T, H·K]`.
  private var keysOfAllHeads: Tensor {
    switch source {
    case .rows(let keys, _): ofAllHeads(keys.copy)
    case .cache(let cache): ofAllHeads(cache.keys)
    }
  }

  private var valuesOfAllHeads: Tensor {
    switch source {
    case .rows(_, let values): ofAllHeads(values.copy)
    case .cache(let cache): ofAllHeads(cache.values)
    }
  }

  private func ofAllHeads(_ x: Tensor) -> Tensor {
    guard keyHeadCount != headCount else { return x }
    let (width, all) = (keyHeadCount * headWidth, headCount * headWidth)
    let sharing = headCount / keyHeadCount
    return Tensor.filled([tokenCount, all]) { out in
      for token in 0..<tokenCount {
        for channel in 0..<all {
          let (head, inside) = (channel / headWidth, channel % headWidth)
          out[token * all + channel] =
            x.elements[token * width + head / sharing * headWidth + inside]
        }
      }
    }
  }

  /// Calls `body` for each key head, with room for it to work in.
  private func forEachHead(
    _ scores: UnsafeMutablePointer<Float>?, _ patterns: UnsafeMutablePointer<Float>?,
    _ mixed: UnsafeMutablePointer<Float>?,
    _ body:
      @Sendable (UnsafePointer<ck_attention>, Int, UnsafeMutablePointer<Float>?) -> Void
  ) {
    queries.tensor.elements.withUnsafeBufferPointer { q in
      (mask?.elements ?? []).withUnsafeBufferPointer { m in
        var attention = ck_attention()
        attention.instructions = Instructions.current.code
        (attention.query_count, attention.token_count) = (queries.rows.count, tokenCount)
        (attention.head_width, attention.heads_per_key) = (headWidth, headCount / keyHeadCount)
        attention.queries = q.baseAddress.map { $0 + queries.offset }
        attention.query_stride = queries.stride
        attention.scale = scale
        attention.mask = mask == nil ? nil : m.baseAddress
        attention.mask_stride = mask.map { $0.shape[0] == 1 ? 0 : $0.shape[1] } ?? 0
        (attention.scores, attention.patterns) = (scores, patterns)
        (attention.mixed, attention.mixed_stride) = (mixed, queries.channels.count)
        withSource(of: attention) { attention in
          withUnsafePointer(to: attention) { attention in
            let shared = Shared(pointer: attention)
            let size = ck_attention_scratch(attention)
            Parallelism.forEach(keyHeadCount) { head in
              withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, size)) { scratch in
                body(shared.pointer, head, scratch.baseAddress)
              }
            }
          }
        }
      }
    }
  }

  /// Calls `body` with `attention` and where its keys and values lie.
  private func withSource(of attention: ck_attention, _ body: (ck_attention) -> Void) {
    var attention = attention
    switch source {
    case .rows(let keys, let values):
      attention.element = CK_FLOAT32
      (attention.key_stride, attention.value_stride) = (keys.stride, values.stride)
      keys.tensor.elements.withUnsafeBufferPointer { k in
        values.tensor.elements.withUnsafeBufferPointer { v in
          attention.keys = k.baseAddress.map { $0 + keys.offset }
          attention.values = v.baseAddress.map { $0 + values.offset }
          body(attention)
        }
      }
    case .cache(let cache):
      attention.element = cache.type == .float32 ? CK_FLOAT32 : CK_BFLOAT16
      cache.withPages { pages, count in
        // None are as good as rows of no tokens.
        (attention.pages, attention.page_count) = (pages, count)
        body(attention)
      }
    }
  }
}
