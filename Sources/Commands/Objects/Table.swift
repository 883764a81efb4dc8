internal import Budget
internal import Characters
internal import Checkpoints
internal import Foundation
internal import Runtime
internal import Tensors

/// Rows of values under named columns.
struct Table: ForeignObject {
  let columns: [String]
  let rows: [[Value]]
  /// A line under the table.
  var note: String?
  /// Tables that are shown with it, under it.
  var below: [Table] = []
  /// A column of sentences: one that is too long for its cell is shown up to its colon there, and
  /// whole under the table.
  var toldBelow: String?
  /// The columns in the order in which a narrow screen gives them up, the last to go first; those that
  /// are not named go before all others.
  var importance: [String] = []
  /// More that is known, by the attribute's name.
  var facts: [(name: String, value: Value)] = []

  init(_ columns: [String], _ rows: [[Value]], note: String? = nil) {
    (self.columns, self.rows, self.note) = (columns, rows, note)
  }

  var typeName: String { "Table" }
  var brief: String {
    "Table of \(rows.count.counted(as: "row")): \(columns.joined(separator: ", "))"
  }

  /// The most rows that are shown.
  static let shownLimit = 1000

  var shown: String {
    let rows = rows.prefix(Self.shownLimit)
    var cells = rows.map { $0.map(Self.cell) }
    let told = tellBelow(&cells)
    let right = columns.indices.map { column in rows.allSatisfy { $0[column].number != nil } }
    let more = self.rows.count - rows.count
    let order = importance.compactMap { columns.firstIndex(of: $0) }
    let table = TextTable(
      columns, cells, rightAligned: right,
      importance: order + columns.indices.filter { !order.contains($0) })
    return table.text
      + (more > 0
        ? "\nand \(more.counted(as: "more row")); save(_, \"table.csv\") writes all of them" : "")
      + (told + [note].compactMap { $0 }).map { "\n\($0)" }.joined()
      + below.map { "\n\n\($0.shown)" }.joined()
  }

  /// The most columns of the screen that a cell of `toldBelow` takes.
  private static let toldLimit = 60

  /// The lines under the table for cells that are too long, and shortens those.
  private func tellBelow(_ cells: inout [[String]]) -> [String] {
    // On a screen a sentence is broken where it stands.
    guard Screen.columns == nil, let column = columns.firstIndex(where: { $0 == toldBelow }) else {
      return []
    }
    var told: [String] = []
    for row in cells.indices where cells[row][column].displayWidth > Self.toldLimit {
      told.append("\(cells[row][0]): \(cells[row][column])".visibleOnOneLine)
      cells[row][column] = String(cells[row][column].prefix { $0 != ":" })
    }
    return told
  }

  /// How a cell shows: numbers in a few digits.
  private static func cell(_ value: Value) -> String {
    if case .float(let number) = value { return Digits.short(number) }
    return value.plain
  }

  /// Writes columns and rows, numbers in full and texts uncut.
  func writeCSV(to url: URL) throws {
    let cells = try rows.map { row in
      try Stop.check()
      return row.map { value -> CSV.Cell in
        value.number == nil ? .text(value.plain) : .number(value.plain)
      }
    }
    try CSV.write(header: columns, rows: cells, to: url)
  }

  var attributeNames: [String] { ["columns", "rows"] + facts.map(\.name) }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "columns": .texts(columns)
    case "rows": .newList(rows.map { .tuple($0) })
    default: facts.first { $0.name == attribute }?.value
    }
  }

  var elementCount: Int? { rows.count }
  var elementNames: [String] { columns }

  func element(_ index: Value) throws -> Value? {
    if let name = index.text {
      guard let column = columns.firstIndex(of: name) else {
        throw RuntimeFailure(
          .key, "the table has no column '\(name)'",
          hint: NearestPlace.hint(name, among: columns))
      }
      return .newList(rows.map { $0[column] })
    }
    if case .slice(let slice) = index {
      guard let range = slice.indices(count: rows.count) else { return nil }
      return .object(picking((0..<range.count).map { range[$0] }))
    }
    if let mask = index.mask {
      guard mask.shape == [rows.count] else {
        throw RuntimeFailure(
          .shape,
          "a mask of shape \(mask.shape) does not fit a table of \(rows.count.counted(as: "row"))")
      }
      return .object(picking(rows.indices.filter { mask.elements[$0] != 0 }))
    }
    if let numbers = index.wholeNumbers {
      return .object(picking(try numbers.map(row)))
    }
    guard let number = index.integer else { return nil }
    let place = try row(number)
    let mapping = Mapping()
    for (column, value) in zip(columns, rows[place]) { try mapping.set(.text(column), to: value) }
    return .dictionary(mapping)
  }

  /// Some of its rows; what is said of all of them does not go with them.
  private func picking(_ places: [Int]) -> Table {
    var part = Table(columns, places.map { rows[$0] })
    (part.toldBelow, part.importance) = (toldBelow, importance)
    return part
  }

  /// The place of a row, counted from the end where the number is negative.
  private func row(_ number: Int) throws -> Int {
    let place = number < 0 ? number + rows.count : number
    guard rows.indices.contains(place) else {
      throw RuntimeFailure(
        .index, "row \(number) is outside a table of \(rows.count.counted(as: "row"))",
        notes: rows.isEmpty ? [] : ["the last row is \(rows.count - 1)"])
    }
    return place
  }
}

/// Numbers in a few digits.
enum Digits {
  /// At most four significant digits; scientific where that is shorter.
  static func short(_ number: Double) -> String {
    guard number.isFinite else { return number.isNaN ? "nan" : number < 0 ? "-inf" : "inf" }
    if number == number.rounded(), abs(number) < 1e6 { return "\(Int(number))" }
    let size = abs(number)
    if size >= 1e5 || size < 1e-3 {
      let exponent = Int(floorLog10(size))
      let mantissa = (number / power10(exponent) * 100).rounded() / 100
      return abs(mantissa) == 10 ? "\(mantissa / 10)e\(exponent + 1)" : "\(mantissa)e\(exponent)"
    }
    let places = max(0, 3 - Int(floorLog10(size)))
    let factor = power10(places)
    return "\((number * factor).rounded() / factor)"
  }

  private static func floorLog10(_ number: Double) -> Double {
    var (exponent, rest) = (0.0, number)
    while rest >= 10 { (rest, exponent) = (rest / 10, exponent + 1) }
    while rest < 1 { (rest, exponent) = (rest * 10, exponent - 1) }
    return exponent
  }

  private static func power10(_ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<abs(exponent) { result *= 10 }
    return exponent < 0 ? 1 / result : result
  }
}
