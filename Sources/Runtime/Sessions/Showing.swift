internal import Budget
internal import Foundation
internal import Tensors

/// What the prompt prints of a value.
enum Showing {
  /// The text after a cell; nil where there is nothing to say.
  static func shown(_ value: Value, name: String?) -> String? {
    switch value {
    case .none: return nil
    case .tensor(let tensor, let origin): return self.tensor(tensor, name: name ?? origin?.ownName)
    case .object(let object): return object.shown
    case .command(let command):
      return "\(command.usage)\n  \(command.summary) More: help(\(command.name))"
    case .function: return help(value)
    default:
      let text = Representation.begun(value, quoted: true, limit: 4 * 4000)
      guard text.unicodeScalars.count > 4000 else { return text }
      let count = (try? Sequences.count(value)).map { ", \($0) elements" } ?? ""
      return text.prefix(2000) + " … " + end(of: value).suffix(500)
        + "\n(\(value.typeName)\(count))"
    }
  }

  /// The end of a long value's text.
  ///
  /// An element has a character at least, so the last 500 hold it.
  private static func end(of value: Value) -> String {
    switch value {
    case .list(let list): Value.newList(list.values.suffix(500)).represented
    case .tuple(let values): Value.tuple(values.suffix(500)).represented
    case .dictionary(let mapping): Value.dictionary(mapping.ending(500)).represented
    default: value.represented
    }
  }

  /// The text that `print` and `str` give: tensors and objects as shown, all else as Python's.
  ///
  /// - Throws: `MemoryShortage`; `CancellationError`.
  static func printed(_ value: Value, in session: Session) throws -> String {
    switch value {
    case .tensor(let tensor, let origin): return self.tensor(tensor, name: origin?.ownName)
    case .object(let object): return object.shown
    default: return try Representation.text(of: value, quoted: false, session)
    }
  }

  static func help(_ value: Value) -> String {
    switch value {
    case .command(let command): return command.helpText
    case .function(let function):
      let head = function.usage
      return function.summary.isEmpty ? head : head + "\n  " + function.summary
    default:
      let names = Attributes.names(of: value)
      let head = "\(value.inMessage): \(Wording.article(value.typeName)) \(value.typeName)"
      return names.isEmpty ? head : head + "\n  it has " + names.joined(separator: ", ")
    }
  }

  /// Name, shape, type, range, mean, non-finite elements and a picture of the distribution; small
  /// ones with their elements.
  static func tensor(_ tensor: Tensor, name: String?) -> String {
    let summary = Summary(tensor, binCount: 24)
    let shape = "[" + tensor.shape.map(String.init).joined(separator: ", ") + "]"
    var lines = ["\(name.map { "\($0)  " } ?? "")Tensor \(shape) float32"]
    if let range = summary.range {
      let broken =
        summary.nanCount + summary.infinityCount == 0
        ? "all finite" : "\(summary.nanCount) NaN, \(summary.infinityCount) infinite"
      lines.append(
        "  range \(short(Double(range.lowerBound))) … \(short(Double(range.upperBound)))"
          + "   mean \(short(summary.mean)) ± \(short(summary.standardDeviation))   \(broken)")
      if range.lowerBound < range.upperBound { lines.append("  \(picture(summary.histogram))") }
    } else if tensor.count == 0 {
      lines.append("  no elements")
    } else {
      lines.append("  \(summary.nanCount) NaN, \(summary.infinityCount) infinite, none finite")
    }
    if tensor.count > 0, tensor.count <= 64, tensor.rank <= 2 { lines += rows(tensor) }
    return lines.joined(separator: "\n")
  }

  private static func short(_ number: Double) -> String {
    if number.isNaN { return "nan" }  // which has a sign in C, and no meaning by it
    var text = String(format: "%.4g", number)
    if text == "-0" { text = "0" }
    return text
  }

  private static func picture(_ histogram: [Int]) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    let most = max(1, histogram.max() ?? 1)
    return String(
      histogram.map { count in
        count == 0 ? " " : bars[min(bars.count - 1, count * (bars.count - 1) / most)]
      })
  }

  private static func rows(_ tensor: Tensor) -> [String] {
    let texts = tensor.elements.map { short(Double($0)) }
    let width = texts.map(\.count).max() ?? 0
    let columns = max(1, tensor.shape.last ?? 1)
    guard columns <= 16 else { return [] }
    return stride(from: 0, to: texts.count, by: columns).map { start in
      let cells = texts[start..<start + columns].map {
        String(repeating: " ", count: width - $0.count) + $0
      }
      return "  [" + cells.joined(separator: "  ") + "]"
    }
  }
}

extension Value {
  /// What the prompt prints of the value: a long one by its beginning and end.
  public var glance: String { Showing.shown(self, name: nil) ?? plain }

  /// What the prompt prints of the value, as `print` gives it: tensors and objects as shown, all
  /// else as Python's.
  public var displayed: String {
    switch self {
    case .tensor(let tensor, let origin): Showing.tensor(tensor, name: origin?.ownName)
    case .object(let object): object.shown
    default: plain
    }
  }
}
