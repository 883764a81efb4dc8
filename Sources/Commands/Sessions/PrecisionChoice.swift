internal import Checkpoints
internal import Foundation
internal import Models
internal import Runtime

/// What the arguments `dtype` and `quantize` ask for.
enum PrecisionChoice {
  /// The precision of each part that is named; none where nothing was asked for.
  static func read(
    dtype: Value, quantize: String?, for folder: URL
  ) throws -> [String: Precision] {
    if let quantize {
      guard case .none = dtype else {
        throw ArgumentFailure(
          parameter: "quantize",
          "cannot go with dtype: both say how weights are kept",
          note: "to mix precisions, give dtype a dictionary such as "
            + "{\"vision\": \"bfloat16\", \"decoder\": \"\(quantize)\"}")
      }
      return try everywhere(precision(.text(quantize), orElse: nil), in: folder)
    }
    switch dtype {
    case .none: return [:]
    case .dictionary(let choices):
      let parts = try parts(of: folder)
      var chosen: [String: Precision] = [:]
      for (key, value) in choices.entries {
        guard let part = key.text, parts.contains(part) else {
          throw ArgumentFailure(
            parameter: "dtype", "names no part of this model: \(key.inMessage)",
            note: "its parts are \(parts.joined(separator: ", "))")
        }
        chosen[part] = try precision(value, orElse: nil)
      }
      return chosen
    default:
      return try everywhere(precision(dtype, orElse: "a dictionary of them by part"), in: folder)
    }
  }

  /// The precisions of a command line: `bfloat16`, or by part as `vision=bfloat16,decoder=int4`.
  static func read(words: String, for folder: URL) throws -> [String: Precision] {
    guard words.contains("=") else {
      return try everywhere(
        precision(.text(words), orElse: "one a part, as in vision=bfloat16,decoder=int4"),
        in: folder)
    }
    return try read(dtype: try byPart(words), quantize: nil, for: folder)
  }

  /// `vision=bfloat16,decoder=int4` as a dictionary.
  static func byPart(_ words: String) throws -> Value {
    let chosen: [String: Precision]
    do {
      chosen = try Precision.byPart(words)
    } catch { throw ArgumentFailure(parameter: "dtype", error.description) }
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

  /// - Parameter other: what may stand there instead of a precision.
  private static func precision(_ value: Value, orElse other: String?) throws -> Precision {
    let words = Precision.allCases.map(\.rawValue)
    guard let word = value.text, let precision = Precision(rawValue: word) else {
      throw ArgumentFailure(
        parameter: "dtype",
        "must be one of \(words.joined(separator: ", "))" + (other.map { ", or \($0)" } ?? "")
          + ", not " + value.inMessage)
    }
    return precision
  }
}
