internal import Checkpoints
internal import Foundation
internal import Language
internal import Models
internal import Runtime

/// What the arguments `dtype` and `quantize` ask for.
enum PrecisionChoice {
  /// The precision of each part that is named; none where nothing was asked for.
  ///
  /// Where both are given for a part, `quantize` says how its weights are kept, and `dtype` how they are
  /// multiplied.
  static func read(
    dtype: Value, quantize: Value = .none, for folder: URL
  ) throws -> [String: Precision] {
    let numbers = try read(dtype, "dtype", of: Precision.allCases, for: folder)
    let integers = try read(quantize, "quantize", of: Self.integers, for: folder)
    return try merged(numbers, integers)
  }

  private static func read(
    _ choice: Value, _ parameter: String, of known: [Precision], for folder: URL
  ) throws -> [String: Precision] {
    switch choice {
    case .none: return [:]
    case .dictionary(let choices):
      let parts = try parts(of: folder)
      var chosen: [String: Precision] = [:]
      for (key, value) in choices.entries {
        guard let part = key.text, parts.contains(part) else {
          throw ArgumentFailure(
            parameter: parameter, "names no part of this model: \(key.inMessage)",
            note: NearestName.hint(key.text ?? "", among: parts)
              ?? "its parts are \(parts.joined(separator: ", "))")
        }
        chosen[part] = try precision(value, parameter, of: known, for: part)
      }
      return chosen
    default:
      return try everywhere(
        precision(choice, parameter, of: known, orElse: "a dictionary of them by part"), in: folder)
    }
  }

  /// The precisions of a command line: `bfloat16`, or by part as `vision=bfloat16,language=int4`.
  static func read(dtype: String?, quantize: String?, for folder: URL) throws -> [String: Precision]
  {
    func read(_ words: String?, _ parameter: String, _ known: [Precision]) throws
      -> [String: Precision]
    {
      guard let words else { return [:] }
      if words.contains("=") {
        return try self.read(try byPart(words, parameter), parameter, of: known, for: folder)
      }
      return try everywhere(
        precision(
          .text(words), parameter, of: known,
          orElse: "one a part, as in vision=\(known.contains(.bfloat16) ? "bfloat16" : "int8"),"
            + "language=int4"),
        in: folder)
    }
    return try merged(
      read(dtype, "dtype", Precision.allCases), read(quantize, "quantize", Self.integers))
  }

  /// - Throws: where both say what integers a part's weights are to be.
  private static func merged(
    _ numbers: [String: Precision], _ integers: [String: Precision]
  ) throws -> [String: Precision] {
    try numbers.merging(integers) { number, integer in
      guard number.quantization == nil || number.quantization == integer.quantization else {
        throw ArgumentFailure(
          parameter: "quantize", "is \(integer.rawValue) where dtype is \(number.rawValue)",
          note: "dtype says how integers are multiplied: float32 or bfloat16")
      }
      return integer.multiplied(as: number)
    }
  }

  private static let integers = Precision.integers

  /// `vision=bfloat16,language=int4` as a dictionary.
  static func byPart(_ words: String, _ parameter: String = "dtype") throws -> Value {
    let chosen: [String: Precision]
    do {
      chosen = try Precision.byPart(words)
    } catch { throw ArgumentFailure(parameter: parameter, error.description) }
    return .dictionary(
      try Mapping.sorted(chosen.map { ($0, Value.text($1.rawValue)) }))
  }

  private static func everywhere(
    _ precision: Precision, in folder: URL
  ) throws -> [String: Precision] {
    Dictionary(uniqueKeysWithValues: try parts(of: folder).map { ($0, precision) })
  }

  private static func parts(of folder: URL) throws -> [String] {
    try Family.find(CheckpointFolder(folder)).family.parts.map(\.name)
  }

  /// - Parameters:
  ///   - part: the part that it is for, where that is one.
  ///   - other: what may stand there instead of a precision.
  private static func precision(
    _ value: Value, _ parameter: String, of known: [Precision], for part: String? = nil,
    orElse other: String? = nil
  ) throws -> Precision {
    let words = known.map(\.rawValue)
    guard let precision = value.text.flatMap({ Precision(word: $0) }), known.contains(precision)
    else {
      throw ArgumentFailure(
        parameter: parameter,
        "must be one of \(words.joined(separator: ", "))" + (other.map { ", or \($0)" } ?? "")
          + ", not " + value.inMessage + (part.map { " for \($0)" } ?? ""),
        note: NearestName.hint(value.text ?? "", among: words))
    }
    return precision
  }
}
