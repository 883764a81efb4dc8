internal import Tensors

/// The tensors that stand for one quantized weight in a file, in one of the published packings.
///
/// GPTQ writes `X.qweight`, `X.qzeros`, `X.scales` and mostly `X.g_idx` for `X.weight`; quanto writes
/// `X.weight._data` and `X.weight._scale`.
package struct PackedWeight {
  private enum Packing {
    case gptq, quanto
  }

  private let tensors: TensorCollection
  private let packing: Packing
  /// The weight's name without `.weight` for GPTQ, the whole for quanto.
  private let base: String
  /// Where the integers stand.
  private let integers: Int

  /// The packed tensors for the weight called `name`, if the file has any.
  init?(_ name: String, in tensors: TensorCollection) {
    self.tensors = tensors
    let layer = Self.layer(of: name)
    if let place = tensors.place("\(name)._data") {
      (packing, base, integers) = (.quanto, name, place)
    } else if let place = tensors.place("\(layer).qweight") {
      (packing, base, integers) = (.gptq, layer, place)
    } else {
      return nil
    }
  }

  /// The name of the layer that a weight belongs to.
  package static func layer(of name: String) -> String {
    name.hasSuffix(".weight") ? String(name.dropLast(".weight".count)) : name
  }

  /// The shape that the weight has, where the parts tell.
  var shape: [Int]? {
    let found = tensors.entries[integers].shape
    guard packing == .gptq else { return found }
    guard found.count == 2, let zeros = tensors["\(base).qzeros"]?.shape, zeros.count == 2 else {
      return nil
    }
    if let order = tensors["\(base).g_idx"]?.shape, order.count == 1 {
      return [found[1], order[0]]
    }
    return [4, 8].first { zeros[1] == words(for: found[1], bits: $0) }
      .map { [found[1], found[0] * 32 / $0] }
  }

  /// Where everything stands that belongs to the weight and that nobody else asks for.
  var places: [Int] {
    switch packing {
    case .gptq:
      let parts = ["qweight", "qzeros", "scales", "g_idx"]
      return parts.compactMap { tensors.place("\(base).\($0)") } + zeroBias
    case .quanto:
      let layer = Self.layer(of: base)
      // Scales of activations, which stay as they are here.
      let names = [
        "\(base)._data", "\(base)._scale", "\(layer).input_scale", "\(layer).output_scale",
      ]
      return names.compactMap { tensors.place($0) }
    }
  }

  /// The bias that the packing adds to layers that have none: zeros.
  private var zeroBias: [Int] {
    guard let place = tensors.place("\(base).bias"), let bias = try? tensors.tensor("\(base).bias"),
      bias.tensor.elements.allSatisfy({ $0 == 0 })
    else { return [] }
    return [place]
  }

  /// The weight, of which nothing is copied that can be used as it lies.
  func weight(shape: [Int]) throws(CheckpointError) -> StoredTensor {
    switch packing {
    case .gptq: StoredTensor(try grouped(shape: shape))
    case .quanto: try rows(shape: shape)
    }
  }

  private func rows(shape: [Int]) throws(CheckpointError) -> StoredTensor {
    let data = "\(base)._data"
    let bytes = try part(data, shape: shape, types: [.int8])
    let outputs = shape.first ?? 1
    let scales = try numbers("\(base)._scale")
    guard scales.count == outputs, scales.shape.first == outputs else {
      throw .wrongShape(
        source: source("\(base)._scale"), key: "\(base)._scale",
        expected: [outputs] + shape.dropFirst().map { _ in 1 }, found: scales.shape)
    }
    let inputs = shape.dropFirst().reduce(1, *)
    let matrix = QuantizedMatrix(
      outputs: outputs, inputs: inputs, parts: .rows(integers: bytes, scales: scales.elements))
    return StoredTensor(matrix).reshaped(to: shape)
  }

  private func grouped(shape: [Int]) throws(CheckpointError) -> QuantizedMatrix {
    let (integers, zeros, scales) = ("\(base).qweight", "\(base).qzeros", "\(base).scales")
    guard shape.count == 2 else {
      throw .wrongShape(
        source: source(integers), key: integers, expected: shape,
        found: tensors.entries[self.integers].shape)
    }
    let (outputs, inputs) = (shape[0], shape[1])
    let found = tensors.entries[self.integers].shape
    let zeroWords = tensors[zeros]?.shape.last
    // The file does not say how many bits: the sizes do.
    let bits =
      [4, 8].first {
        found == [words(for: inputs, bits: $0), outputs]
          && (zeroWords == nil || zeroWords == words(for: outputs, bits: $0))
      } ?? 4
    let packed = try part(
      integers, shape: [words(for: inputs, bits: bits), outputs], types: [.int32, .uint32])
    guard let scalesEntry = tensors[scales] else { throw needs(scales) }
    let groups = scalesEntry.shape.first ?? 0
    guard groups <= max(1, inputs) else {
      throw .packing(
        source: source(scales), key: scales, detail: "has \(groups) groups for \(inputs) inputs")
    }
    let scaleBytes = try part(
      scales, shape: [groups, outputs], types: [.float16, .bfloat16, .float32])
    let grouping = try grouping(inputs: inputs, groups: groups, each: 32 / bits)
    let isBFloat = scalesEntry.type == .bfloat16
    let zeroBytes = try part(
      zeros, shape: [groups, words(for: outputs, bits: bits)], types: [.int32, .uint32])
    let parts = QuantizedMatrix.GroupParts(
      bits: bits, groupSize: grouping.size,
      words: grouping.order.map {
        QuantizedMatrix.reordered(packed, by: $0, outputs: outputs, bits: bits)
      } ?? packed,
      zeros: zeroBytes, scales: isBFloat ? try widened(scales) : scaleBytes,
      scalesAreWide: scalesEntry.type != .float16, order: grouping.order)
    return QuantizedMatrix(outputs: outputs, inputs: inputs, parts: .groups(parts))
  }

  /// How many inputs a group has, and the order that makes groups of neighbours, if that is another.
  private func grouping(
    inputs: Int, groups: Int, each: Int
  ) throws(CheckpointError) -> (size: Int, order: [Int32]?) {
    let scales = "\(base).scales"
    guard groups > 0 || inputs == 0 else {
      throw .packing(source: source(scales), key: scales, detail: "has no groups")
    }
    let name = "\(base).g_idx"
    guard tensors[name] != nil else {
      let sizes = [16, 32, 64, 128, 256, 512, 1024] + [inputs]
      let size = sizes.first {
        $0 > 0 && ($0 == inputs || inputs.isMultiple(of: $0))
          && (inputs + $0 - 1) / $0 == groups
      }
      guard let size else {
        throw .packing(
          source: source(scales), key: scales,
          detail: "has \(groups) groups for \(inputs) inputs, and there is no '\(name)' to say how")
      }
      return (size, nil)
    }
    let index = try tensors.integers(name)
    guard index.shape == [inputs] else {
      throw .wrongShape(source: source(name), key: name, expected: [inputs], found: index.shape)
    }
    var counts = [Int](repeating: 0, count: groups)
    for group in index.elements {
      guard group >= 0 && group < groups else {
        throw .packing(
          source: source(name), key: name,
          detail: "names group \(group), but '\(scales)' has groups 0 to \(groups - 1)")
      }
      counts[group] += 1
    }
    let size = max(1, counts.first ?? 1)
    // Only the last group may be smaller; others start at a whole word.
    let isRegular =
      counts.dropLast().allSatisfy { $0 == size } && (counts.last ?? 0) <= size
      && (counts.last ?? 1) > 0 && (groups <= 1 || size.isMultiple(of: each))
    guard isRegular else {
      throw .packing(
        source: source(name), key: name,
        detail:
          "makes groups of unequal sizes (\(Set(counts).sorted().prefix(3))…), expected groups "
          + "of one size, a multiple of \(each)")
    }
    if index.elements.indices.allSatisfy({ index.elements[$0] == $0 / size }) { return (size, nil) }
    let order = index.elements.indices.sorted {
      (index.elements[$0], $0) < (index.elements[$1], $1)
    }
    return (size, order.map(Int32.init))
  }

  private func words(for count: Int, bits: Int) -> Int { (count * bits + 31) / 32 }

  /// The bytes of a part, which must be there in one of `types` and of `shape`.
  private func part(
    _ name: String, shape: [Int], types: [StoredType]
  ) throws(CheckpointError) -> StoredBytes {
    guard let place = tensors.place(name) else { throw needs(name) }
    let entry = tensors.entries[place]
    guard types.contains(entry.type), let bytes = try tensors.bytes(at: place) else {
      throw .wrongType(
        source: source(name), key: name, expected: types.map(\.rawValue).joined(separator: " or "),
        found: entry.type.rawValue)
    }
    guard entry.shape == shape else {
      throw .wrongShape(source: source(name), key: name, expected: shape, found: entry.shape)
    }
    return bytes
  }

  private func numbers(_ name: String) throws(CheckpointError) -> Tensor {
    guard tensors[name] != nil else { throw needs(name) }
    return try tensors.tensor(name).tensor
  }

  /// Float32 copies of scales in a type that the kernels do not read.
  private func widened(_ name: String) throws(CheckpointError) -> StoredBytes {
    let scales = try numbers(name)
    return StoredBytes(count: scales.count * 4) { out in
      scales.elements.withUnsafeBytes {
        out.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(out), byteCount: $0.count)
      }
    }
  }

  private func needs(_ name: String) -> CheckpointError {
    let key = tensors.names[integers]
    return .packing(
      source: source(key), key: key, detail: "needs '\(name)', which the file does not have")
  }

  private func source(_ name: String) -> String {
    tensors.place(name).map(tensors.source(of:)) ?? tensors.source
  }
}
