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
      return list.values[index]
    case .tuple(let values):
      if case .slice(let slice) = place { return .tuple(try part(values, slice)) }
      return values[try position(place, count: values.count, "tuple")]
    case .text(let text):
      let scalars = try Texts.scalars(of: text)
      if case .slice(let slice) = place {
        return .text(Texts.text(try part(scalars, slice)))
      }
      return .text(String(scalars[try position(place, count: scalars.count, "str")]))
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
    case .tensor(let tensor, _): return try TensorIndex.apply(place, to: tensor)
    case .object(let object):
      if let element = try object.element(place) { return element }
      if let tensor = object.tensor { return try TensorIndex.apply(place, to: tensor) }
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
      let old = list.change { values -> Value in
        let old = values[index]
        values[index] = value
        return old
      }
      withExtendedLifetime(old) {}
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

  static func part<T>(_ values: [T], _ slice: SliceValue) throws -> [T] {
    guard let range = slice.indices(count: values.count) else { return [] }
    try MemoryGate.take(
      range.count, of: MemoryLayout<T>.stride, for: "a part of \(range.count) elements")
    if range.step == 1, range.count > 0 { return Array(values[range.start..<range.stop]) }
    var result: [T] = []
    result.reserveCapacity(range.count)
    Stop.parts(of: range.count) { part in
      for index in part { result.append(values[range[index]]) }
    }
    try Stop.check()
    return result
  }

  /// Row `index` of the first axis.
  static func row(_ tensor: Tensor, _ index: Int) -> Tensor {
    tensor.row(index)
  }

  /// A tensor without axes is a number.
  static func scalar(_ tensor: Tensor) -> Value {
    tensor.rank == 0 ? .float(Double(tensor.elements[0])) : .tensor(tensor)
  }
}

/// `x[0, :, 3:9:2]`, `x[..., None]` on tensors, as NumPy's basic indexing; also one list of
/// positions, which picks along its axis.
enum TensorIndex {
  static func apply(_ place: Value, to tensor: Tensor) throws -> Value {
    var parts: [Value]
    if case .tuple(let values) = place { parts = values } else { parts = [place] }
    let used = parts.filter {
      if case .none = $0 { false } else if case .ellipsis = $0 { false } else { true }
    }
    guard used.count <= tensor.rank else {
      throw RuntimeFailure(
        .index, "\(used.count) indices for a tensor of shape \(tensor.shape)",
        notes: ["it has \(tensor.rank) \(tensor.rank == 1 ? "axis" : "axes")"])
    }
    let dots = parts.indices.filter { if case .ellipsis = parts[$0] { true } else { false } }
    guard dots.count <= 1 else {
      throw RuntimeFailure(.index, "an index may have one '...' only")
    }
    let whole = Value.slice(SliceValue(start: nil, stop: nil, step: nil))
    let fill = Array(repeating: whole, count: tensor.rank - used.count)
    if let dot = dots.first { parts.replaceSubrange(dot...dot, with: fill) } else { parts += fill }

    var strides = [Int](repeating: 1, count: tensor.rank)
    for axis in stride(from: tensor.rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
    }
    var offsets: [[Int]] = []
    var shape: [Int] = []
    var start = 0
    var axis = 0
    var listCount = 0
    for part in parts {
      if case .none = part {
        shape.append(1)
        offsets.append([0])
        continue
      }
      let (length, step) = (tensor.shape[axis], strides[axis])
      switch part {
      case .slice(let slice):
        guard let range = slice.indices(count: length) else { break }
        shape.append(range.count)
        try MemoryGate.take(range.count, of: 8, for: "an index of \(range.count) places")
        offsets.append((0..<range.count).map { range[$0] * step })
      case .list, .range:
        listCount += 1
        guard listCount == 1 else {
          throw RuntimeFailure(.index, "an index may hold one list of positions only")
        }
        let values = try Sequences.values(of: part, limit: 10_000_000)
        shape.append(values.count)
        offsets.append(try values.map { try position($0, length, axis, tensor) * step })
      default: start += try position(part, length, axis, tensor) * step
      }
      axis += 1
    }
    try Tensor.askForRoom(shape)
    return Indexing.scalar(gather(tensor, start, shape, offsets))
  }

  private static func position(
    _ value: Value, _ length: Int, _ axis: Int, _ tensor: Tensor
  ) throws -> Int {
    guard let index = value.integer else {
      throw RuntimeFailure(
        .type, "a tensor is indexed by whole numbers, slices, None and ..., not \(value.inMessage)")
    }
    let position = index < 0 ? index + length : index
    guard position >= 0, position < length else {
      throw RuntimeFailure(
        .index, "index \(index) is outside axis \(axis) of shape \(tensor.shape)",
        notes: [length == 0 ? "the axis is empty" : "the last index of that axis is \(length - 1)"])
    }
    return position
  }

  private static func gather(
    _ tensor: Tensor, _ start: Int, _ shape: [Int], _ offsets: [[Int]]
  ) -> Tensor {
    let total = shape.reduce(1, *)
    guard total > 0, let inner = offsets.last else {
      return Tensor(total > 0 ? [tensor.elements[start]] : [], shape: shape)
    }
    var elements: [Float] = []
    elements.reserveCapacity(total)
    var places = [Int](repeating: 0, count: offsets.count)
    let stop = Stop.current
    var asked = 0
    while true {
      var base = start
      for axis in 0..<(offsets.count - 1) { base += offsets[axis][places[axis]] }
      if inner.count <= 1 << 16 {
        for offset in inner { elements.append(tensor.elements[base + offset]) }
      } else {
        Stop.parts(of: inner.count) { part in
          for offset in inner[part] { elements.append(tensor.elements[base + offset]) }
        }
      }
      if elements.count - asked >= 1 << 16 {
        asked = elements.count
        if stop?.isRequested == true { break }
      }
      var axis = offsets.count - 2
      while axis >= 0 {
        places[axis] += 1
        if places[axis] < shape[axis] { break }
        places[axis] = 0
        axis -= 1
      }
      if axis < 0 { break }
    }
    // Stopped on the way, nobody looks at the rest.
    if elements.count < total { return Tensor([], shape: [0]) }
    return Tensor(elements, shape: shape)
  }
}
