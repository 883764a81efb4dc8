internal import Foundation
internal import Tensors

/// Stands for minus infinity in beam scores, as in transformers: sums of it stay ordered.
private let never: Float = -1e9

/// A continuation that is being followed or is finished.
private struct Beam<State> {
  var tokens: [Int]
  var steps: [GenerationStep]
  var score: Float
  var isFinished = false
  /// Nil once finished.
  var state: State?
  var logits: Tensor?
}

/// Follows several continuations side by side and keeps the best finished ones, as transformers'
/// beam search does: candidates are `(1 + end tokens) · beams` (at least twice the beams), only the
/// best `beams` of them may finish, finished ones compete with their score over length to the
/// penalty's power.
func beamSearch<Model: NextTokenModel>(
  with model: Model, promptIDs: [Int], options: GenerationOptions
) throws -> Generated {
  let count = options.numBeams
  let maxNew = min(options.maxNewTokens, model.room.map { $0 + 1 } ?? .max)
  let (logits, state) = try model.start()
  // Only the first beam may be continued at first, or all would be the same.
  var running = (0..<count).map { index in
    Beam(
      tokens: [], steps: [], score: index == 0 ? 0 : never, state: Optional(state),
      logits: Optional(logits))
  }
  var finished: [Beam<Model.State>] = []
  var canImprove = true
  for length in 0..<maxNew {
    let candidates = rankedCandidates(
      running, promptIDs: promptIDs, options: options,
      keeping: max(2, 1 + options.endTokens.count) * count)
    let ends = candidates.map { options.endTokens.contains($0.token) || length + 1 >= maxNew }

    // The best candidates that ended compete with the answers that are finished already.
    let isFull = finished.count >= count && options.earlyStopping == .always
    if canImprove && !isFull {
      for (place, candidate) in candidates.prefix(count).enumerated() where ends[place] {
        var beam = extended(running[candidate.beam], by: candidate, options, promptIDs)
        beam.score /= Float(pow(Double(length + 1), options.lengthPenalty))
        beam.isFinished = true
        (beam.state, beam.logits) = (nil, nil)
        finished.append(beam)
      }
      finished = stablySorted(finished, keeping: count)
    }
    if ends.allSatisfy({ $0 }) { break }

    let open = zip(candidates, ends).filter { !$1 }.map(\.0).prefix(count)
    let parents = running
    running = []
    for candidate in open {
      var beam = extended(parents[candidate.beam], by: candidate, options, promptIDs)
      if var state = beam.state {
        beam.logits = try model.advance(&state, by: candidate.token)
        beam.state = state
      }
      running.append(beam)
    }
    guard let best = running.first else { break }
    if finished.count >= count {
      let reach =
        options.earlyStopping == .never && options.lengthPenalty > 0 ? maxNew : length + 1
      let hope = best.score / Float(pow(Double(reach), options.lengthPenalty))
      let worst = finished.map(\.score).min() ?? never
      canImprove = canImprove && hope > worst
      if !canImprove || options.earlyStopping == .always { break }
    }
  }
  guard let winner = finished.first ?? running.first else {
    preconditionFailure("a beam search of \(count) beams ended without any")
  }
  let last = winner.tokens.last ?? -1
  return Generated(
    tokens: winner.tokens, steps: winner.steps, score: winner.score,
    ending: options.endTokens.contains(last)
      ? .endToken : winner.tokens.count >= options.maxNewTokens ? .maxNewTokens : .contextFull)
}

/// One token after one of the running beams.
private struct Continuation {
  let beam: Int
  let token: Int
  let score: Float
}

private func rankedCandidates<State>(
  _ running: [Beam<State>], promptIDs: [Int], options: GenerationOptions, keeping count: Int
) -> [Continuation] {
  var all: [Continuation] = []
  for (index, beam) in running.enumerated() {
    guard let logits = beam.logits else { continue }
    let scores = options.process(
      logits.logSoftmax(), sequence: promptIDs + beam.tokens, promptLength: promptIDs.count
    ).elements
    for token in scores.largest(count) {
      all.append(Continuation(beam: index, token: token, score: beam.score + scores[token]))
    }
  }
  let order = all.indices.sorted {
    all[$0].score > all[$1].score || (all[$0].score == all[$1].score && $0 < $1)
  }
  return order.prefix(count).map { all[$0] }
}

private func extended<State>(
  _ beam: Beam<State>, by candidate: Continuation, _ options: GenerationOptions, _ promptIDs: [Int]
) -> Beam<State> {
  var beam = beam
  if let logits = beam.logits {
    let processed = options.process(
      logits, sequence: promptIDs + beam.tokens, promptLength: promptIDs.count)
    beam.steps.append(
      GenerationStep(
        token: candidate.token, logits: logits, processed: processed,
        candidateCount: options.candidateCount))
  }
  beam.tokens.append(candidate.token)
  beam.score = candidate.score
  return beam
}

private func stablySorted<State>(_ beams: [Beam<State>], keeping count: Int) -> [Beam<State>] {
  beams.indices.sorted {
    beams[$0].score > beams[$1].score || (beams[$0].score == beams[$1].score && $0 < $1)
  }.prefix(count).map { beams[$0] }
}
