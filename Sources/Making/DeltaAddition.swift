public import Checkpoints
public import Files
public import Foundation
internal import Layers
internal import Models
internal import Tensors

/// Makes a language model of published deltas and of the model that they are deltas to, as
/// Ziya-LLaMA-13B-v1 is made of LLaMA-13B: each weight is the sum of the two.
///
/// A vocabulary that grew has rows that the base has not; those are the deltas' own. Sums are made in float32
/// and rounded once to the type that the deltas have, which in float16 is what FastChat's and Ziya's
/// `apply_delta.py` give to the bit.
public struct DeltaAddition: Sendable {
  private let folder: CheckpointFolder
  private let deltas: [WeightRecord]
  private let bases: [String: WeightRecord]
  /// The tensors that are going to be written, under the deltas' names and in their types.
  public let tensors: [PlannedTensor]
  /// What a person should know of the two, a sentence each.
  public let notes: [String]

  /// How many bytes of tensors are going to be written.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// Plans the sum of the deltas in one folder and of the model in another.
  ///
  /// Both are read as strictly as to run them: every name, every shape.
  ///
  /// - Throws: `DeltaError` where the two do not belong together; what reading either throws.
  public init(_ deltas: CheckpointFolder, to base: CheckpointFolder) throws {
    for folder in [deltas, base] {
      let (family, inner) = try Family.find(folder)
      guard ["llama", "mistral"].contains(family.type) else {
        throw DeltaError.noLanguageModel(folder: inner.path, family: family.name)
      }
    }
    guard deltas.url.resolvingSymlinksInPath() != base.url.resolvingSymlinksInPath() else {
      throw DeltaError.same(folder: deltas.path)
    }
    let (sum, start) = (try LLaMA.weights(in: deltas), try LLaMA.weights(in: base))
    try Self.check(deltas, sum.configuration.decoder, base, start.configuration.decoder)
    folder = deltas
    var seen: Set<String> = []
    // A tied table is handed out twice, and lies in the file once.
    self.deltas = sum.records.filter { seen.insert($0.name).inserted }
    bases = Dictionary(start.records.map { ($0.name, $0) }) { first, _ in first }
    var grown: [String] = []
    var planned: [PlannedTensor] = []
    for record in self.deltas {
      guard let other = bases[record.name] else {
        throw DeltaError.absent(name: record.name, folder: base.path)
      }
      for (one, place) in [(record, deltas), (other, base)] {
        guard case .plain = one.stored.encoding, !one.isWide else {
          throw DeltaError.notFloatingPoint(name: one.name, folder: place.path)
        }
      }
      if record.stored.shape != other.stored.shape { grown.append(record.name) }
      let type = StoredType.allCases.first { $0.elementType == record.stored.type } ?? .float32
      planned.append(PlannedTensor(name: record.name, type: type, shape: record.stored.shape))
    }
    if let name = bases.keys.sorted().first(where: { !seen.contains($0) }) {
      throw DeltaError.absent(name: name, folder: deltas.path)
    }
    tensors = planned
    let (rows, known) = (
      sum.configuration.decoder.vocabularySize, start.configuration.decoder.vocabularySize
    )
    notes =
      (grown.isEmpty
        ? []
        : [
          "rows \(known) to \(rows - 1) of \(grown.joined(separator: " and ")) are the deltas' own: "
            + "\(base.path) has \(known)"
        ]) + Self.note(ofNorms: self.deltas, bases, deltas, base)
  }

  /// What to say where the deltas look like a whole model: training moves the gains of norms little, so their deltas
  /// are near 0.
  private static func note(
    ofNorms records: [WeightRecord], _ bases: [String: WeightRecord], _ deltas: CheckpointFolder,
    _ base: CheckpointFolder
  ) -> [String] {
    func size(_ records: [WeightRecord]) -> Double {
      let squares = records.flatMap { record in
        record.stored.floats(from: 0, count: record.stored.count).map { Double($0) * Double($0) }
      }
      return (squares.reduce(0, +) / Double(max(1, squares.count))).squareRoot()
    }
    let norms = records.filter { $0.name.hasSuffix("norm.weight") }
    let (own, other) = (size(norms), size(norms.compactMap { bases[$0.name] }))
    guard own > other / 2 else { return [] }
    return [
      "the norms of \(deltas.path) are as large as those of \(base.path), and deltas' are near 0: this may be a "
        + "whole model, to which nothing is to be added"
    ]
  }

  /// - Throws: where the two differ in what a sum cannot change.
  private static func check(
    _ deltas: CheckpointFolder, _ new: Decoder.Shape, _ base: CheckpointFolder, _ old: Decoder.Shape
  ) throws(DeltaError) {
    func texts(_ shape: Decoder.Shape) -> [(String, String)] {
      let attention = shape.block.attention
      return [
        ("hidden_size", "\(shape.width)"),
        ("intermediate_size", "\(shape.block.mlp.hiddenWidth)"),
        ("num_hidden_layers", "\(shape.blockCount)"),
        ("num_attention_heads", "\(attention.headCount)"),
        ("num_key_value_heads", "\(attention.keyHeadCount)"),
        ("head_dim", "\(attention.headWidth)"), ("rms_norm_eps", "\(shape.block.epsilon)"),
        ("max_position_embeddings", "\(shape.positionCount)"),
        ("attention_bias", "\(attention.hasInputBias)"),
        ("tie_word_embeddings", "\(shape.isTied)"),
      ]
    }
    for ((key, found), (_, expected)) in zip(texts(new), texts(old)) where found != expected {
      throw .differs(
        key: key, deltas: deltas.path, found: found, base: base.path, expected: expected)
    }
    guard new.vocabularySize >= old.vocabularySize else {
      throw .differs(
        key: "vocab_size", deltas: deltas.path, found: "\(new.vocabularySize)", base: base.path,
        expected: "\(old.vocabularySize)")
    }
    // What no list of texts says: activations, rotary frequencies, windows.
    var same = new
    same.vocabularySize = old.vocabularySize
    guard same == old else {
      throw .differs(
        key: "hidden_act, rope_theta or sliding_window", deltas: deltas.path, found: "another",
        base: base.path, expected: "another")
    }
  }

