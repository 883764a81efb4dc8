internal import Budget
internal import Characters
internal import Checkpoints
internal import Files
internal import Foundation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// Tensors of a file by name, none of them read before it is asked for.
struct NamedTensors: ForeignObject {
  /// The file's or folder's name.
  let title: String
  private let tensors: TensorCollection
  /// Which of them, in the file's order.
  private let places: [Int]
  /// Those of types that are not read; a selection has none.
  private let unread: [UnreadTensor]
  /// The memory that one may take when it is read.
  private let available: @Sendable () -> Int

  /// How many a listing shows.
  private static let shownLimit = 40

  /// All tensors of a collection.
  init(
    _ tensors: TensorCollection, title: String, available: @escaping @Sendable () -> Int
  ) {
    self.init(
      tensors, places: Array(tensors.entries.indices), unread: tensors.unread, title: title,
      available: available)
  }

  private init(
    _ tensors: TensorCollection, places: [Int], unread: [UnreadTensor], title: String,
    available: @escaping @Sendable () -> Int
  ) {
    (self.tensors, self.places, self.title) = (tensors, places, title)
    (self.unread, self.available) = (unread, available)
  }

  private var byteCount: Int { places.reduce(0) { $0 + tensors.entries[$1].byteCount } }

  var typeName: String { "Tensors" }
  var brief: String {
    "\(places.count.counted(as: "tensor")) of \(title.visibleOnOneLine), \(byteCount.asByteCount)"
  }

  var shown: String {
    guard !places.isEmpty || !unread.isEmpty else { return brief }
    let rows = places.prefix(Self.shownLimit).map { place in
      let entry = tensors.entries[place]
      return [entry.name, entry.type.name, "\(entry.shape)"]
    }
    let rest = places.count - rows.count
    let unreadRows = unread.prefix(Self.shownLimit).map { [$0.name, $0.type, "\($0.shape)"] }
    return
      ([brief] + tensors.notes.map { "note: \($0)" }
      + [TextTable(["name", "type", "shape"], rows + unreadRows).text]
      + (rest > 0 ? ["… and \(rest) more; names lists all, select(\"…*\") a part"] : []))
      .joined(separator: "\n")
  }

  var elementCount: Int? { places.count }
  var elementNames: [String] { places.map { tensors.names[$0] } }

  /// A tensor by its name; a name by its number, for `for`.
  func element(_ index: Value) throws -> Value? {
    if let number = index.integer {
      let place = number < 0 ? number + places.count : number
      guard places.indices.contains(place) else {
        throw RuntimeFailure(
          .index, "number \(number) is outside \(places.count.counted(as: "tensor"))")
      }
      return .text(tensors.names[places[place]])
    }
    guard let name = index.text else { return nil }
    return try value(try entry(name))
  }

  private func entry(_ name: String) throws -> TensorEntry {
    guard let entry = tensors[name] else {
      if tensors.unread.contains(where: { $0.name == name }) { _ = try tensors.floats(name) }
      // A large file's names are too many to compare them all.
      let known = Array(elementNames.prefix(20_000))
      throw RuntimeFailure(
        .key, "\(title.visibleOnOneLine) has no tensor \(Value.text(name).inMessage)",
        hint: NearestPlace.hint(name, among: known))
    }
    return entry
  }

  /// A tensor as float32.
  private func value(_ entry: TensorEntry) throws -> Value {
    try check(entry, bytesEach: 4)
    let tensor = try tensors.floats(entry.name)
    // Beyond this not every whole number is a float32.
    let limit = Float(1 << 24)
    guard entry.type.holdsIntegers, entry.type.size >= 4,
      tensor.elements.contains(where: { abs($0) > limit })
    else { return .tensor(tensor, from: Provenance(entry.name)) }
    throw RuntimeFailure(
      .value, "\(Value.text(entry.name).inMessage) holds whole numbers that float32 would round",
      hint: "integers(\"…\") gives them as a list")
  }

  private func check(_ entry: TensorEntry, bytesEach: Int) throws {
    let (size, overflow) = entry.count.multipliedReportingOverflow(by: bytesEach)
    let isPlain = entry.type == .float32
    try MemoryEstimate([
      .init("its numbers", overflow ? .max : size),
      .init("its bytes on the way", isPlain ? 0 : entry.byteCount),
    ]).check(
      of: "reading \(Value.text(entry.name).inMessage)",
      suggestion: "save(…) copies it to a file without reading it as a whole",
      available: available())
  }

