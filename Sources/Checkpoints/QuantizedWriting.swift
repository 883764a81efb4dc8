public import Files
public import Tensors

/// What files say beside their tensors about how those were quantized.
public enum QuantizationRecord {
  /// The file name under which quanto looks for its map of layers.
  public static let quantoMapName = "quanto_qmap.json"

  /// The names that the map has had, the present one first.
  public static let quantoMapNames = [quantoMapName, "quantization_map.json"]

  /// The file name under which GPTQ's tools look for their settings.
  public static let gptqSettingsName = "quantize_config.json"

  /// quanto's map: the layers with int8 weights, activations as they are.
  ///
  /// - Parameter layers: module paths, such as `language_model.model.decoder.layers.0.fc1`.
  public static func quantoMap(_ layers: [String]) -> JSON {
    .object(
      JSON.Object(
        layers.map { ($0, ["weights": .string("qint8"), "activations": .string("none")]) }
      ))
  }

  /// GPTQ's settings, also the member `quantization_config` of `config.json`.
  public static func gptqSettings(groupSize: Int, isReordered: Bool = false) -> JSON {
    [
      "bits": .integer(4), "group_size": .integer(groupSize), "damp_percent": .number(0.01),
      "desc_act": .bool(isReordered), "static_groups": .bool(false), "sym": .bool(false),
      "true_sequential": .bool(true), "quant_method": .string("gptq"),
      "checkpoint_format": .string("gptq"),
    ]
  }
}

extension Safetensors {
  /// The tensors that stand for `tensor`, which a model calls `name`, in a published file.
  ///
  /// A plain tensor stands for itself. Int8 rows become what quanto writes, integers in groups what
  /// GPTQ writes, bit for bit what is in memory. Both are read back by `WeightReader`.
  ///
  /// - Parameter scaleType: the type that rows' scales are written in, which has all of them.
  public static func published(
    _ tensor: StoredTensor, as name: String, scaleType: ElementType = .float32
  ) -> [(name: String, content: Content)] {
    guard let matrix = tensor.quantized else { return [(name, .stored(tensor))] }
    let layer = PackedWeight.layer(of: name)
    switch matrix.parts {
    case .rows(let integers, let scales):
      let shape = [matrix.outputs] + tensor.shape.dropFirst().map { _ in 1 }
      func typed(_ tensor: Tensor) -> Content {
        .stored(StoredTensor(tensor).converted(to: scaleType))
      }
      return [
        ("\(name)._data", .bytes(integers, .int8, shape: tensor.shape)),
        ("\(name)._scale", typed(Tensor(scales, shape: shape))),
        ("\(layer).input_scale", typed(Tensor(1))), ("\(layer).output_scale", typed(Tensor(1))),
      ]
    case .groups(let parts):
      let each = 32 / parts.bits
      let groups = (matrix.inputs + parts.groupSize - 1) / parts.groupSize
      var index = (0..<matrix.inputs).map { Int32($0 / parts.groupSize) }
      var words = parts.words
      if let order = parts.order {
        for (place, input) in order.enumerated() {
          index[Int(input)] = Int32(place / parts.groupSize)
        }
        words = QuantizedMatrix.reordered(
          words, by: order, isBackwards: true, outputs: matrix.outputs, bits: parts.bits)
      }
      let wordRows = (matrix.inputs + each - 1) / each
      let zeroWords = (matrix.outputs + each - 1) / each
      return [
        ("\(layer).qweight", .bytes(words, .int32, shape: [wordRows, matrix.outputs])),
        ("\(layer).qzeros", .bytes(parts.zeros, .int32, shape: [groups, zeroWords])),
        (
          "\(layer).scales",
          .bytes(
            parts.scales, parts.scalesAreWide ? .float32 : .float16,
            shape: [groups, matrix.outputs])
        ),
        ("\(layer).g_idx", .bytes(StoredBytes(index), .int32, shape: [matrix.inputs])),
      ]
    }
  }
}

extension Quantization {
  /// What `Safetensors.published` gives for a matrix of `shape` called `name`, before there is one:
  /// the name, number format and shape of each tensor, in the same order.
  public func publishedTensors(
    shape: [Int], as name: String, scaleType: ElementType = .float32
  ) -> [(name: String, type: StoredType, shape: [Int])] {
    let layer = PackedWeight.layer(of: name)
    let inputs = shape.dropFirst().reduce(1, *)
    switch self {
    case .int8:
      let type = StoredType(scaleType)
      return parts(shape: shape, as: name, type)
        + [("\(layer).input_scale", type, []), ("\(layer).output_scale", type, [])]
    case .int4:
      return parts(shape: shape, as: name) + [("\(layer).g_idx", .int32, [inputs])]
    }
  }

  /// How many bytes such a matrix takes in memory.
  func byteCount(shape: [Int]) -> Int {
    parts(shape: shape, as: "").reduce(0) { $0 + $1.shape.reduce($1.type.size, *) }
  }

  /// Those tensors that hold the matrix, without those that only say how to read it.
  private func parts(
    shape: [Int], as name: String, _ scaleType: StoredType = .float32
  ) -> [(name: String, type: StoredType, shape: [Int])] {
    let layer = PackedWeight.layer(of: name)
    let (outputs, inputs) = (shape[0], shape.dropFirst().reduce(1, *))
    switch self {
    case .int8:
      return [
        ("\(name)._data", .int8, shape),
        ("\(name)._scale", scaleType, [outputs] + shape.dropFirst().map { _ in 1 }),
      ]
    case .int4(let groupSize):
      let groups = (inputs + groupSize - 1) / groupSize
      return [
        ("\(layer).qweight", .int32, [(inputs + 7) / 8, outputs]),
        ("\(layer).qzeros", .int32, [groups, (outputs + 7) / 8]),
        ("\(layer).scales", .float16, [groups, outputs]),
      ]
    }
  }
}

extension StoredBytes {
  fileprivate init(_ numbers: [Int32]) {
    self.init(count: numbers.count * 4) { out in
      numbers.withUnsafeBytes {
        if let start = $0.baseAddress { out.copyMemory(from: start, byteCount: $0.count) }
      }
    }
  }
}
