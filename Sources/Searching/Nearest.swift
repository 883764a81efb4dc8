internal import Files
internal import FoundationEssentials
public import Tensors

/// A picture that was found.
public struct Hit: Sendable, Equatable {
  /// Its row in the index.
  public let row: Int
  /// The cosine with what was looked for, -1 to 1.
  public let similarity: Float
}

extension PictureIndex {
  /// The pictures nearest to a point, the nearest first; of equally near ones the earlier row.
  ///
  /// Every row is compared: at a million pictures of 512 channels that reads two gigabytes.
  /// - Parameter point: `[D]`, of any length but 0.
  /// - Precondition: `point` has `width` numbers.
  public func nearest(to point: Tensor, count: Int) -> [Hit] {
    precondition(point.count == width, "a point of \(point.count) numbers, not \(width)")
    let scores = point.reshaped(1, width).unitRows().matmulTransposed(rows).elements
    return Hit.largest(count, of: scores)
  }
}

/// How the nearest pictures are looked for.
public enum SearchMethod: String, Sendable, CaseIterable {
  /// Exactly up to `PictureIndex.exactLimit` pictures, beyond by a graph where one finds enough.
  case automatic = "auto"
  /// By comparing every picture.
  case exact
  /// By a graph of neighbours, which is made where it is missing.
  case approximate
}

/// What was found, and how.
public struct Finding: Sendable {
  /// The nearest first.
  public let hits: [Hit]
  /// What is known of the graph that found them; nil where every picture was compared.
  public let graph: NearestFacts?
  /// Why every picture was compared though a graph was wanted, in a sentence.
  public let remark: String?
}

extension PictureIndex {
  /// The pictures nearest to a point, the nearest first.
  ///
  /// - Parameters:
  ///   - point: `[D]`, of any length but 0.
  ///   - limit: more pictures than that are searched by the graph where `method` is automatic.
  ///   - leastRecall: a graph that finds less is not used where `method` is automatic.
  ///   - beforeWriting: called before a graph is made that is asked for and missing; what it throws
  ///     ends the search.
  ///   - checkpoint: as in `arrange`.
  /// - Throws: what `arrange` throws, but for files: where none can be written, every picture is
  ///   compared.
  /// - Precondition: `point` has `width` numbers.
  public func find(
    near point: Tensor, count: Int, by method: SearchMethod = .automatic,
    limit: Int = PictureIndex.exactLimit,
    leastRecall: Double = PictureIndex.leastRecall,
    beforeWriting: () throws -> Void = {}, checkpoint: () throws -> Void = {},
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> Finding {
    let wantsGraph =
      switch method {
      case .automatic: pictures.count > limit
      case .exact: false
      case .approximate: true
      }
    let unit = point.reshaped(1, width).unitRows()
    guard wantsGraph, unit.elements.allSatisfy(\.isFinite) else {
      return Finding(hits: nearest(to: point, count: count), graph: nil, remark: nil)
    }
    var found = arrangement()
    if case .unusable(let reason) = found, method == .approximate {
      try beforeWriting()
      do {
        try arrange(checkpoint: checkpoint, progress: progress)
      } catch let failure as FileFailure {
        return Finding(
          hits: nearest(to: point, count: count), graph: nil,
          remark: "its graph of neighbours \(reason), and none can be made: \(failure)")
      }
      found = arrangement()
    }
    switch found {
    case .ready(_, let facts) where method == .automatic && facts.recall < leastRecall:
      let share = Int((facts.recall * 100).rounded())
      return Finding(
        hits: nearest(to: point, count: count), graph: nil,
        remark: "its graph of neighbours finds only \(share) % of the ten nearest")
    case .ready(let graph, let facts):
      do throws(NeighbourGraph.Failure) {
        let hits = try graph.nearest(
          to: unit.elements, count: count, effort: max(facts.effort, 2 * count))
        return Finding(hits: hits, graph: facts, remark: nil)
      } catch {
        throw SearchingError.cannotArrange(
          index: folder.path(percentEncoded: false), detail: error.detail)
      }
    case .unusable(let reason):
      return Finding(
        hits: nearest(to: point, count: count), graph: nil,
        remark: "its graph of neighbours \(reason); method=\"approximate\" makes it")
    }
  }
}

extension Hit {
  /// The largest numbers, the largest first; NaN is never among them.
  static func largest(_ count: Int, of scores: [Float]) -> [Hit] {
    guard count > 0 else { return [] }
    // Kept sorted: hardly any of a million numbers gets past the smallest that is kept.
    var kept: [Hit] = []
    var floor = -Float.infinity
    scores.withUnsafeBufferPointer { scores in
      for row in scores.indices {
        let score = scores[row]
        guard kept.count < count ? !score.isNaN : score > floor else { continue }
        var place = kept.count
        while place > 0, kept[place - 1].similarity < score { place -= 1 }
        kept.insert(Hit(row: row, similarity: score), at: place)
        if kept.count > count { kept.removeLast() }
        if kept.count == count, let last = kept.last { floor = last.similarity }
      }
    }
    return kept
  }
}
