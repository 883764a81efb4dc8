public import Budget
public import Checkpoints
public import Files
internal import Foundation
public import Tensors
public import Tracing

/// A model that was read, and how its weights are kept.
public struct ModelLoad: Sendable {
  /// The model.
  public let model: any FamilyModel
  /// How each part's weights are kept, in the family's order.
  public let parts: [PartWeights]
  /// Every weight, by its address.
  public let weights: [Address: Weight]
  /// What to know before running it, a sentence each; none for most models.
  ///
  /// A file that is missing and what is assumed, keys that nobody knows, memory that is short.
  public let notes: [String]

  /// Reads the model in `folder`, each part in its precision.
  ///
  /// Weights that are stored as asked for stay in their file; others are converted one by one, and
  /// the file's pages given back, so that there are never two copies. What that takes is estimated
  /// first.
  ///
  /// - Parameters:
  ///   - precisions: by the names of the family's parts; parts that are not named stay as stored.
  ///   - rounding: the types that all numbers of a part are rounded to, tables, norms and biases too,
  ///     by the names of the family's parts.
  ///   - progress: called with bytes converted, of how many; `false` stops the load.
  ///   - available: the memory that may be taken.
  /// - Throws: `PrecisionError` for a part that the family does not have; `MemoryShortage`;
  ///   `CheckpointError.stopped`; what the family's reader throws.
  public init(
    _ folder: CheckpointFolder, precisions: [String: Precision] = [:],
    rounding: [String: ElementType] = [:], available: Int = AvailableMemory.byteCount,
    progress: @escaping @Sendable (_ done: Int, _ total: Int) -> Bool = { _, _ in true }
  ) throws {
    let (family, _) = try Family.find(folder)
    let known = family.parts.map(\.name)
    if let unknown = precisions.keys.sorted().first(where: { !known.contains($0) }) {
      throw PrecisionError.unknownPart(unknown, family: family.name, parts: known)
    }
    var roots: [String: Precision] = [:]
    for part in family.parts {
      for root in part.roots { roots[root] = precisions[part.name] }
    }
    let types = Dictionary(
      family.parts.flatMap { part in
        part.roots.compactMap { root in rounding[part.name].map { (root, $0) } }
      }, uniquingKeysWith: { first, _ in first })
    // What is stored as asked for is not touched here, which is most of all loads.
    let log = WeightLog()
    var folder = folder
    folder.weights.log = log
    folder.weights.precisions = roots
    folder.weights.converts = false
    let mapped = try Family.read(folder)
    let records = log.records
    let converted = records.filter(\.isConverted)
    parts = family.parts.map { PartWeights($0, records, precisions[$0.name]) }
    let rest = parts.reduce(0) { $0 + $1.mappedByteCount }
    notes =
      log.notes + mapped.notes
      + (try QuantoMap(Family.find(folder).folder)?.notes(on: records) ?? [])
      + (try Family.notes(onLayoutOf: folder))
      + (rest > available ? [Self.warning(rest, available)] : [])
    let isRounded = records.filter { record in
      !record.isConverted && record.address.parts.first.flatMap { types[String($0)] } != nil
    }
    guard !converted.isEmpty || !isRounded.isEmpty else {
      model = mapped
      weights = Weight.byAddress(records)
      return
    }
    let allocated = converted.reduce(0) { $0 + $1.keptByteCount }
    let largest = converted.map(\.stored.byteCount).max() ?? 0
    try MemoryEstimate([
      .init("converted weights", allocated),
      .init("rounded numbers", isRounded.reduce(0) { $0 + $1.stored.count * 2 }),
      .init("the matrix being converted", largest),
    ]).check(
      of: "loading \(folder.url.lastPathComponent)",
      suggestion: Self.suggestion(converted),
      available: available)
    let total = converted.reduce(0) { $0 + $1.stored.byteCount }
    let done = Counter()
    let kept = WeightLog()
    folder.weights.log = kept
    folder.weights.converts = true
    folder.weights.rounding = types
    folder.weights.onConversion = { progress(done.add($0), total) }
    model = try Family.read(folder)
    weights = Weight.byAddress(kept.records)
  }

