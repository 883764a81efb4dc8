internal import Files
public import FoundationEssentials
internal import Glibc
public import Tensors

/// Tensors as comma-separated values, after RFC 4180 with `\n` between lines.
public enum CSV {
  /// Writes a tensor, whole or not at all.
  ///
  /// A matrix becomes a table: a header of column numbers, then a line for each row. Any other
  /// tensor becomes a list: a column for each axis, counted from 0, and the element last. Numbers
  /// have nine significant digits, which a float32 reads back from exactly.
  ///
  /// - Parameter axisNames: a name for each axis of a list; `axis0`, `axis1` … where there is none.
  /// - Throws: `.file`, when the disk is full or the place cannot be written.
  public static func write(
    _ tensor: Tensor, axisNames: [String] = [], to url: URL
  ) throws(CheckpointError) {
    do {
      var file = try Replacement(url.path(percentEncoded: false))
      if tensor.rank == 2 {
        try writeTable(tensor, to: &file)
      } else {
        try writeList(tensor, axisNames: axisNames, to: &file)
      }
      try file.finish()
    } catch { throw .file(error) }
  }

  /// What stands in a table's cell.
  public enum Cell: Sendable, Equatable {
    /// Text, which may begin as a formula does.
    case text(String)
    /// A number, its sign included, as it is written.
    case number(String)

    var written: String {
      switch self {
      case .text(let text): CSV.field(text)
      case .number(let digits): digits
      }
    }
  }

  /// Writes a table: a header and rows; see `field` for what is quoted.
  public static func write(
    header: [String], rows: [[Cell]], to url: URL
  ) throws(CheckpointError) {
    do {
      var file = try Replacement(url.path(percentEncoded: false))
      for row in [header.map(Cell.text)] + rows {
        try file.write(row.map(\.written).joined(separator: ",") + "\n")
      }
      try file.finish()
    } catch { throw .file(error) }
  }

  /// A cell of text: quoted where RFC 4180 asks for it, and with an apostrophe before what a
  /// spreadsheet would take for a formula.
  public static func field(_ text: String) -> String {
    let isFormula = text.unicodeScalars.first.map { "=+-@\t\r".unicodeScalars.contains($0) }
    let safe = isFormula == true ? "'" + text : text
    guard safe.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return safe }
    var quoted = "\""
    for scalar in safe.unicodeScalars {
      if scalar == "\"" { quoted += "\"" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }

  private static func writeTable(
    _ tensor: Tensor, to file: inout Replacement
  ) throws(FileFailure) {
    let (rows, columns) = (tensor.shape[0], tensor.shape[1])
    try file.write((0..<columns).map(String.init).joined(separator: ",") + "\n")
    for row in 0..<rows {
      var line = ""
      for column in 0..<columns {
        if column > 0 { line += "," }
        line += number(tensor.elements[row * columns + column])
        // A row may be all there is.
        if line.utf8.count > 1 << 16 {
          try file.write(line)
          line = ""
        }
      }
      try file.write(line + "\n")
    }
  }

  private static func writeList(
    _ tensor: Tensor, axisNames: [String], to file: inout Replacement
  ) throws(FileFailure) {
    let names = (0..<tensor.rank).map { $0 < axisNames.count ? field(axisNames[$0]) : "axis\($0)" }
    try file.write((names + ["value"]).joined(separator: ",") + "\n")
    var index = [Int](repeating: 0, count: tensor.rank)
    for element in tensor.elements {
      try file.write(index.map { "\($0)," }.joined() + number(element) + "\n")
      var axis = tensor.rank - 1
      while axis >= 0 {
        index[axis] += 1
        if index[axis] < tensor.shape[axis] { break }
        index[axis] = 0
        axis -= 1
      }
    }
  }

  /// `%.9g`, with not-a-number and infinity spelled `nan`, `inf` and `-inf`.
  static func number(_ value: Float) -> String {
    if value.isNaN { return "nan" }
    var buffer = [CChar](repeating: 0, count: 32)
    let length = withVaList([Double(value)]) { vsnprintf(&buffer, buffer.count, "%.9g", $0) }
    return buffer.withUnsafeBytes {
      String(decoding: $0.prefix(max(0, Int(length))), as: UTF8.self)
    }
  }
}
