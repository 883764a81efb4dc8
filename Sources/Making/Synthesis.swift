public import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Synchronization
public import Tensors

/// Makes a checkpoint of a published model's sizes and names with random weights.
public struct Synthesis: Sendable {
  private let model: PublishedModel
  private let seed: UInt64
  private let type: ElementType
  private let weights: [WeightRecord]

  /// What is going to be written.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  /// How many numbers the model has.
  public var parameterCount: Int { byteCount / type.size }
  /// The tensors that are going to be written, under their published names.
  public let tensors: [PlannedTensor]

  /// Plans a checkpoint; the same seed gives the same bytes everywhere.
  public init(_ model: PublishedModel, seed: UInt64, type: ElementType) throws {
    (self.model, self.seed, self.type) = (model, seed, type)
    weights = try Self.weights(of: model, type: type)
    let stored = StoredType.allCases.first { $0.elementType == type } ?? .float32
    tensors = weights.map { PlannedTensor(name: $0.name, type: stored, shape: $0.stored.shape) }
  }

  /// What the family asks for when it reads a folder with the model's small files, each name once.
  private static func weights(of model: PublishedModel, type: ElementType) throws -> [WeightRecord]
  {
    let scratch = try ScratchFolder()
    for file in model.files(type: type, hasVocabulary: true) {
      try WholeFile.write(file.json.bytes(), to: scratch.url.appending(path: file.name))
    }
    let log = WeightLog()
    var folder = try CheckpointFolder(scratch.url)
    folder.weights.declaresOnly = true
    folder.weights.log = log
    _ = try withExtendedLifetime(scratch) { try Family.read(folder) }
    var seen: Set<String> = []
    return log.records.filter { seen.insert($0.name).inserted }
  }

  /// Writes the checkpoint to `folder`, piece by piece, whole or not at all.
  ///
  /// - Parameters:
  ///   - tokenizer: a folder whose tokenizer files are taken, instead of a vocabulary made up.
  ///   - shardSize: the most bytes a file of weights holds.
  ///   - progress: called with how many bytes are done; may throw to stop.
  public func write(
    to folder: URL, tokenizer: URL? = nil, shardSize: Int = 5_000_000_000,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    let target = try FolderReplacement(folder, replaceable: CheckpointFolder.isOnlyCheckpoint)
    for file in model.files(type: type, hasVocabulary: tokenizer == nil) {
      let text = file.json.written(indented: file.name != "tokenizer.json") + "\n"
      try target.write(Array(text.utf8), as: file.name)
    }
    if let tokenizer { try copyTokenizer(from: tokenizer, to: target) }
    let writer = try ShardedWriter(
      tensors, in: target.url, called: target.path, shardSize: shardSize)
    let depths = WeightScale.depths(weights)
    var pieces: [Piece] = []
    for (index, weight) in weights.enumerated() {
      let depth = WeightScale.place(weight).flatMap { depths[$0.tower] } ?? 1
      let scale = WeightScale(weight, depth: depth)
      let count = tensors[index].count
      for first in stride(from: 0, to: count, by: Piece.limit) {
        pieces.append(
          Piece(
            tensor: index, first: first, count: min(Piece.limit, count - first), scale: scale))
      }
    }
    var done = 0
    for begin in stride(from: 0, to: pieces.count, by: Piece.batch) {
      let batch = Array(pieces[begin..<min(begin + Piece.batch, pieces.count)])
      try write(batch, with: writer)
      done += batch.reduce(0) { $0 + $1.count * type.size }
      try progress(done)
    }
    try writer.finish()
    try target.finish()
  }

  /// A stretch of one tensor that is made at once.
  private struct Piece: Sendable {
    static let limit = 1 << 20
    static let batch = 32
    let tensor, first, count: Int
    let scale: WeightScale
  }

  private func write(_ pieces: [Piece], with writer: ShardedWriter) throws {
    let failure = Mutex<CheckpointError?>(nil)
    Parallelism.forEach(pieces.count) { number in
      let piece = pieces[number]
      let numbers = RandomNumbers(seed: seed, name: tensors[piece.tensor].name)
      let bytes = numbers.bytes(
        from: piece.first, count: piece.count, mean: piece.scale.mean,
        deviation: piece.scale.deviation, as: type)
      do throws(CheckpointError) {
        try writer.write(bytes, to: piece.tensor, at: piece.first * type.size)
      } catch { failure.withLock { $0 = error } }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
  }

  private func copyTokenizer(
    from source: URL, to target: borrowing FolderReplacement
  ) throws {
    let present = CheckpointFolder.tokenizerFiles.filter {
      FileManager.default.fileExists(atPath: source.appending(path: $0).path)
    }
    guard !present.isEmpty else {
      throw FileFailure(source.appending(path: "tokenizer.json").path, .missing)
    }
    for name in present {
      try target.write(try WholeFile.read(source.appending(path: name)), as: name)
    }
  }
}
