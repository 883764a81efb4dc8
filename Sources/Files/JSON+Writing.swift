extension JSON {
  /// The document as text: members in order, numbers as the shortest text that reads back equal.
  ///
  /// JSON has no infinite numbers and no NaN; they become `null`.
  ///
  /// - Parameter indented: one entry a line, two spaces a level; otherwise no white space.
  public func written(indented: Bool = false) -> String {
    String(decoding: bytes(indented: indented), as: UTF8.self)
  }

  /// The document as UTF-8; see `written`.
  public func bytes(indented: Bool = false) -> [UInt8] {
    var writer = Writer(indented: indented)
    writer.write(self, level: 0)
    return writer.output
  }

  private struct Writer {
    let indented: Bool
    var output: [UInt8] = []

    init(indented: Bool) { self.indented = indented }

    mutating func write(_ value: JSON, level: Int) {
      switch value {
      case .null: output += "null".utf8
      case .bool(let truth): output += (truth ? "true" : "false").utf8
      case .integer(let number): output += String(number).utf8
      case .number(let number): output += (number.isFinite ? String(number) : "null").utf8
      case .string(let text): write(text)
      case .array(let entries):
        list("[", "]", count: entries.count, level: level) { writer, index in
          writer.write(entries[index], level: level + 1)
        }
      case .object(let members):
        list("{", "}", count: members.count, level: level) { writer, index in
          writer.write(members.keys[index])
          writer.output += (writer.indented ? ": " : ":").utf8
          writer.write(members.values[index], level: level + 1)
        }
      }
    }

    private mutating func list(
      _ opening: String, _ closing: String, count: Int, level: Int,
      _ entry: (inout Writer, Int) -> Void
    ) {
      output += opening.utf8
      for index in 0..<count {
        if index > 0 { output.append(UInt8(ascii: ",")) }
        breakLine(level + 1)
        entry(&self, index)
      }
      if count > 0 { breakLine(level) }
      output += closing.utf8
    }

    private mutating func breakLine(_ level: Int) {
      guard indented else { return }
      output.append(0x0A)
      output.append(contentsOf: repeatElement(0x20, count: 2 * level))
    }

    private mutating func write(_ text: String) {
      output.append(0x22)
      for byte in text.utf8 {
        switch byte {
        case 0x22, 0x5C:
          output.append(0x5C)
          output.append(byte)
        case 0x0A: output += "\\n".utf8
        case 0x0D: output += "\\r".utf8
        case 0x09: output += "\\t".utf8
        case 0x08: output += "\\b".utf8
        case 0x0C: output += "\\f".utf8
        case 0..<0x20: output += "\\u00\(byte < 16 ? "0" : "")\(String(byte, radix: 16))".utf8
        default: output.append(byte)
        }
      }
      output.append(0x22)
    }
  }
}