  var attributeNames: [String] {
    ["names", "items", "select", "integers", "types", "shapes", "metadata", "notes", "bytes"]
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "names": .texts(elementNames)
    case "types": try byName { .text($0.type.name) }
    case "shapes": try byName { .integers($0.shape) }
    case "bytes": .integer(byteCount)
    case "notes": .texts(tensors.notes)
    case "metadata":
      .dictionary(try Mapping.sorted(tensors.metadata.map { ($0.key, .text($0.value)) }))
    case "items", "select":
      .function(
        Callable(
          attribute, "The tensors whose names fit, without those of types that are not read.",
          .text("pattern", default: "*", "With * for any characters.")
        ) { _, pattern in
          let part = try fitting(pattern)
          return .object(attribute == "items" ? TensorItems(of: part) : part)
        })
    case "integers":
      .function(
        Callable(
          attribute, "A tensor of whole numbers, as a list, row by row.",
          .text("name", "Its name.")
        ) { _, name in
          // A value of a script takes more than its number.
          try check(try entry(name), bytesEach: 48)
          return .integers(try tensors.integers(name).elements)
        })
    default: nil
    }
  }

  private func byName(_ value: (TensorEntry) -> Value) throws -> Value {
    let mapping = Mapping()
    for place in places {
      let entry = tensors.entries[place]
      try mapping.set(.text(entry.name), to: value(entry))
    }
    return .dictionary(mapping)
  }

  private func fitting(_ pattern: String) throws -> NamedTensors {
    let found = places.filter { Address(tensors.names[$0]).matches(pattern) }
    if found.isEmpty, let alone = unread.first(where: { Address($0.name).matches(pattern) }) {
      try tensors.refuseUnread([alone.name])
    }
    guard !found.isEmpty || places.isEmpty else {
      throw RuntimeFailure(
        .key, "no tensor of \(title.visibleOnOneLine) fits \(Value.text(pattern).inMessage)",
        hint: NearestPlace.hint(pattern, among: Array(elementNames.prefix(20_000))))
    }
    return NamedTensors(tensors, places: found, unread: [], title: title, available: available)
  }

  /// Those whose names, read as addresses, fit a pattern.
  func tensors(fitting pattern: String) throws -> [Address: Tensor] {
    var found: [Address: Tensor] = [:]
    for name in elementNames where Address(name).matches(pattern) {
      let entry = try entry(name)
      try check(entry, bytesEach: 4)
      found[Address(name)] = try tensors.floats(name)
    }
    return found
  }

  /// Writes them as safetensors, one after the other.
  ///
  /// - Throws: where one of them is of a type that is not read: a file without it would not be a copy.
  func write(to url: URL, in session: Session) throws {
    if let first = unread.first {
      let example = "\(Value.text(first.name).inMessage) (\(first.type))"
      throw RuntimeFailure(
        .value,
        "\(unread.count.counted(as: "tensor")) of \(title.visibleOnOneLine) cannot be saved: "
          + (unread.count == 1
            ? "\(example) is of a type that is not read"
            : "\(example) and others are of types that are not read"),
        hint: "select(\"*\") leaves them out")
    }
    do {
      try Safetensors.write(
        tensors, places: places, metadata: tensors.metadata.merging(["made_by": "fovea"]) { $1 },
        to: url
      ) { done, total in
        let unit = 1_000_000
        session.report(
          Progress("writing (MB)", completed: done / unit, total: max(1, total / unit)))
        return !session.isCancelled
      }
    } catch {
      if case .stopped = error { throw Cancelled() }
      throw error
    }
  }
}

/// Names with their tensors, each read when a loop comes to it.
struct TensorItems: ForeignObject {
  private let tensors: NamedTensors

  init(of tensors: NamedTensors) { self.tensors = tensors }

  var typeName: String { "items" }
  var shown: String { "names and tensors: \(tensors.brief)" }
  var elementCount: Int? { tensors.elementCount }

  func element(_ index: Value) throws -> Value? {
    guard index.integer != nil, let name = try tensors.element(index),
      let tensor = try tensors.element(name)
    else { return nil }
    return .tuple([name, tensor])
  }
}

extension StoredType {
  /// Whether its numbers are whole.
  fileprivate var holdsIntegers: Bool { elementType == nil && self != .float64 }
}
