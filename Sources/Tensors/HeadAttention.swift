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
}

/// Attention of `H` heads: queries `[Q, D]` look at keys `[T, D]` and gather values `[T, D]`.
///
/// Head `h` has channels `h·D/H` to `(h+1)·D/H`. Every row of scores, pattern and result has the
/// same bits whether it is kept or not, computed at once or step by step, with other rows or alone,
/// and with masked tokens behind it or none.
public struct HeadAttention: Sendable {
  let queries, keys, values: Channels
  let headCount: Int
  let scale: Float
  let mask: Tensor?

  /// Attention with scores times `scale` plus `mask`: `[Q, T]`, `[1, T]` for all alike, or none.
  ///
  /// - Precondition: the channels are equally many and `headCount` divides them; there are as many
  ///   keys as values.
  public init(
    queries: Channels, keys: Channels, values: Channels, headCount: Int, scale: Float,
    mask: Tensor? = nil
  ) {
    let width = queries.channels.count
    precondition(
      keys.channels.count == width && values.channels.count == width
        && keys.rows.count == values.rows.count && width.isMultiple(of: headCount),
      "\(width) channels in \(headCount) heads")
    precondition(
      mask.map {
        $0.shape == [queries.rows.count, keys.rows.count]
          || $0.shape == [1, keys.rows.count]
      } ?? true)
    (self.queries, self.keys, self.values) = (queries, keys, values)
    (self.headCount, self.scale, self.mask) = (headCount, scale, mask)
  }

  private var headWidth: Int { queries.channels.count / headCount }
  private var patternShape: [Int] { [headCount, queries.rows.count, keys.rows.count] }
  private var mixedShape: [Int] { [queries.rows.count, queries.channels.count] }
  private var operations: Int { 2 * patternShape.reduce(1, *) * headWidth }

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
    Work.note(operations: 2 * operations)
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
        keys: keys.copy, headCount: headCount, scale: scale)
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
    if Arithmetic.override == .float64 { return pattern.headMixInDouble(values: values.copy) }
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

  private func forEachHead(
    _ scores: UnsafeMutablePointer<Float>?, _ patterns: UnsafeMutablePointer<Float>?,
    _ mixed: UnsafeMutablePointer<Float>?,
    _ body:
      @Sendable (UnsafePointer<ck_attention>, Int, UnsafeMutablePointer<Float>?) -> Void
  ) {
    queries.tensor.elements.withUnsafeBufferPointer { q in
      keys.tensor.elements.withUnsafeBufferPointer { k in
        values.tensor.elements.withUnsafeBufferPointer { v in
          (mask?.elements ?? []).withUnsafeBufferPointer { m in
            let attention = ck_attention(
              instructions: Instructions.current.code, query_count: queries.rows.count,
              token_count: keys.rows.count, head_width: headWidth,
              queries: q.baseAddress.map { $0 + queries.offset },
              keys: k.baseAddress.map { $0 + keys.offset },
              values: v.baseAddress.map { $0 + values.offset },
              query_stride: queries.stride, key_stride: keys.stride, value_stride: values.stride,
              scale: scale, mask: mask == nil ? nil : m.baseAddress,
              mask_stride: mask.map { $0.shape[0] == 1 ? 0 : $0.shape[1] } ?? 0, scores: scores,
              patterns: patterns, mixed: mixed, mixed_stride: queries.channels.count)
            withUnsafePointer(to: attention) { attention in
              let shared = Shared(pointer: attention)
              let size = ck_attention_scratch(attention)
              Parallelism.forEach(headCount) { head in
                withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, size)) { scratch in
                  body(shared.pointer, head, scratch.baseAddress)
                }
              }
            }
          }
        }
      }
    }
  }
}
