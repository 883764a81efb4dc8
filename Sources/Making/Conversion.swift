public import Checkpoints
internal import Files
public import Foundation
internal import Models
internal import Synchronization
public import Tensors
internal import Tracing

/// Writes a checkpoint again in another number format, piece by piece, whole or not at all.
public struct Conversion: Sendable {
  /// What one written tensor is made of.
  private enum Source: Sendable {
    /// A tensor of the file, perhaps in another type.
    case plain(WeightRecord, ElementType)
    /// A tensor of the file as it is.
    case copied(String)
    /// The first of the tensors that stand for a quantized weight.
    case quantized(WeightRecord, Quantization)
    /// Written together with the one before.
    case rest
  }

  /// What a person should know of a checkpoint that was written.
  public struct Outcome: Sendable {
    /// The names of files that are no part of a checkpoint, and were not taken along.
    public var leftOut: [String] = []
    /// The first NaN or infinity among the weights, in words: `language.x: NaN at [0, 3]`.
    public var broken: String?
  }

  private let folder: CheckpointFolder
  private let collection: TensorCollection
  private let type: ElementType?
  private let precisions: [String: Precision]
  private var sources: [Source] = []
  /// The tensors that are going to be written.
  public private(set) var tensors: [PlannedTensor] = []
  /// The weights that become small integers, as the model calls them, and how.
  public private(set) var quantized: [(name: String, precision: Precision)] = []

  /// The weights that are small integers in the file already and stay as they are.
  private var held: [(name: String, encoding: Encoding)] = []

  /// Names that are not written because another tensor is the same, by the name that is: as
  /// safetensors keeps tensors that share their numbers.
  private var aliases: [(name: String, kept: String)] = []
  /// What a person should know of the files that are read.
  public let notes: [String]

  /// How many bytes of tensors are going to be written.
  public var byteCount: Int { tensors.reduce(0) { $0 + $1.byteCount } }

  /// Whether writing a checkpoint with its numbers as they are does something for it.
  ///
  /// A pickle stays behind; of float64 it is said that it is there, and what rounds it.
  public static func hasPurpose(withoutOptions folder: CheckpointFolder) throws -> Bool {
    let inner = try Family.find(folder).folder
    return try inner.hasTorchWeights
      || inner.tensors(orNamed: CheckpointFolder.openCLIPWeights).entries
        .contains { $0.type == .float64 }
  }

  /// Plans a conversion of the checkpoint in `folder`.
  ///
  /// - Parameters:
  ///   - type: what floating-point tensors become that are not quantized; nil leaves them.
  ///   - precisions: `int8` or `int4`, by the names of the family's parts, for products' weights.
  /// - Throws: what a load of the checkpoint throws; `PrecisionError`.
  public init(
    _ folder: CheckpointFolder, type: ElementType?, precisions: [String: Precision] = [:]
  ) throws {
    let (family, inner) = try Family.find(folder)
    let known = family.parts.map(\.name)
    if let unknown = precisions.keys.sorted().first(where: { !known.contains($0) }) {
      throw PrecisionError.unknownPart(unknown, family: family.name, parts: known)
    }
    var reading = inner
    let log = WeightLog()
    reading.weights.log = log
    // What is in double precision is rounded piece by piece, while it is written.
    reading.weights.converts = false
    reading.weights.keepsFloat64 = type == nil
    _ = try Family.read(reading)
    self.folder = inner
    collection = try inner.tensors()
    (self.type, self.precisions, notes) = (type, precisions, log.notes)
    plan(log.records, parts: family.parts)
  }

  private mutating func plan(_ records: [WeightRecord], parts: [Family.Part]) {
    // A table that is also a product's weight, as a tied head is, is looked up and stays plain.
    let tables = Set(records.filter { !$0.isProduct }.map(\.name))
    var done: Set<String> = []
    var packed: [String] = []
    var twins = Twins(collection)
    for record in records where done.insert(record.name).inserted {
      if let kept = twins.insert(record.name) {
        aliases.append((record.name, kept))
        continue
      }
      let part = parts.first { $0.roots.contains(String(record.address.parts.first ?? "")) }
      let precision = part.flatMap { precisions[$0.name] }
      let isPacked = if case .plain = record.stored.encoding { false } else { true }
      if let precision, precision.isHeld(by: record.stored) {
        hold(record, done: &done)
        continue
      }
      if let precision, let quantization = precision.quantization, record.isProduct,
        !record.isTransposed, !tables.contains(record.name), record.stored.shape.count == 2
      {
        let made = quantization.publishedTensors(
          shape: record.stored.shape, as: record.name, scaleType: scaleType(record))
        tensors += made.map { PlannedTensor(name: $0.name, type: $0.type, shape: $0.shape) }
        sources.append(.quantized(record, quantization))
        sources += made.dropFirst().map { _ in .rest }
        quantized.append((record.name, precision))
      } else if let type {
        add(record, type)
      } else if record.isWide, let entry = collection[record.name] {
        add(entry)
      } else if case .plain(let stored) = record.stored.encoding {
        add(record, stored)
      } else {
        hold(record, done: &done)
        continue
      }
      // Integers that are not read under a name of their own belong to a packed weight.
      if isPacked { packed.append(PackedWeight.layer(of: record.name) + ".") }
    }
    for entry in collection.entries where !done.contains(entry.name) {
      if packed.contains(where: entry.name.hasPrefix) { continue }
      if let kept = twins.insert(entry.name) {
        aliases.append((entry.name, kept))
      } else {
        add(entry)
      }
    }
  }

