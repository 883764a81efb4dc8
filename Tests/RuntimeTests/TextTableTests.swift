import Characters
import Language
import Runtime
import Testing

@Suite struct TextTableTests {
  static let columns = ["place", "verdict", "largest error", "shape", "what it is"]
  static let rows = (0..<4).map { row in
    [
      "vision.blocks.\(row).attention.pattern", "noise", "0.\(row)01308", "[3, 160, 160]",
      "Where each query looks, after softmax over the keys.",
    ]
  }

  private func table(_ width: Int?) -> String {
    TextTable(
      Self.columns, Self.rows, rightAligned: [false, false, true, false, false],
      importance: [0, 1, 4, 2, 3], width: width
    ).text
  }

  @Test(arguments: [12, 20, 33, 40, 57, 80, 100, 133])
  func aTableFitsTheScreen(_ width: Int) {
    let text = table(width)
    for line in text.split(separator: "\n") {
      #expect(line.displayWidth <= width, "\(line)")
      #expect(line.last != " ")
    }
    // The most important column is always there, and what is not is named.
    let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(text.hasPrefix("place") || text.contains("\nplace"))
    for column in ["shape", "verdict"] {
      #expect(words.contains(column), "\(width): \(column)")
    }
    #expect(words.contains("show(_, wide=True)") == words.contains("no room for"))
  }

  @Test func whereThereIsRoomNothingIsBroken() {
    let wide = table(200)
    #expect(wide == table(nil))
    #expect(wide.split(separator: "\n").count == 6 && !wide.contains("no room"))
    #expect(wide.contains(Self.rows[0][0]) && wide.contains(Self.rows[3][4]))
  }

  @Test func importanceDecidesWhatGoes() {
    let narrow = table(70)
    #expect(narrow.contains("what it is") && !narrow.contains("0.001308"))
    #expect(narrow.contains("no room for largest error, shape"))
  }

  @Test func numbersAreNeverCut() {
    let text = TextTable(
      ["a name that is long", "n"], [["somebody", "1234567890"]], rightAligned: [false, true],
      width: 24
    ).text
    #expect(text.contains("1234567890"))
  }

  @Test func columnsThatHoldNothingGoFirst() {
    let text = TextTable(
      ["name", "inside", "verdict"], [["vision.blocks.0", "", "noise"]], width: 28
    ).text
    #expect(!text.contains("inside") && text.contains("vision.blocks.0") && text.contains("noise"))
  }

  @Test func hostileCellsStayInTheirColumns() {
    let text = TextTable(
      ["a", "b"], [["\u{1B}[2J\n日本語の長い文です。ここで折れる", "x"]], width: 20
    ).text
    #expect(!text.contains("\u{1B}") && text.contains("⟨U+001B⟩"))
    for line in text.split(separator: "\n") { #expect(line.displayWidth <= 20, "\(line)") }
  }
}

@Suite struct FittedCodeTests {
  @Test(arguments: [22, 38, 60])
  func codeIsBrokenWhereALineEndMeansNothing(_ columns: Int) {
    let code =
      "answer = decode(soft, \"Question: what color is the cross? Answer:\", max_new_tokens=5)\n"
      + "q = \"Question: what color is the cross of the two? Answer:\"\n"
      + "f(['a b c d e f g h i j k l m n o p q'], {\"k\": [1, 2]})[\"part\"]"
    let lines = FittedCode.lines(code, columns: columns)
    #expect(
      Program(parsing: Source(name: "", text: lines.joined(separator: "\n"))).diagnostics.isEmpty)
    #expect(lines.allSatisfy { $0.count <= columns }, "\(lines)")
  }

  @Test func whatIsJoinedAgainIsTheSame() {
    let code = "print(\"one two  three \\\" four five six seven eight\", [1, 2, (3, 4)], 'x y')"
    var outputs: [String] = []
    for columns in [16, 20, 31, 200] {
      let output = Output()
      let session = Session(output: { output.write($0) })
      let text = FittedCode.lines(code, columns: columns).joined(separator: "\n")
      #expect(session.run(Source(name: "", text: text)).succeeded, "\(text)")
      outputs.append(output.text)
    }
    #expect(Set(outputs).count == 1, "\(outputs)")
  }

  @Test func whatCannotBeBrokenStays() {
    #expect(
      FittedCode.lines("a_long_name_alone.attribute.other", columns: 10)
        == ["a_long_name_alone.attribute.other"])
    #expect(FittedCode.lines("f(1)  # a comment that is long", columns: 10).count == 1)
  }
}
