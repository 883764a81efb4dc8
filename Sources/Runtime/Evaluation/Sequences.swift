internal import Budget
internal import Language
internal import Tensors

/// Goes through a value's elements one by one.
struct SequenceIterator {
  private enum Kind {
    case values([Value])
    case text(Text)
    /// Lists may change while they are gone through: each step asks anew, as in Python.
    case list(List)
    case range(RangeValue)
    case mapping(Mapping, keys: [Value])
    case tensor(Tensor, from: Provenance?)
    case object(any ForeignObject, count: Int)
  }
  /// A text with the place of its next character.
  private struct Text {
    let scalars: String.UnicodeScalarView
    var place: String.Index

    init(_ text: String) { (scalars, place) = (text.unicodeScalars, text.startIndex) }
  }
  private var kind: Kind
  private var index = 0

  /// How many elements there will be, where that is known without counting.
  var count: Int? {
    switch kind {
    case .values(let values): values.count
    case .range(let range): range.count
    case .mapping(_, let keys): keys.count
    case .tensor(let tensor, _): tensor.shape[0]
    case .object(_, let count): count
    case .text, .list: nil
    }
  }

  init(_ value: Value) throws {
    switch value {
    case .list(let list): kind = .list(list)
    case .tuple(let values): kind = .values(values)
    case .text(let text): kind = .text(Text(text.string))
    case .range(let range): kind = .range(range)
    case .dictionary(let mapping): kind = .mapping(mapping, keys: mapping.keys)
    case .tensor(let tensor, let origin):
      guard tensor.rank > 0 else {
        throw RuntimeFailure(.type, "a tensor of shape [] has no axis to go along")
      }
      kind = .tensor(tensor, from: origin)
    case .object(let object):
      if let count = object.elementCount {
        kind = .object(object, count: count)
      } else if let tensor = object.tensor, tensor.rank > 0 {
        kind = .tensor(tensor, from: object.provenance)
      } else if object.tensor == nil, !object.elementNames.isEmpty {
        // What has names and no order of its own gives its names, as a dict does.
        kind = .values(object.elementNames.map { .text($0) })
      } else {
        throw RuntimeFailure(
          .type,
          "\(Wording.article(object.typeName)) \(object.typeName) has no elements to go through")
      }
    default:
      throw RuntimeFailure(
        .type, "\(value.inMessage) has no elements to go through",
        hint: value.integer == nil ? nil : "to count, write range(\(value.represented))")
    }
  }

  mutating func next() throws -> Value? {
    defer { index += 1 }
    switch kind {
    case .values(let values): return index < values.count ? values[index] : nil
    case .text(var text):
      guard text.place < text.scalars.endIndex else { return nil }
      let scalar = text.scalars[text.place]
      text.scalars.formIndex(after: &text.place)
      kind = .text(text)
      return .text(String(scalar))
    case .list(let list):
      return list.value(at: index)
    case .range(let range): return index < range.count ? .integer(range[index]) : nil
    case .mapping(let mapping, let keys):
      guard mapping.count == keys.count else {
        throw RuntimeFailure(.value, "the dict changed its size while a loop went through it")
      }
      return index < keys.count ? keys[index] : nil
    case .tensor(let tensor, let origin):
      guard index < tensor.shape[0] else { return nil }
      try Tensor.askForRoom(Array(tensor.shape.dropFirst()))
      return Indexing.scalar(
        Indexing.row(tensor, index), from: origin?.picking([.place(index)], reorders: false))
    case .object(let object, let count):
      guard index < count else { return nil }
      return try object.element(.integer(index))
    }
  }
}

/// Whole sequences.
enum Sequences {
  /// A value's elements.
  static func values(of value: Value, limit: Int) throws -> [Value] {
    switch value {
    case .list(let list): return list.values
    case .tuple(let values): return values
    default: break
    }
    var iterator = try SequenceIterator(value)
    if let count = iterator.count {
      guard count <= limit else { throw tooMany(limit) }
      try [Value].askForRoom(of: count)
    }
    return try [Value].built(iterator.count ?? 0) { values in
      while let element = try iterator.next() {
        if values.count & 0xFFF == 0 { try Stop.check() }
        values.append(element)
        if values.count > limit { throw tooMany(limit) }
      }
    }
  }

  static func tooMany(_ limit: Int) -> RuntimeFailure {
    RuntimeFailure(
      .limit, "this would have more than \(limit) elements", hint: "tensors may be larger")
  }

  /// How many elements a value has.
  static func count(_ value: Value) throws -> Int {
    switch value {
    case .list(let list): return list.count
    case .tuple(let values): return values.count
    case .text(let text): return try text.count()
    case .range(let range): return range.count
    case .dictionary(let mapping): return mapping.count
    case .object(let object) where object.elementCount != nil: return object.elementCount ?? 0
    default:
      if case .object(let object) = value, object.tensor == nil, !object.elementNames.isEmpty {
        return object.elementNames.count
      }
      if let tensor = value.tensor {
        guard let first = tensor.shape.first else {
          throw RuntimeFailure(.type, "a tensor of shape [] has no length")
        }
        return first
      }
      throw RuntimeFailure(.type, "\(value.inMessage) has no length")
    }
  }

  /// A tuple, refused where tuples are nested too deeply to be freed or compared safely.
  static func tuple(_ values: [Value]) throws -> Value {
    if depth(values) > 200 {
      throw RuntimeFailure(.limit, "tuples are nested more than 200 deep")
    }
    return .tuple(values)
  }

  private static func depth(_ values: [Value]) -> Int {
    var deepest = 0
    for case .tuple(let inner) in values { deepest = max(deepest, 1 + depth(inner)) }
    return deepest
  }
}
