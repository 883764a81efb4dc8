public import Tensors

/// How the weights of a part of a model are kept and multiplied.
public enum Precision: String, Sendable, CaseIterable {
  /// As stored, multiplied in float32: exact.
  case float32
  /// Rounded to float16, multiplied in float32.
  case float16
  /// Rounded to bfloat16, multiplied in bfloat16.
  case bfloat16
  /// 8-bit integers with a scale a row.
  case int8
  /// The same, multiplied in bfloat16.
  case int8BFloat16 = "int8-bfloat16"
  /// 4-bit integers in groups of `Quantization.groupSize` inputs, each with a scale and a zero point.
  case int4
  /// The same, multiplied in bfloat16.
  case int4BFloat16 = "int4-bfloat16"

  /// Those that say how integers are kept, and nothing of how they are multiplied.
  public static let integers: [Precision] = [.int8, .int4]

  /// The precision that a person means by a word, as `ElementType` reads it, or `int8` and `int4`.
  public init?(word: String) {
    if let type = ElementType(word: word) {
      self.init(rawValue: type.rawValue)
      return
    }
    let word = word.lowercased()
    self.init(rawValue: word.hasPrefix("torch.") ? String(word.dropFirst(6)) : word)
  }

  /// Precisions by part of a model, as in `vision=int8,language=int4`.
  public static func byPart(_ words: String) throws(PrecisionListError) -> [String: Precision] {
    var chosen: [String: Precision] = [:]
    for entry in words.split(separator: ",", omittingEmptySubsequences: false) {
      let sides = entry.split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false
      ).map(String.init)
      guard sides.count == 2, !sides[0].isEmpty else { throw .notAPair(String(entry)) }
      guard let precision = Precision(word: sides[1]) else { throw .noPrecision(sides[1]) }
      guard chosen.updateValue(precision, forKey: sides[0]) == nil else { throw .twice(sides[0]) }
    }
    return chosen
  }

  /// How integers are made; nil where there are none.
  public var quantization: Quantization? {
    switch self {
    case .float32, .float16, .bfloat16: nil
    case .int8, .int8BFloat16: .int8
    case .int4, .int4BFloat16: .int4()
    }
  }

  /// How products are computed: integers are never rounded, what they are multiplied with may be.
  public var arithmetic: Arithmetic {
    switch self {
    case .bfloat16, .int8BFloat16, .int4BFloat16: .bfloat16
    case .float32, .float16, .int8, .int4: .float32
    }
  }

  /// The same, multiplied as `other` is.
  public func multiplied(as other: Precision) -> Precision {
    guard other.arithmetic == .bfloat16 else { return self }
    return self == .int8 ? .int8BFloat16 : self == .int4 ? .int4BFloat16 : self
  }

  /// How a model keeps a weight that is `stored` so in this precision, and in how many bytes; nil where it
  /// stays as it is, in the file's own pages.
  package func kept(_ stored: StoredTensor) -> (encoding: Encoding, byteCount: Int)? {
    switch (self, stored.encoding) {
    case (.float32, _), (.float16, .plain(.float16)), (.bfloat16, .plain(.bfloat16)),
      (.int8, .int8), (.int8BFloat16, .int8), (.int4, .groups(bits: 4, groupSize: _)),
      (.int4BFloat16, .groups(bits: 4, groupSize: _)):
      return nil
    // Integers stay: they are fewer bytes, and say the same.
    case (.float16, .int8), (.float16, .groups), (.bfloat16, .int8), (.bfloat16, .groups):
      return nil
    case (.bfloat16, .plain(.float16)) where Instructions.current.takeFloat16AsBFloat16: return nil
    case (.float16, .plain): return (.plain(.float16), stored.count * 2)
    case (.bfloat16, .plain): return (.plain(.bfloat16), stored.count * 2)
    case (.int8, _), (.int4, _), (.int8BFloat16, _), (.int4BFloat16, _):
      // A convolution's kernel keeps its numbers.
      guard stored.shape.count == 2, let quantization else { return nil }
      return (quantization.encoding, quantization.byteCount(shape: stored.shape))
    }
  }

  /// Whether a weight is stored as the integers that this precision asks for.
  package func isHeld(by stored: StoredTensor) -> Bool {
    if case .plain = stored.encoding { return false }
    return quantization != nil && kept(stored) == nil
  }

  /// A weight in this precision.
  func applied(to stored: StoredTensor) -> StoredTensor {
    guard let kept = kept(stored) else { return stored.computing(in: arithmetic) }
    if case .plain(let type) = kept.encoding {
      return stored.converted(to: type).computing(in: arithmetic)
    }
    return (quantization.map { stored.quantized(to: $0) } ?? stored).computing(in: arithmetic)
  }
}

/// Why a list of precisions by part cannot be read; the sentence goes on after what holds the list.
public enum PrecisionListError: Error, Equatable, CustomStringConvertible {
  /// An entry that is not a part and its precision.
  case notAPair(String)
  /// What stands for a precision and is none.
  case noPrecision(String)
  /// A part with two precisions.
  case twice(String)

  /// The sentence, without its beginning.
  public var description: String {
    switch self {
    case .notAPair(let entry):
      "must be a list such as vision=int8,language=int4, and has '\(entry)' in it"
    case .noPrecision(let word):
      "must be one of \(Precision.allCases.map(\.rawValue).joined(separator: ", ")) for each part, "
        + "not '\(word)'"
    case .twice(let part): "names the part '\(part)' twice"
    }
  }
}