  /// The type that scales of rows are kept in: that of the numbers around them, as quanto has it.
  private func scaleType(_ record: WeightRecord) -> ElementType {
    if let type { return type }
    guard case .plain(let stored) = record.stored.encoding else { return .float32 }
    return stored
  }

  /// Takes the integers of a weight along as they are: rounded once and no more.
  private mutating func hold(_ record: WeightRecord, done: inout Set<String>) {
    let way: Quantization = record.stored.encoding == .int8 ? .int8 : .int4()
    for part in way.publishedTensors(shape: record.stored.shape, as: record.name) {
      guard let entry = collection[part.name], done.insert(part.name).inserted else { continue }
      add(entry)
    }
    held.append((record.name, record.stored.encoding))
  }

  private mutating func add(_ entry: TensorEntry) {
    tensors.append(PlannedTensor(name: entry.name, type: entry.type, shape: entry.shape))
    sources.append(.copied(entry.name))
  }

  private mutating func add(_ record: WeightRecord, _ type: ElementType) {
    let stored = StoredType.allCases.first { $0.elementType == type } ?? .float32
    tensors.append(PlannedTensor(name: record.name, type: stored, shape: record.stored.shape))
    sources.append(.plain(record, type))
  }

  /// Writes the converted checkpoint to `target`; one that stands there is replaced at the end.
  ///
  /// - Parameters:
  ///   - shardSize: the most bytes a file of weights holds.
  ///   - progress: called with how many bytes are done; may throw to stop.
  /// - Returns: what was left out, and what was found broken.
  @discardableResult
  public func write(
    to target: URL, shardSize: Int = 5_000_000_000, progress: (Int) throws -> Void = { _ in }
  ) throws -> Outcome {
    let replacement = try FolderReplacement(
      target, replaceable: CheckpointFolder.isOnlyCheckpoint)
    var outcome = Outcome(leftOut: try copySmallFiles(to: replacement))
    let writer = try ShardedWriter(
      tensors, in: replacement.url, called: replacement.path, shardSize: shardSize,
      aliases: aliases)
    var done = 0
    for (index, source) in sources.enumerated() {
      switch source {
      case .rest: continue
      case .plain(let record, let type):
        let tensor = try record.numbers()
        let piece = 8 << 20
        for first in stride(from: 0, to: tensor.count, by: piece) {
          let count = min(piece, tensor.count - first)
          let broken = try write(
            tensor, from: first, count: count, as: type, to: index, with: writer)
          if outcome.broken == nil, let broken {
            outcome.broken = Self.words(broken, of: tensor, name: record.name)
          }
          done += count * type.size
          try progress(done)
        }
        record.release()
      case .copied(let name):
        let bytes = try collection.rawBytes(name)
        try writer.write(bytes, to: index)
        done += bytes.count
      case .quantized(let record, let quantization):
        let tensor = try record.numbers()
        if let broken = tensor.firstNonFinite() {
          // A group's integers and scale would be finite, and hide it.
          throw PrecisionError.broken(Self.words(broken, of: tensor, name: record.name))
        }
        let type = scaleType(record)
        let matrix = tensor.quantized(to: quantization, scaleType: type)
        if case .rows(_, let scales)? = matrix.quantized?.parts,
          let scale = scales.first(where: \.isInfinite)
        {
          throw PrecisionError.tooLarge(scale, type, name: record.name)
        }
        let made = Safetensors.published(matrix, as: record.name, scaleType: type)
        for (offset, part) in made.enumerated() {
          let bytes = part.content.rawBytes
          try writer.write(bytes, to: index + offset)
          done += bytes.count
        }
        record.release()
      }
      try progress(done)
    }
    try writer.finish()
    try replacement.finish()
    return outcome
  }