  /// What would take less.
  private static func suggestion(_ converted: [WeightRecord]) -> String {
    let least = converted.reduce(0) { sum, record in
      sum + (Precision.int4.kept(record.stored)?.byteCount ?? 0)
    }
    let isSmaller = least < converted.reduce(0) { $0 + $1.keptByteCount }
    return
      (isSmaller
      ? "int4 would take \(least.asByteCount); convert fewer parts" : "convert fewer parts")
      + ", or store it so with fovea convert, whose result is mapped"
  }

  private static func warning(_ size: Int, _ available: Int) -> String {
    "the weights in their files take \(size.asByteCount), but \(available.asByteCount) of memory "
      + "can be had: each run reads them from the disk again; load with quantize=\"int4\" or "
      + "\"int8\" to keep them in memory"
  }
}

/// How the weights of one part of a model are kept.
public struct PartWeights: Sendable, Equatable {
  /// The part.
  public let name: String
  /// The first words of the addresses in it.
  public let roots: [String]
  /// How products are computed, and their weights kept: `bfloat16`, `int4`; several where mixed.
  public let encodings: [Encoding]
  /// The types that floating-point numbers have which are not converted, tables, norms and biases
  /// too.
  public let storedTypes: [ElementType]
  /// Whether its products are computed in bfloat16.
  public let isMultipliedInBFloat16: Bool
  /// Bytes of the file's own pages.
  public let mappedByteCount: Int
  /// Bytes in memory of their own.
  public let ownByteCount: Int

  init(_ part: Family.Part, _ records: [WeightRecord], _ precision: Precision?) {
    (name, roots) = (part.name, part.roots)
    isMultipliedInBFloat16 = precision?.arithmetic == .bfloat16
    let mine = records.filter { part.roots.contains(String($0.address.parts.first ?? "")) }
    var encodings: [Encoding] = []
    for record in mine where record.isProduct && !encodings.contains(record.kept) {
      encodings.append(record.kept)
    }
    self.encodings = encodings
    storedTypes = ElementType.allCases.filter { type in
      mine.contains { !$0.isConverted && $0.stored.encoding == .plain(type) }
    }
    // A tied table is handed out twice, and lies in the file once.
    var seen: Set<String> = []
    mappedByteCount = mine.reduce(0) { sum, record in
      record.isConverted || !seen.insert(record.name).inserted
        ? sum : sum + record.stored.byteCount
    }
    ownByteCount = mine.reduce(0) { $0 + ($1.isConverted ? $1.keptByteCount : 0) }
  }

  /// Whether some of its products have small integers.
  public var hasIntegers: Bool {
    encodings.contains { if case .plain = $0 { false } else { true } }
  }

  /// `bfloat16, 5.3 GB in the file`.
  public var text: String {
    var sizes: [String] = []
    if ownByteCount > 0 { sizes.append("\(ownByteCount.asByteCount) converted") }
    if mappedByteCount > 0 { sizes.append("\(mappedByteCount.asByteCount) in the file") }
    // Groups of several sizes have one name.
    let names = encodings.map(\.name).reduce(into: [String]()) { names, name in
      if !names.contains(name) { names.append(name) }
    }
    // Of bfloat16 it goes without saying.
    let isSaid = isMultipliedInBFloat16 && names.contains { $0 != "bfloat16" }
    return
      ([names.joined(separator: " and ") + (isSaid ? " multiplied in bfloat16" : "")]
      .filter { !$0.isEmpty } + sizes)
      .joined(separator: ", ")
  }
}

/// Why a model cannot be read in the precision asked for.
public enum PrecisionError: HasExitCode, Equatable, CustomStringConvertible {
  /// A number that a shorter type has not, and would make infinite.
  case tooLarge(Float, ElementType, name: String)
  /// A NaN or infinity, in words, in a weight that was to become small integers.
  case broken(String)
  /// The family has no part of that name.
  case unknownPart(String, family: String, parts: [String])

  /// What a program that ends with this returns.
  public var exitCode: Int32 {
    switch self {
    case .tooLarge, .broken: ExitCode.badData
    case .unknownPart: ExitCode.usage
    }
  }

  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .tooLarge(let number, let type, let name):
      "'\(name)' holds \(number), which \(type) would make infinite"
        + (type == .float16 ? ", for it ends at 65504; bfloat16 has room for it" : "")
    case .broken(let place):
      "\(place) cannot become a small integer, which would hide it; leave --quantize out"
    case .unknownPart(let name, let family, let parts):
      "\(family) has no part '\(name)'; its parts are \(parts.joined(separator: ", "))"
    }
  }
}
