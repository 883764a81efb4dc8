public import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Synchronization
public import Tensors
internal import Tracing

/// Makes a checkpoint of a published model's sizes and names with random weights.
public struct Synthesis: Sendable {
  private let model: PublishedModel
  private let seed: UInt64
  private let type: ElementType
  /// What the small files say of weights that are integers.
  private let packing: (settings: JSON?, map: JSON?)
  /// What fills each tensor.
  private let fillings: [WeightFilling]

  /// What is going to be written.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  /// How many numbers the model has; those that are packed count as what they stand for.
  public let parameterCount: Int
  /// The tensors that are going to be written, under their published names.
  public let tensors: [PlannedTensor]

  /// Plans a checkpoint; the same seed gives the same bytes everywhere.
  ///
  /// - Parameters:
  ///   - type: the number format of the weights; nil for the published one.
  ///   - precisions: `int8` or `int4`, by the names of the family's parts, for the weights of products:
  ///     integers are made at once, in the layout in which `Conversion` writes them.
  /// - Throws: `PrecisionError` for a part that the family has not.
  public init(
    _ model: PublishedModel, seed: UInt64, type: ElementType? = nil,
    precisions: [String: Precision] = [:]
  ) throws {
    let type = type ?? model.type
    (self.model, self.seed, self.type) = (model, seed, type)
    let (records, family) = try Self.weights(of: model, type: type)
    var seen: Set<String> = []
    let weights = records.filter { seen.insert($0.name).inserted }
    let packings = try Self.packings(precisions, of: family) + [model.packing].compactMap { $0 }
    // A table that is also a product's weight, as a tied head is, is looked up and stays plain.
    let tables = Set(records.filter { !$0.isProduct }.map(\.name))
    var layers: [String] = []
    parameterCount = weights.reduce(0) { $0 + $1.stored.count }
    let stored = StoredType.allCases.first { $0.elementType == type } ?? .float32
    let depths = WeightScale.depths(weights)
    let names = Set(weights.map(\.name))
    var planned: [(tensor: PlannedTensor, filling: WeightFilling)] = []
    for weight in weights {
      let depth = WeightScale.place(weight).flatMap { depths[$0.tower] } ?? 1
      let scale = WeightScale(weight, depth: depth)
      guard weight.isProduct, !weight.isTransposed, weight.stored.shape.count == 2,
        !tables.contains(weight.name),
        let packing = packings.first(where: { weight.address.matches($0.places) })
      else {
        planned.append(
          (
            PlannedTensor(name: weight.name, type: stored, shape: weight.stored.shape),
            .numbers(scale)
          ))
        continue
      }
      let parts = packing.quantization.publishedTensors(
        shape: weight.stored.shape, as: weight.name, scaleType: type)
      let layer = PackedWeight.layer(of: weight.name)
      let fillings = WeightFilling.packed(scale, packing.quantization)
      if packing.quantization == .int8 { layers.append(layer) }
      // The packing gives every layer a bias, of zeros where the model has none.
      let bias = (name: "\(layer).bias", type: stored, shape: [weight.stored.shape[0]])
      for part in parts + (packing.addsBiases && !names.contains(bias.name) ? [bias] : []) {
        let kind = part.name.dropFirst(layer.count + 1)
        planned.append(
          (
            PlannedTensor(name: part.name, type: part.type, shape: part.shape),
            fillings[String(kind)] ?? .zeros
          ))
      }
    }
    (tensors, fillings) = (planned.map(\.tensor), planned.map(\.filling))
    packing = (
      precisions.values.contains(.int4)
        ? QuantizationRecord.gptqSettings(groupSize: Quantization.groupSize) : nil,
      layers.isEmpty ? nil : QuantizationRecord.quantoMap(layers)
    )
  }

  private static func packings(
    _ precisions: [String: Precision], of family: Family
  ) throws -> [PublishedModel.Packing] {
    let known = family.parts.map(\.name)
    if let unknown = precisions.keys.sorted().first(where: { !known.contains($0) }) {
      throw PrecisionError.unknownPart(unknown, family: family.name, parts: known)
    }
    return family.parts.flatMap { part in
      part.roots.compactMap { root in
        precisions[part.name]?.quantization.map { .init(places: "\(root).*", quantization: $0) }
      }
    }
  }

  /// What the family asks for when it reads a folder with the model's small files.
  private static func weights(
    of model: PublishedModel, type: ElementType
  ) throws -> (records: [WeightRecord], family: Family) {
    let scratch = try ScratchFolder()
    for file in model.files(type: type, hasVocabulary: true) {
      try WholeFile.write(file.text, to: scratch.url.appending(path: file.name))
    }
    let log = WeightLog()
    var folder = try CheckpointFolder(scratch.url)
    folder.weights.declaresOnly = true
    folder.weights.log = log
    return try withExtendedLifetime(scratch) {
      _ = try Family.read(folder)
      return (log.records, try Family.find(folder).family)
    }
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
    for file in model.files(type: type, hasVocabulary: tokenizer == nil, packing: packing) {
      try target.write(Array(file.text.utf8), as: file.name)
    }
    if let tokenizer { try copyTokenizer(from: tokenizer, to: target) }
    let writer = try ShardedWriter(
      tensors, in: target.url, called: target.path, shardSize: shardSize)
    var pieces: [Piece] = []
    for (index, tensor) in tensors.enumerated() {
      for first in stride(from: 0, to: tensor.count, by: Piece.limit) {
        pieces.append(
          Piece(tensor: index, first: first, count: min(Piece.limit, tensor.count - first)))
      }
    }
    var done = 0
    for begin in stride(from: 0, to: pieces.count, by: Piece.batch) {
      let batch = Array(pieces[begin..<min(begin + Piece.batch, pieces.count)])
      try write(batch, with: writer)
      done += batch.reduce(0) { $0 + $1.count * tensors[$1.tensor].type.size }
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
  }

  private func write(_ pieces: [Piece], with writer: ShardedWriter) throws {
    let failure = Mutex<CheckpointError?>(nil)
    Parallelism.forEach(pieces.count) { number in
      let piece = pieces[number]
      let tensor = tensors[piece.tensor]
      let bytes = fillings[piece.tensor].bytes(
        of: tensor.name, seed: seed, from: piece.first, count: piece.count, as: tensor.type)
      do throws(CheckpointError) {
        try writer.write(bytes, to: piece.tensor, at: piece.first * tensor.type.size)
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
