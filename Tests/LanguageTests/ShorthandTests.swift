import Language
import Testing

@Suite struct ShorthandTests {
  static let commands: [String: [Shorthand.Parameter]] = [
    "patchify": [Shorthand.Parameter("pixels", .expression)],
    "attention": [
      Shorthand.Parameter("source", .expression), Shorthand.Parameter("block", .expression),
      Shorthand.Parameter("head", .expression),
    ],
    "load": [Shorthand.Parameter("path", .word), Shorthand.Parameter("dtype", .word)],
    "decode": [
      Shorthand.Parameter("soft", .expression), Shorthand.Parameter("prompt", .sentence),
      Shorthand.Parameter("max_new_tokens", .expression),
    ],
  ]

  struct Case: Sendable, CustomTestStringConvertible {
    let line: String
    let full: String?
    init(_ line: String, _ full: String?) { (self.line, self.full) = (line, full) }
    var testDescription: String { line }
  }

  static let cases = [
    Case("patchify pixels", "patchify(pixels)"),
    Case("patchify pixels;", "patchify(pixels);"),
    Case("attention vision block=3 head=2", "attention(vision, block=3, head=2)"),
    Case("attention vision 3", "attention(vision, 3)"),
    Case("attention f(x, 1) block=[1, 2]", "attention(f(x, 1), block=[1, 2])"),
    Case("load ~/models/blip2 dtype=bfloat16", "load(\"~/models/blip2\", dtype=\"bfloat16\")"),
    Case("load /models/blip2", "load(\"/models/blip2\")"),
    Case("load / models", nil),
    Case("patchify /models", nil),
    Case("load \"my models\" bfloat16", "load(\"my models\", \"bfloat16\")"),
    Case(
      "decode soft Question: what colour? Answer: max_new_tokens=20",
      "decode(soft, \"Question: what colour? Answer:\", max_new_tokens=20)"),
    Case("decode soft what's that", "decode(soft, \"what's that\")"),
    Case("decode soft say \"hi\"", "decode(soft, \"say\", \"hi\")"),
    Case("decode soft None", "decode(soft, None)"),
    Case("decode soft names", "decode(soft, names)"),
    Case("decode soft names of things", "decode(soft, \"names of things\")"),
    Case("decode soft names[0].text", "decode(soft, names[0].text)"),
    Case("decode soft name", "decode(soft, \"name\")"),
    Case("decode soft [\"a star\", names] 3", "decode(soft, [\"a star\", names], 3)"),
    Case("decode f(3) [names", "decode(f(3), \"[names\")"),
    Case("decode soft patchify(names)", "decode(soft, patchify(names))"),
    Case("decode soft other(names)", "decode(soft, \"other(names)\")"),
    Case("decode soft prompt=names", "decode(soft, prompt=names)"),
    Case("patchify(pixels)", nil),
    Case("patchify", nil),
    Case("patchify -3", nil),
    Case("patchify in x", nil),
    Case("other pixels", nil),
    Case("patchify = 3", nil),
    Case("patchify +", nil),
  ]

  @Test(arguments: cases) func aShortLineMeansItsFullForm(_ line: Case) {
    let full = Shorthand.expanded(line.line, isVariable: { $0 == "names" }) { Self.commands[$0] }
    #expect(full == line.full)
  }
}

@Suite struct CompletenessTests {
  @Test(arguments: [
    "x = (1,", "x = [", "if x:", "def f(a):\n    return a", "x = \"\"\"abc", "x = 1 + \\",
    "for i in x:\n    y = i", "f(\n", "if x:\n    y = 1\nelse:",
  ]) func anOpenTextWantsMore(_ text: String) { #expect(Program.isIncomplete(text)) }

  @Test(arguments: [
    "x = 1", "", "f(1)", "x = )", "if x:\n    y = 1\n", "def f(a):\n    return a\n", "x = \"abc",
    "if x: y = 1", "x = \"\"\"abc\"\"\"", "# a comment",
  ]) func aClosedTextWantsNoMore(_ text: String) { #expect(!Program.isIncomplete(text)) }
}

@Suite struct ParserTests {
  struct Huge: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    var testDescription: String { name }

    init(_ opening: String, count: Int = 50_000, _ closing: String = "") {
      name = opening
      text = String(repeating: opening, count: count) + closing
    }

    init(name: String, text: String) { (self.name, self.text) = (name, text) }
  }

  static let huge = [
    Huge("("), Huge("["), Huge("-", "1"), Huge("not ", "x"), Huge("1 + ", "1"), Huge("x.a()", ""),
    Huge("lambda: ", "1"), Huge("1 if x else ", "1"), Huge("2 ** ", "1"), Huge("{1: "),
    Huge("f(", "1"), Huge("x[", "1"), Huge("f\"{", count: 1_000), Huge("f'{\"", count: 1_000),
    Huge("a = ", count: 10_000), Huge("[x for x in ", count: 10_000),
    Huge(
      name: "blocks",
      text: (0..<1_000).map { String(repeating: " ", count: $0) + "if x:\n" }.joined()),
    Huge(
      name: "broken blocks",
      text: (0..<1_000).map { String(repeating: " ", count: $0) + "if x y:\n" }.joined()),
  ]

  @Test(arguments: huge) func aHugeTextIsRefusedNotFatal(_ huge: Huge) {
    let program = Program(parsing: Source(name: "a", text: huge.text))
    #expect(!program.diagnostics.isEmpty)
    for diagnostic in program.diagnostics.prefix(10) { #expect(diagnostic.drawn().count < 2_000) }
  }

  @Test func everyPrefixAndEveryDamageParsesWithoutATrap() {
    let text = """
      def f(a, b=2):
          '''doc'''
          for i, (j, k) in zip(a, "b"):
              if i > 1 and not j or k is None: x[i, ..., ::2] += f"{i:>{b}.2f}{{}}"
              elif i in {1: [2, 3]}: return lambda q: q ** -1.5e3
              else:
                  assert i == 1, "no"
          while True: break
      y = [a for a in range(3) if a]; f(1, b=2)?
      %time f(1)

      """
    let bytes = Array(text.utf8)
    for end in bytes.indices {
      let cut = String(decoding: bytes[..<end], as: UTF8.self)
      let program = Program(parsing: Source(name: "a", text: cut))
      for diagnostic in program.diagnostics { #expect(!diagnostic.drawn().isEmpty) }
      _ = Program.isIncomplete(cut)
    }
    for place in bytes.indices {
      for byte in "(]}'\"\\\n:;=,*%{.\t é".utf8 {
        var damaged = bytes
        damaged[place] = byte
        let program = Program(
          parsing: Source(name: "a", text: String(decoding: damaged, as: UTF8.self)))
        for diagnostic in program.diagnostics {
          #expect(diagnostic.range.start <= diagnostic.range.end)
          _ = diagnostic.drawn()
        }
      }
    }
  }

  @Test func aPartOfATextIsParsedAtItsOwnPlace() {
    let text = "# Lesson\n```fovea\nx = 1 +\n```\n"
    let source = Source(name: "lesson.md", text: text)
    let program = Program(parsing: source, range: SourceRange(18, 26))
    #expect(program.diagnostics.map(\.place) == ["lesson.md:3:8"])
  }
}
