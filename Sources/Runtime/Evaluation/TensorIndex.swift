internal import Budget
internal import Language
internal import Tensors

/// `x[0, :, 3:9:2]`, `x[..., None]` on tensors, as NumPy's basic indexing; also one list or tensor
/// of positions, which picks along its axis, or one mask, which picks where it is true.
enum TensorIndex {
  /// An axis of the result, or several in a row: their lengths, and for each of their places, in
  /// order, how far it is from the first element.
  private struct Axes {
    let lengths: [Int]
    let offsets: [Int]
  }

  static func apply(
    _ place: Value, to tensor: Tensor, from origin: Provenance? = nil
  ) throws -> Value {
    let parts = try filled(place, tensor)
    var strides = [Int](repeating: 1, count: tensor.rank)
    for axis in stride(from: tensor.rank - 2, through: 0, by: -1) {
      strides[axis] = strides[axis + 1] * tensor.shape[axis + 1]
    }
    var axes: [Axes] = []
    var start = 0
    var axis = 0
    // Where the list of positions or the mask stands, among the parts and among the result's axes.
    var picked: (part: Int, axes: Int)?
    for (number, part) in parts.enumerated() {
      switch part {
      case .plain(.none):
        axes.append(Axes(lengths: [1], offsets: [0]))
        continue
      case .plain(.slice(let slice)):
        guard let range = slice.indices(count: tensor.shape[axis]) else { break }
        try MemoryGate.take(range.count, of: 8, for: "an index of \(range.count) places")
        axes.append(
          Axes(
            lengths: [range.count], offsets: (0..<range.count).map { range[$0] * strides[axis] }))
      case .plain(let value):
        start += try position(value, axis, tensor) * strides[axis]
      case .positions(let values, let shape):
        picked = (number, axes.count)
        let offsets = try values.map { try position($0, axis, tensor) * strides[axis] }
        axes.append(Axes(lengths: shape, offsets: offsets))
      case .mask(let mask):
        picked = (number, axes.count)
        let offsets = try offsets(of: mask, axis, tensor, strides)
        axes.append(Axes(lengths: [offsets.count], offsets: offsets))
      }
      axis += part.axisCount
    }
    // NumPy's rule: positions and whole numbers with a slice between them come first.
    var reorders = false
    if let picked, parts.separatesWholeNumbers(from: picked.part) {
      axes.insert(axes.remove(at: picked.axes), at: 0)
      reorders = true
    }
    let shape = axes.flatMap(\.lengths)
    try TensorArithmetic.checkCount(shape, atLeast: tensor.count, "this part of the tensor")
    try Tensor.askForRoom(shape)
    return Indexing.scalar(
      Tensor(try gather(tensor, start, axes.map(\.offsets)), shape: shape),
      from: origin?.picking(picks(parts, tensor), reorders: reorders))
  }

  /// The parts as the tensor's provenance takes them.
  private static func picks(_ parts: [Part], _ tensor: Tensor) -> [Provenance.Pick] {
    var axis = 0
    func place(_ value: Value, _ length: Int) -> Int {
      let index = value.integer ?? 0
      return index < 0 ? index + length : index
    }
    return parts.map { part in
      let length = axis < tensor.rank ? tensor.shape[axis] : 0
      axis += part.axisCount
      switch part {
      case .plain(.none): return .new
      case .plain(.slice(let slice)):
        return slice.indices(count: length).map { .range($0, of: length) } ?? .new
      case .plain(let value): return .place(place(value, length))
      // Several axes of positions are no axis of the tensor any more.
      case .positions(_, let shape) where shape.count != 1: return .mask(axes: 1)
      case .positions(let values, _):
        return .places(values.map { place($0, length) })
      case .mask(let mask): return .mask(axes: mask.rank)
      }
    }
  }

  // MARK: Parts

  /// One part of an index between its commas.
  fileprivate enum Part {
    /// A whole number, a slice or `None`.
    case plain(Value)
    case positions([Value], shape: [Int])
    case mask(Tensor)

    /// How many axes of the tensor it takes.
    var axisCount: Int {
      switch self {
      case .plain(.none): 0
      case .plain, .positions: 1
      case .mask(let mask): mask.rank
      }
    }

    init(_ value: Value) throws {
      switch value {
      case .object(let object as DiscreteTensor):
        switch object.kind {
        case .mask: self = .mask(object.numbers)
        case .positions:
          self = .positions(
            object.numbers.elements.map { .integer(Int($0)) }, shape: object.numbers.shape)
        }
      case .list, .range:
        let values = try Sequences.values(of: value, limit: 10_000_000)
        let truths = values.compactMap { value -> Float? in
          if case .bool(let truth) = value { truth ? 1 : 0 } else { nil }
        }
        if !values.isEmpty, truths.count == values.count {
          self = .mask(Tensor(truths, shape: [truths.count]))
        } else {
          self = .positions(values, shape: [values.count])
        }
      default:
        if value.tensor != nil {
          throw RuntimeFailure(
            .type, "\(value.inMessage) is no index",
            hint: "a comparison gives a mask, as in x[x > 0.5]; positions are a list of whole "
              + "numbers, or what argsort gives")
        }
        self = .plain(value)
      }
    }
  }