  /// A place in words: `language.x: NaN at [0, 3]`.
  private static func words(_ place: Int, of tensor: StoredTensor, name: String) -> String {
    let number = tensor.number(at: place)
    let index = tensor.shape.index(ofPlace: place)
    return "\(name): \(number.isNaN ? "NaN" : "infinity") at \(index)"
  }

  /// - Returns: the place of the first number that is not finite, in the file that is read too.
  private func write(
    _ tensor: StoredTensor, from first: Int, count: Int, as type: ElementType, to index: Int,
    with writer: ShardedWriter
  ) throws -> Int? {
    let failure = Mutex<CheckpointError?>(nil)
    let lost = Mutex<Float?>(nil)
    let broken = Mutex<Int?>(nil)
    let piece = 1 << 20
    Parallelism.forEach((count + piece - 1) / piece) { number in
      let begin = first + number * piece
      let bytes = tensor.bytes(from: begin, count: min(piece, first + count - begin), as: type)
      if let place = type.firstNonFinite(in: bytes).map({ begin + $0 }) {
        let number = tensor.number(at: place)
        if number.isFinite {
          lost.withLock { $0 = number }
        } else {
          broken.withLock { $0 = min($0 ?? place, place) }
        }
      }
      do throws(CheckpointError) {
        try writer.write(bytes, to: index, at: begin * type.size)
      } catch { failure.withLock { $0 = error } }
    }
    if let failure = failure.withLock({ $0 }) { throw failure }
    if let number = lost.withLock({ $0 }) {
      throw PrecisionError.tooLarge(number, type, name: tensors[index].name)
    }
    return broken.withLock { $0 }
  }

  private func copySmallFiles(to replacement: borrowing FolderReplacement) throws -> [String] {
    let (names, leftOut) = folder.filesBesideWeights
    for name in names where name != "config.json" {
      if name == QuantizationRecord.gptqSettingsName, !keepsSettings { continue }
      if QuantizationRecord.quantoMapNames.contains(name), changesWeights { continue }
      try replacement.write(try WholeFile.read(folder.url.appending(path: name)), as: name)
    }
    if folder.has("config.json") {
      let text = try configuration().written(indented: true) + "\n"
      try replacement.write(Array(text.utf8), as: "config.json")
    }
    if changesWeights, let map = try quantoMap() {
      let text = map.written(indented: true) + "\n"
      try replacement.write(Array(text.utf8), as: QuantizationRecord.quantoMapName)
    }
    if hasGroups, !keepsSettings || !folder.has(QuantizationRecord.gptqSettingsName) {
      try replacement.write(
        Array((gptq.written(indented: true) + "\n").utf8), as: QuantizationRecord.gptqSettingsName)
    }
    return leftOut
  }

  /// quanto's map of the layers with rows of 8-bit integers; nil where there are none.
  ///
  /// Layers that stay as they are keep what the checkpoint says of them.
  private func quantoMap() throws -> JSON? {
    let stay = held.filter { $0.encoding == .int8 }.map { PackedWeight.layer(of: $0.name) }
    let new = quantized.filter { $0.precision == .int8 }.map { PackedWeight.layer(of: $0.name) }
    let old = try QuantizationRecord.quantoMapNames.first(where: folder.has).map {
      try JSON(file: folder.url.appending(path: $0))
    }
    guard let map = QuantizationRecord.quantoMap(stay + new).object, map.count > 0 else {
      return nil
    }
    let isOld = Set(stay)
    return .object(
      JSON.Object(
        zip(map.keys, map.values).map { ($0, isOld.contains($0) ? old?[$0] ?? $1 : $1) }))
  }

  private var changesWeights: Bool { type != nil || !quantized.isEmpty }

  /// Whether what the checkpoint says of its integers still holds: none has changed, or its groups
  /// are among those that are written.
  private var keepsSettings: Bool {
    guard changesWeights else { return true }
    return held.contains { if case .groups = $0.encoding { true } else { !hasGroups } }
  }

  private var hasGroups: Bool { quantized.contains { $0.precision == .int4 } }
  private var gptq: JSON { QuantizationRecord.gptqSettings(groupSize: Quantization.groupSize) }

  /// `config.json`, saying what the tensors are now.
  private func configuration() throws -> JSON {
    let old = try folder.configuration()
    guard let members = old.object else { return old }
    var changed = zip(members.keys, members.values).map { ($0, $1) }
    if let type {
      let key = members.keys.contains("dtype") ? "dtype" : "torch_dtype"
      changed.append((key, .string(type.rawValue)))
    }
    if !keepsSettings { changed.removeAll { $0.0 == "quantization_config" } }
    if hasGroups, !changed.contains(where: { $0.0 == "quantization_config" }) {
      changed.append(("quantization_config", gptq))
    }
    return .object(JSON.Object(changed))
  }
}
