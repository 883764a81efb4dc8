internal import CNearest
internal import Files
internal import FoundationEssentials
internal import Synchronization
internal import Tensors

/// Links between rows that are near each other, by which neighbours are found without comparing
/// every row.
///
/// The only file that talks to hnswlib.
final class NeighbourGraph: Sendable {
  /// Why the library could not do something.
  struct Failure: Error {
    let detail: String
  }

  /// The library's graph, freed in `deinit`; it reads the rows in place.
  nonisolated(unsafe) private let graph: OpaquePointer
  /// The effort of a search is kept in the graph, so that one search runs at a time.
  private let searching = Mutex(())
  /// `[N, D]`, rows of length 1: what `graph` points into.
  let rows: StoredTensor

  /// An empty graph with room for all of `rows`.
  ///
  /// - Parameters:
  ///   - links: links of a row above the ground level; on it there are twice as many.
  ///   - effort: candidates looked at for each row that is added.
  init(over rows: StoredTensor, links: Int, effort: Int) throws(Failure) {
    try Self.check(rows)
    self.rows = rows
    graph = try Self.calling { message in
      rows.withUnsafeBytes {
        cn_make(
          $0.assumingMemoryBound(to: Float.self), rows.shape[0], rows.shape[1], links, effort,
          message)
      }
    }
  }

  /// Reads a file that `write` wrote for the same rows.
  ///
  /// - Throws: a failure for any other file.
  init(_ file: URL, over rows: StoredTensor) throws(Failure) {
    try Self.check(rows)
    self.rows = rows
    graph = try Self.calling { message in
      rows.withUnsafeBytes {
        cn_open(
          file.path(percentEncoded: false), $0.assumingMemoryBound(to: Float.self), rows.shape[0],
          rows.shape[1], message)
      }
    }
  }

  deinit { cn_free(graph) }

  private static func check(_ rows: StoredTensor) throws(Failure) {
    guard rows.encoding == .plain(.float32), rows.shape.count == 2, rows.count > 0,
      rows.withUnsafeBytes({ Int(bitPattern: $0).isMultiple(of: 4) })
    else { throw Failure(detail: "the embeddings are not plain float32 numbers") }
  }

  /// Adds rows, on several threads; the first of all alone.
  func add(_ numbers: [Int]) throws(Failure) {
    let failure = Mutex<Failure?>(nil)
    let piece = 64
    Parallelism.forEach((numbers.count + piece - 1) / piece) { number in
      for row in numbers[number * piece..<min(numbers.count, (number + 1) * piece)] {
        do throws(Failure) {
          try self.add(row)
        } catch {
          failure.withLock { $0 = error }
          return
        }
      }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  private func add(_ row: Int) throws(Failure) {
    _ = try Self.calling { cn_add(graph, row, $0) == 0 ? nil : true }
  }

  /// Where the library's bytes go, and why one of them could not.
  private struct Output {
    let file: UnsafeMutablePointer<Replacement>
    var failure: FileFailure?
  }

  /// Appends bytes to the file of an `Output`; 0 where that failed.
  private static let put: cn_write = { bytes, count, output in
    guard let output = output?.assumingMemoryBound(to: Output.self) else { return 0 }
    do throws(FileFailure) {
      try output.pointee.file.pointee.write(UnsafeRawBufferPointer(start: bytes, count: count))
      return 1
    } catch {
      output.pointee.failure = error
      return 0
    }
  }

  /// Writes the links.
  func write(to file: inout Replacement) throws(FileFailure) {
    let failure = withUnsafeMutablePointer(to: &file) { file in
      var output = Output(file: file)
      withUnsafeMutablePointer(to: &output) { output in
        _ = cn_save(graph, Self.put, output)
      }
      return output.failure
    }
    if let failure { throw failure }
  }

  /// At most `count` rows near a point of length 1, the nearest first.
  ///
  /// - Parameter effort: candidates looked at; more find more and take longer.
  func nearest(to point: [Float], count: Int, effort: Int) throws(Failure) -> [Hit] {
    let wanted = min(count, rows.shape[0])
    guard wanted > 0 else { return [] }
    var (numbers, cosines) = (
      [UInt64](repeating: 0, count: wanted), [Float](repeating: 0, count: wanted)
    )
    let found = try Self.calling { message in
      let found = searching.withLock { _ in
        cn_nearest(graph, point, wanted, effort, &numbers, &cosines, message)
      }
      return found < 0 ? nil : Int(found)
    }
    return (0..<found).map { Hit(row: Int(numbers[$0]), similarity: cosines[$0]) }
  }

  /// Calls the library with room for a message; nil is failure.
  private static func calling<R>(_ body: (UnsafeMutablePointer<CChar>) -> R?) throws(Failure) -> R {
    var message = [CChar](repeating: 0, count: Int(CN_MESSAGE))
    guard let result = message.withUnsafeMutableBufferPointer({ $0.baseAddress.flatMap(body) })
    else {
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw Failure(detail: text.isEmpty ? "it failed" : String(decoding: text, as: UTF8.self))
    }
    return result
  }
}
