internal import Foundation
public import Tensors

extension GenerationOptions {
  /// Changes `scores` `[V]` as the options say, in transformers' order: repetition penalty, n-grams,
  /// minimum lengths, then, where tokens are drawn, temperature, top-k and top-p.
  ///
  /// - Parameters:
  ///   - sequence: the prompt and what was written so far.
  ///   - promptLength: how many tokens of it are the prompt.
  public func process(_ scores: Tensor, sequence: [Int], promptLength: Int) -> Tensor {
    var x = scores.elements
    if repetitionPenalty != 1 { penaliseRepetition(&x, sequence) }
    if noRepeatNgramSize > 0 { forbidRepeatedRuns(&x, sequence) }
    if sequence.count < minLength || sequence.count - promptLength < minNewTokens {
      for token in endTokens where x.indices.contains(token) { x[token] = -.infinity }
    }
    if doSample {
      if temperature != 1 { for i in x.indices { x[i] /= Float(temperature) } }
      if topK > 0 && topK < x.count { keepMostLikely(&x) }
      if topP < 1 { keepNucleus(&x) }
    }
    return Tensor(x, shape: scores.shape)
  }

  private func penaliseRepetition(_ x: inout [Float], _ sequence: [Int]) {
    let penalty = Float(repetitionPenalty)
    for token in Set(sequence) where x.indices.contains(token) {
      x[token] = x[token] < 0 ? x[token] * penalty : x[token] / penalty
    }
  }

  private func forbidRepeatedRuns(_ x: inout [Float], _ sequence: [Int]) {
    let size = noRepeatNgramSize
    guard sequence.count + 1 >= size else { return }
    let ending = sequence.suffix(size - 1)
    for start in 0..<max(0, sequence.count - size + 1)
    where sequence[start..<start + size - 1].elementsEqual(ending) {
      let token = sequence[start + size - 1]
      if x.indices.contains(token) { x[token] = -.infinity }
    }
  }

  private func keepMostLikely(_ x: inout [Float]) {
    let threshold = x.sorted(by: >)[topK - 1]
    for i in x.indices where x[i] < threshold { x[i] = -.infinity }
  }

  /// Drops the least likely tokens whose probabilities add up to no more than 1 - top_p.
  private func keepNucleus(_ x: inout [Float]) {
    let order = x.indices.sorted { x[$0] < x[$1] || (x[$0] == x[$1] && $0 < $1) }
    let sorted = Tensor(order.map { x[$0] }, shape: [x.count]).softmax().elements
    var sum: Float = 0
    for (place, index) in order.enumerated().dropLast() {
      sum += sorted[place]
      if sum <= Float(1 - topP) { x[index] = -.infinity } else { break }
    }
  }
}

extension Tensor {
  /// The logarithms of softmax over all elements.
  func logSoftmax() -> Tensor {
    let largest = elements.max() ?? 0
    let sum = elements.reduce(0.0) { $0 + exp(Double($1) - Double(largest)) }
    let shift = Double(largest) + log(sum)
    return map { Float(Double($0) - shift) }
  }
}
