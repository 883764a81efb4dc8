internal import Files
internal import FoundationEssentials
internal import Synchronization
internal import Tensors

extension PictureIndex {
  /// The most pictures that are searched by comparing all of them unless something else is asked
  /// for.
  public static let exactLimit = 1_000_000

  /// The share of the ten nearest that a graph must find, when it is measured, to be used without
  /// being asked for.
  ///
  /// Of some pictures none does: of thousands of copies that differ by noise alone, say.
  public static let leastRecall = 0.9

  /// What there is of a graph.
  enum Arrangement {
    case ready(NeighbourGraph, NearestFacts)
    /// There is none that fits; `reason` goes on after "its graph of neighbours ".
    case unusable(reason: String)
  }

  /// Graphs that were read, so that a second search need not read again.
  final class KnownArrangement: Sendable {
    let value = Mutex<(graph: NeighbourGraph, facts: NearestFacts)?>(nil)
  }

  private var factsFile: URL { folder.appending(path: "nearest-\(generation).json") }
  private var graphFile: URL { folder.appending(path: "nearest-\(generation).hnsw") }

  /// The graph of the rows as they are now, read and checked.
  func arrangement() -> Arrangement {
    if let known = known.value.withLock({ $0 }) { return .ready(known.graph, known.facts) }
    guard let bytes = try? WholeFile.read(factsFile) else {
      return .unusable(reason: "is missing")
    }
    guard let json = try? JSON(parsing: bytes), let facts = NearestFacts(json) else {
      return .unusable(reason: "is damaged: \(factsFile.lastPathComponent) cannot be read")
    }
    guard facts.count == pictures.count, facts.embeddings == embeddingsName,
      facts.file == graphFile.lastPathComponent, facts.rowsDigest == rowsDigest
    else { return .unusable(reason: "is of other embeddings") }
    guard let file = try? MappedFile(graphFile) else {
      return .unusable(reason: "is missing: \(graphFile.lastPathComponent) is gone")
    }
    // That finds accidents; what was changed on purpose `cn_open` finds, which follows every link.
    guard file.count == facts.byteCount,
      file.withUnsafeBytes({ digest(of: $0) }) == facts.fileDigest
    else {
      return .unusable(reason: "is damaged: \(graphFile.lastPathComponent) was changed")
    }
    do throws(NeighbourGraph.Failure) {
      let graph = try NeighbourGraph(graphFile, over: rows)
      known.value.withLock { $0 = (graph, facts) }
      return .ready(graph, facts)
    } catch {
      return .unusable(reason: "cannot be read: \(error.detail)")
    }
  }

  /// What is known of the graph; nil where there is none that fits.
  public var nearestFacts: NearestFacts? {
    if case .ready(_, let facts) = arrangement() { facts } else { nil }
  }

  /// Links of a row above the ground level, and candidates for each row that is added.
  private static let (links, effort) = (16, 100)

