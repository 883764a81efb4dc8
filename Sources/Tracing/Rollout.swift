public import Tensors

/// Attention rollout: how much of each input token reaches each token through all blocks
/// (Abnar and Zuidema 2020, arXiv:2005.00928).
///
/// `patterns` are `[H, T, T]`, first block first. Heads are averaged; half of every token stays
/// where it is, for the residual connection; the blocks multiply. The result is `[T, T]`, and each
/// row sums to 1.
///
/// - Precondition: at least one pattern, all square and of one size.
public func attentionRollout(_ patterns: [Tensor]) -> Tensor {
  precondition(!patterns.isEmpty, "rollout of no pattern")
  let count = patterns[0].shape[1]
  var identity = [Float](repeating: 0, count: count * count)
  for token in 0..<count { identity[token * count + token] = 1 }
  var rollout = Tensor(identity, shape: [count, count])
  let stays = rollout * 0.5
  for pattern in patterns {
    precondition(
      pattern.rank == 3 && pattern.shape[1] == count && pattern.shape[2] == count,
      "rollout needs square patterns of \(count) tokens, not \(pattern.shape)")
    rollout = (pattern.mean(axis: 0) * 0.5 + stays).matmul(rollout)
  }
  return rollout
}
