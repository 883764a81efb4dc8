internal import Budget
internal import Language
internal import Tensors

/// `x[i]`, `x[a:b]`, `d[key]`, for reading and writing.
enum Indexing {
  static func element(of container: Value, at place: Value, _ session: Session) throws -> Value {
    switch container {
    case .list(let list):
      if case .slice(let slice) = place { return .newList(try part(list.values, slice)) }
      let index = try position(place, count: list.count, "list")
      return list[index]
    case .tuple(let values):
      if case .slice(let slice) = place { return .tuple(try part(values, slice)) }
      return values[try position(place, count: values.count, "tuple")]
    case .text(let text):
      let count = try text.count()
      if case .slice(let slice) = place {
        return .text(try slice.indices(count: count).map(text.part) ?? "")
      }
      return .text(String(try text.character(try position(place, count: count, "str"))))
    case .range(let range):
      if case .slice(let slice) = place, let picked = slice.indices(count: range.count) {
        let made = RangeValue(
          start: range[picked.start], stop: range[picked.stop], step: range.step &* picked.step)
        return made.map { .range($0) } ?? .none
      }
      return .integer(range[try position(place, count: range.count, "range")])
    case .dictionary(let mapping):
      if let value = mapping[try Key(place)] { return value }
      throw missing(place, mapping)
    case .tensor(let tensor, let origin):
      return try TensorIndex.apply(place, to: tensor, from: origin)
    case .object(let object):
      if let element = try object.element(place) {
        if let remark = object.remark(on: place) { session.note(remark) }
        return element
      }
      if let tensor = object.tensor {
        return try TensorIndex.apply(place, to: tensor, from: object.provenance)
      }
      throw RuntimeFailure(
        .type, "\(Wording.article(object.typeName)) \(object.typeName) has no elements")
    default:
      throw RuntimeFailure(
        .type, "\(container.inMessage) has no elements",
        hint: { if case .function = container { "a call is written with ( )" } else { nil } }())
    }
  }

  static func missing(_ key: Value, _ mapping: Mapping) -> RuntimeFailure {
    let names = mapping.keys.compactMap(\.text)
    var failure = RuntimeFailure(.key, "there is no key \(key.inMessage)")
    if let text = key.text { failure.hint = Wording.nearest(text, names) }
    if failure.hint == nil {
      let keys = mapping.keys.prefix(8).map(\.represented).joined(separator: ", ")
      failure.notes = [
        mapping.count == 0
          ? "the dict is empty" : "its keys are \(keys)" + (mapping.count > 8 ? ", …" : "")
      ]
    }
    return failure
  }

  static func set(_ container: Value, at place: Value, to value: Value) throws {
    switch container {
    case .list(let list):
      if case .slice = place {
        throw RuntimeFailure(
          .type, "a part of a list cannot be assigned to", hint: "join lists with + instead")
      }
      let index = try position(place, count: list.count, "list")
      // What was there is freed after the list's lock is given up.
      withExtendedLifetime(list.replace(at: index, with: value)) {}
    case .dictionary(let mapping): try mapping.set(place, to: value)
    case .tensor:
      throw RuntimeFailure(
        .type, "tensors do not change", hint: "make a new one: where(mask, a, b), or arithmetic")
    default:
      throw RuntimeFailure(
        .type,
        "the elements of \(Wording.article(container.typeName)) \(container.typeName) "
          + "cannot be assigned to")
    }
  }

  /// `del d[key]` and `del x[i]`.
  static func delete(from container: Value, at place: Value) throws {
    switch container {
    case .list(let list):
      if case .slice = place {
        throw RuntimeFailure(
          .type, "a part of a list cannot be deleted", hint: "keep the rest: x = x[3:]")
      }
      // What was there is freed after the list's lock is given up.
      withExtendedLifetime(
        list.remove(at: try position(place, count: list.count, "list"))
      ) {}
    case .dictionary(let mapping):
      guard mapping.remove(try Key(place)) != nil else { throw missing(place, mapping) }
    default:
      throw RuntimeFailure(
        .type,
        "the elements of \(Wording.article(container.typeName)) \(container.typeName) "
          + "cannot be deleted")
    }
  }

  /// An index as a place from 0 on.
  static func position(_ place: Value, count: Int, _ what: String) throws -> Int {
    guard let index = place.integer else {
      throw RuntimeFailure(
        .type, "the index of a \(what) is a whole number, not \(place.inMessage)")
    }
    let position = index < 0 ? index + count : index
    guard position >= 0, position < count else {
      throw RuntimeFailure(
        .index, "index \(index) is outside this \(what) of \(count)",
        notes: [count == 0 ? "it is empty" : "the last index is \(count - 1)"])
    }
    return position
  }

  private static func part(_ values: [Value], _ slice: SliceValue) throws -> [Value] {
    guard let range = slice.indices(count: values.count) else { return [] }
    try [Value].askForRoom(of: range.count)
    return try [Value].made(range.count) { values[range[$0]] }
  }

  /// Row `index` of the first axis.
  static func row(_ tensor: Tensor, _ index: Int) -> Tensor {
    tensor.row(index)
  }

  /// A tensor without axes is a number.
  static func scalar(_ tensor: Tensor, from origin: Provenance? = nil) -> Value {
    tensor.rank == 0 ? .float(Double(tensor.elements[0])) : .tensor(tensor, from: origin)
  }
}