  /// Makes the graph of neighbours and writes it beside the embeddings.
  ///
  /// Some rows are held back until the rest is linked: how many of their ten nearest are found
  /// tells how much effort a search needs. Made on several threads, two graphs of the same rows
  /// differ a little.
  /// - Parameters:
  ///   - checkpoint: called every few thousand rows; what it throws ends the work.
  ///   - progress: rows done, and of how many.
  /// - Throws: `SearchingError.cannotArrange`; `SearchingError.busy`; `FileFailure`; what
  ///   `checkpoint` throws.
  @discardableResult
  public func arrange(
    checkpoint: () throws -> Void = {}, progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> NearestFacts {
    let claim = try IndexClaim(folder)
    return try arrange(under: claim, checkpoint: checkpoint, progress: progress)
  }

  /// The same for who has claimed the index already.
  func arrange(
    under claim: borrowing IndexClaim, checkpoint: () throws -> Void,
    progress: (Int, Int) -> Void
  ) throws -> NearestFacts {
    do {
      let graph = try NeighbourGraph(over: rows, links: Self.links, effort: Self.effort)
      let count = pictures.count
      let order = Self.scattered(count)
      let heldBack = Array(order.prefix(min(100, count / 10)))
      let linked = order.dropFirst(heldBack.count)
      var done = 0
      progress(0, count)
      // Until the first row is in, there is nothing to link to from another thread.
      try graph.add(Array(linked.prefix(1)))
      for first in stride(from: linked.startIndex + 1, to: linked.endIndex, by: 4096) {
        try checkpoint()
        try graph.add(Array(linked[first..<min(linked.endIndex, first + 4096)]))
        done = min(linked.endIndex, first + 4096) - linked.startIndex
        progress(done, count)
      }
      let (effort, recall) = try measured(graph, with: heldBack)
      try graph.add(heldBack)
      progress(count, count)
      return try write(graph, effort: effort, recall: recall, queryCount: heldBack.count)
    } catch let failure as NeighbourGraph.Failure {
      throw SearchingError.cannotArrange(
        index: folder.path(percentEncoded: false), detail: failure.detail)
    }
  }

  /// Every row once, neighbours in the table far apart: folders are often of one kind of picture.
  private static func scattered(_ count: Int) -> [Int] {
    func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
    var step = max(1, Int(Double(count) * 0.618_033_988_75))
    while divisor(step, count) != 1 { step += 1 }
    return (0..<count).map { Int((UInt64($0) &* UInt64(step)) % UInt64(count)) }
  }

  /// Four times the least effort that finds 99 of 100 of the ten nearest of rows that are not in
  /// the graph, and the share that it finds.
  ///
  /// Four times, because texts lie apart from all pictures and are found less easily: of rows like
  /// those of a CLIP, 97 of 100 by four times the effort that finds 99 for pictures.
  private func measured(
    _ graph: NeighbourGraph, with queries: [Int]
  ) throws(NeighbourGraph.Failure) -> (effort: Int, recall: Double) {
    guard !queries.isEmpty else { return (256, 1) }
    let points = rows.rows(queries)  // [Q, D]
    var truth = [[Hit]](repeating: [], count: queries.count)
    forEachBlock { first, rows in
      let count = rows.shape[0]
      var scores = points.matmulTransposed(rows).elements
      for query in queries.indices {
        for row in queries where row >= first && row < first + count {
          scores[query * count + row - first] = .nan
        }
        let best = Hit.largest(10, of: Array(scores[query * count..<(query + 1) * count]))
        truth[query] += best.map { Hit(row: first + $0.row, similarity: $0.similarity) }
        truth[query].sort { ($1.similarity, $0.row) < ($0.similarity, $1.row) }
        truth[query].removeLast(max(0, truth[query].count - 10))
      }
    }
    let wanted = truth.reduce(0) { $0 + $1.count }
    func recall(_ effort: Int) throws(NeighbourGraph.Failure) -> Double {
      var found = 0
      for query in queries.indices {
        let hits = try graph.nearest(
          to: points.row(query).elements, count: 10, effort: effort)
        found += Set(hits.map(\.row)).intersection(truth[query].map(\.row)).count
      }
      return Double(found) / Double(max(1, wanted))
    }
    var effort = 64
    while effort < 512, try recall(effort) < 0.99 { effort *= 2 }
    return (4 * effort, try recall(4 * effort))
  }

  private func write(
    _ graph: NeighbourGraph, effort: Int, recall: Double, queryCount: Int
  ) throws -> NearestFacts {
    try WholeFile.write(to: graphFile) { try graph.write(to: &$0) }
    let file = try MappedFile(graphFile)
    let facts = NearestFacts(
      count: pictures.count, effort: effort, recall: recall, queryCount: queryCount,
      embeddings: embeddingsName, file: graphFile.lastPathComponent, rowsDigest: rowsDigest,
      byteCount: file.count, fileDigest: file.withUnsafeBytes { digest(of: $0) })
    // Written last: a graph that is not the one it names is not used.
    try WholeFile.write(facts.json.written(indented: true) + "\n", to: factsFile)
    known.value.withLock { $0 = (graph, facts) }
    return facts
  }

  /// Tells these rows from others: some hundred of them, spread over all.
  private var rowsDigest: UInt64 {
    let step = max(1, pictures.count / 512)
    let sample = Array(stride(from: 0, to: pictures.count, by: step)) + [pictures.count - 1]
    return rows.rows(sample).elements.withUnsafeBytes { digest(of: $0) }
  }
}