  /// The parts of an index, with a slice for every axis that it does not name.
  private static func filled(_ place: Value, _ tensor: Tensor) throws -> [Part] {
    var values = [place]
    if case .tuple(let several) = place { values = several }
    let dots = values.indices.filter { if case .ellipsis = values[$0] { true } else { false } }
    guard dots.count <= 1 else {
      throw RuntimeFailure(.index, "an index may have one '...' only")
    }
    if let dot = dots.first { values.remove(at: dot) }
    var parts = try values.map { try Part($0) }
    let used = parts.reduce(0) { $0 + $1.axisCount }
    guard used <= tensor.rank else {
      throw RuntimeFailure(
        .index, "\(used) indices for a tensor of shape \(tensor.shape)",
        notes: ["it has \(tensor.rank) \(tensor.rank == 1 ? "axis" : "axes")"])
    }
    let picks = parts.filter { if case .plain = $0 { false } else { true } }
    guard picks.count <= 1 else {
      throw RuntimeFailure(.index, "an index may hold one list of positions or one mask only")
    }
    let whole = Part.plain(.slice(SliceValue(start: nil, stop: nil, step: nil)))
    let fill = Array(repeating: whole, count: tensor.rank - used)
    parts.insert(contentsOf: fill, at: dots.first ?? parts.count)
    return parts
  }

  private static func position(_ value: Value, _ axis: Int, _ tensor: Tensor) throws -> Int {
    guard case .integer(let index) = value else {
      throw RuntimeFailure(
        .type,
        "a tensor is indexed by whole numbers, slices, lists, masks, None and ..., not "
          + value.inMessage)
    }
    let length = tensor.shape[axis]
    let position = index < 0 ? index + length : index
    guard position >= 0, position < length else {
      throw RuntimeFailure(
        .index, "index \(index) is outside axis \(axis) of shape \(tensor.shape)",
        notes: [length == 0 ? "the axis is empty" : "the last index of that axis is \(length - 1)"])
    }
    return position
  }

  /// Where a mask is true, as distances from the first element.
  private static func offsets(
    of mask: Tensor, _ axis: Int, _ tensor: Tensor, _ strides: [Int]
  ) throws -> [Int] {
    let covered = Array(tensor.shape[axis..<axis + mask.rank])
    guard mask.shape == covered else {
      throw RuntimeFailure(
        .shape,
        "a mask of shape \(mask.shape) does not fit a tensor of shape \(tensor.shape)",
        notes: ["here it must have shape \(covered)"])
    }
    // Axes next to each other: their elements lie one stride of the last apart.
    let step = mask.rank == 0 ? 0 : strides[axis + mask.rank - 1]
    try MemoryGate.take(mask.count, of: 8, for: "the places of a mask of shape \(mask.shape)")
    var offsets: [Int] = []
    Stop.parts(of: mask.count, size: 1 << 16) { part in
      for place in part where mask.elements[place] != 0 { offsets.append(place * step) }
    }
    try Stop.check()
    return offsets
  }

  private static func gather(_ tensor: Tensor, _ start: Int, _ offsets: [[Int]]) throws -> [Float] {
    let total = offsets.reduce(1) { $0 * $1.count }
    guard total > 0 else { return [] }
    guard let inner = offsets.last else { return [tensor.elements[start]] }
    var elements: [Float] = []
    elements.reserveCapacity(total)
    var places = [Int](repeating: 0, count: offsets.count)
    var asked = 0
    while true {
      var base = start
      for axis in 0..<(offsets.count - 1) { base += offsets[axis][places[axis]] }
      Stop.parts(of: inner.count) { part in
        for offset in inner[part] { elements.append(tensor.elements[base + offset]) }
      }
      if elements.count - asked >= 1 << 16 {
        asked = elements.count
        try Stop.check()
      }
      var axis = offsets.count - 2
      while axis >= 0 {
        places[axis] += 1
        if places[axis] < offsets[axis].count { break }
        places[axis] = 0
        axis -= 1
      }
      if axis < 0 {
        try Stop.check()
        return elements
      }
    }
  }
}

extension [TensorIndex.Part] {
  /// Whether a slice or `None` lies between a whole number and the positions or mask at `picked`.
  fileprivate func separatesWholeNumbers(from picked: Int) -> Bool {
    let advanced = indices.filter { index in
      switch self[index] {
      case .plain(.none), .plain(.slice): false
      case .plain, .positions, .mask: true
      }
    }
    guard let first = advanced.first, let last = advanced.last else { return false }
    return advanced.count > 1 && last - first + 1 > advanced.count
  }
}