  /// Writes the sum to `target` with the deltas' configuration and tokenizer; a checkpoint that stands
  /// there is replaced at the end.
  ///
  /// - Parameters:
  ///   - shardSize: the most bytes a file of weights holds.
  ///   - progress: called with how many bytes are done; may throw to stop.
  /// - Returns: what was left out, and what was found broken.
  /// - Throws: `PrecisionError` where a sum of two numbers is beyond the type that it is kept in.
  @discardableResult
  public func write(
    to target: URL, shardSize: Int = 5_000_000_000, progress: (Int) throws -> Void = { _ in }
  ) throws -> Conversion.Outcome {
    let replacement = try FolderReplacement(
      target, replaceable: CheckpointFolder.isOnlyCheckpoint)
    let (names, leftOut) = folder.filesBesideWeights
    for name in names {
      try replacement.write(try WholeFile.read(folder.url.appending(path: name)), as: name)
    }
    var outcome = Conversion.Outcome(leftOut: leftOut)
    let writer = try ShardedWriter(
      tensors, in: replacement.url, called: replacement.path, shardSize: shardSize)
    var done = 0
    for (index, record) in deltas.enumerated() {
      guard let base = bases[record.name] else { continue }
      let piece = 4 << 20
      for first in stride(from: 0, to: record.stored.count, by: piece) {
        let count = min(piece, record.stored.count - first)
        let broken = try write(record, base, from: first, count: count, to: index, with: writer)
        if outcome.broken == nil { outcome.broken = broken }
        done += count * tensors[index].type.size
        try progress(done)
      }
      record.release()
      base.release()
    }
    try writer.finish()
    try replacement.finish()
    return outcome
  }

  /// - Returns: the first NaN or infinity among the deltas or the base, in words.
  private func write(
    _ record: WeightRecord, _ base: WeightRecord, from first: Int, count: Int, to index: Int,
    with writer: ShardedWriter
  ) throws -> String? {
    let (delta, start) = (record.stored, base.stored)
    var sum = delta.floats(from: first, count: count)
    // Rows come first, so what the base has lies at the beginning.
    let known = max(0, min(count, start.count - first))
    if known > 0 {
      let numbers = start.floats(from: first, count: known)
      for place in 0..<known { sum[place] += numbers[place] }
    }
    let type = tensors[index].type.elementType ?? .float32
    let bytes = StoredTensor(Tensor(sum, shape: [count])).bytes(from: 0, count: count, as: type)
    try writer.write(bytes, to: index, at: first * type.size)
    guard let place = type.firstNonFinite(in: bytes) else { return nil }
    let (own, other) = (
      delta.number(at: first + place), place < known ? start.number(at: first + place) : 0
    )
    guard own.isFinite, other.isFinite else {
      let index = delta.shape.index(ofPlace: first + place)
      let word = own.isNaN || other.isNaN ? "NaN" : "infinity"
      return "\(record.name): \(word) at \(index)"
    }
    throw PrecisionError.tooLarge(sum[place], type, name: record.name)
  }
}

extension StoredTensor {
  /// The elements `first` to below `first + count`.
  fileprivate func floats(from first: Int, count: Int) -> [Float] {
    unsafe [Float](unsafeUninitializedCapacity: count) { numbers, initialised in
      if let start = numbers.baseAddress {
        unsafe convert(from: first, count: count, into: start)
      }
      initialised = count
    }
  }
}

/// Why deltas cannot be added to a model.
public enum DeltaError: HasExitCode, Equatable, CustomStringConvertible {
  /// A folder has no language model of LLaMA's kind.
  case noLanguageModel(folder: String, family: String)
  /// One folder was named for both.
  case same(folder: String)
  /// The two differ in something that no delta changes.
  case differs(key: String, deltas: String, found: String, base: String, expected: String)
  /// A tensor that only one of the two has.
  case absent(name: String, folder: String)
  /// A tensor of integers, or of a type that is not added.
  case notFloatingPoint(name: String, folder: String)

  /// What a program that ends with this returns.
  public var exitCode: Int32 { ExitCode.badData }

  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .noLanguageModel(let folder, let family):
      "\(folder): is of the family \(family); deltas are added to a LLaMA or Mistral, which reads text alone"
    case .same(let folder):
      "\(folder): is named both as deltas and as what they are added to; --add names the base"
    case .differs(let key, let deltas, let found, let base, let expected):
      "\(deltas): \(key) is \(found), but \(expected) in \(base); these are deltas to another model"
    case .absent(let name, let folder):
      "\(folder): has no '\(name)', which the other side has; these are deltas to another model"
    case .notFloatingPoint(let name, let folder):
      "\(folder): '\(name)' is neither float32, float16 nor bfloat16, and cannot be added to; give the "
        + "model as it was published"
    }
  }
}
