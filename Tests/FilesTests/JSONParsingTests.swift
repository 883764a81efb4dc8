import Files
import Tensors
import TestSupport
import Testing

struct JSONParsingTests {
  @Test func integersStayIntegersAndNumbersNumbers() throws {
    let json = try JSON(parsing: "[1, -0, 1.0, 1e0, 9223372036854775807, 9223372036854775808]")
    #expect(
      json == [.integer(1), .integer(0), .number(1), .number(1), .integer(.max), .number(0x1p63)])
    #expect(json[2]?.int == nil)
    #expect(json[0]?.double == 1)
    #expect(try JSON(parsing: "-9223372036854775808") == .integer(.min))
    #expect(try JSON(parsing: "1000000000000000019884624838656").double == 1e30)
    #expect(try JSON(parsing: "4.9e-324").double == Double.leastNonzeroMagnitude)
    #expect(try JSON(parsing: "1e-999").double == 0)
  }

  @Test func membersKeepTheirOrderAndAreFoundByName() throws {
    let names = (0..<1000).map { "name\(($0 * 7919) % 1000)" }
    let text = "{" + names.map { "\"\($0)\": \"\($0)\"" }.joined(separator: ",") + "}"
    let object = try #require(JSON(parsing: text).object)
    #expect(object.keys == names)
    for name in names { #expect(object[name]?.text == name) }
    #expect(object["name1000"] == nil)
  }

  @Test func twoSpellingsOfOneLetterAreTwoNames() throws {
    let json = try JSON(
      parsing: "{\"\u{e9}\": 1, \"e\u{301}\": 2, \"\u{f900}\": 3, \"\u{8c48}\": 4}")
    #expect(json["\u{e9}"]?.int == 1)
    #expect(json["e\u{301}"]?.int == 2)
    #expect(json["\u{f900}"]?.int == 3)
    #expect(json["\u{8c48}"]?.int == 4)
    #expect(JSON.string("\u{e9}") != JSON.string("e\u{301}"))
  }

  @Test(arguments: [
    ("\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\"", "Aé€😀"),
    ("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\u{8}\u{c}\n\r\t"),
    ("\"\\u0000\"", "\0"), ("\"\u{7f}\"", "\u{7f}"), ("\"\u{2028}\"", "\u{2028}"), ("\"\"", ""),
    ("\"\u{10FFFF}\"", "\u{10FFFF}"), ("\"a\\u0062c\u{e9}\"", "abc\u{e9}"),
  ])
  func stringsAreReadExactly(_ text: String, _ expected: String) throws {
    #expect(try JSON(parsing: text).text == expected)
  }

  @Test(arguments: [
    "[]", "{}", "[[]   ]", "[1,2]", " [1] ", "null", "true", "\t\r\n 0", "-1.5E+3",
    "[1E2,0.5,-0.0]",
    "{\"\":0}", "{\"a\":{\"a\":[]}}", "[\"\\u005C\"]", "\"\u{1F600}\"", "20e1", "0e+1",
    "123.456e78",
  ])
  func whatTheStandardAllowsIsAccepted(_ text: String) throws {
    let json = try JSON(parsing: text)
    #expect(try JSON(parsing: json.written()) == json)
    #expect(try JSON(parsing: json.written(indented: true)) == json)
  }

  @Test(arguments: [
    "", " ", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[", "]", "[1", "{", "}", "{\"a\":1,}", "{,}",
    "{\"a\"}",
    "{\"a\":}", "{\"a\" 1}", "{a:1}", "{'a':1}", "{1:1}", "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}",
    "[1]x", "[1][2]", "{}}", "1 2", "nul", "nulll", "True", "NaN", "-NaN", "Infinity", "-Infinity",
    "inf",
    "+1", "01", "-01", "-", "1.", ".5", "-.5", "1e", "1e+", "1.e1", "0x10", "1_000", "1e999",
    "-1e999",
    "\"", "\"a", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"\\uD800\"", "\"\\uDC00\"",
    "\"\\uD800\\u0041\"", "\"\\uD800\\uD800\"", "\"\\uD800x\"", "\"a\nb\"", "\"a\tb\"", "\"\u{0}\"",
    "\"\u{1f}\"",
    "[1]//", "/**/[1]", "[1]#", "\u{feff}[]", "[]\u{0}", "\u{a0}1", "\u{c}1", "[\u{2028}1]", "'a'",
    "`a`",
    "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "[\"a\":1]", "[1}", "{\"a\":1]", "tru",
    "falsey", "[-]",
  ])
  func whatTheStandardForbidsIsRefusedWithItsPlace(_ text: String) throws {
    do {
      let json = try JSON(parsing: text)
      Issue.record("accepted as \(json)")
    } catch {
      #expect(error.offset <= text.utf8.count && error.line >= 1 && error.column >= 1)
      #expect(!error.message.isEmpty && error.exitCode == 65)
    }
  }

  @Test(
    arguments: [
      [0xFF], [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC3], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
      [0x80], [0xF0, 0x9F, 0x98],
    ] as [[UInt8]])
  func bytesThatAreNotTextAreRefused(_ bytes: [UInt8]) {
    // Behind eight plain letters, because those are checked eight at a time.
    for filling in ["", "01234567", "0123456789a"] {
      let text = Array("[\"\(filling)".utf8) + bytes + Array("\"]".utf8)
      do {
        let json = try JSON(parsing: text)
        Issue.record("accepted as \(json)")
      } catch {
        #expect(error.offset == 2 + filling.utf8.count)
        #expect(error.message == "is not UTF-8")
      }
    }
  }

  @Test func sixtyFourLevelsAreReadAndNoMore() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(try JSON(parsing: nested(64)).array?.count == 1)
    #expect(throws: JSON.Failure.self) { try JSON(parsing: nested(65)) }
    #expect(throws: JSON.Failure.self) { try JSON(parsing: nested(100_000), depth: .max) }
    #expect(throws: JSON.Failure.self) {
      try JSON(parsing: String(repeating: "{\"a\":", count: 100_000))
    }
    #expect(throws: JSON.Failure.self) { try JSON(parsing: "[1,2]", limit: 4) }
  }

  @Test(arguments: [
    ("{\n  \"a\": 1,\n  \"a\": 2\n}", 3, 3, "a second member is called 'a'"),
    ("[1,\n 2,]", 2, 4, "expected a value, found ']'"),
    ("[\"é\", NaN]", 1, 7, "expected a value, found 'N'"),
    ("[\n", 2, 1, "the text ends where a value should be"),
    ("\"a\u{1}\"", 1, 3, "control character 1 inside a string; write it as \\u0001"),
    ("{\"a\" \u{1b}", 1, 6, "expected ':', found '\\u{1b}'"),
  ])
  func aFailureSaysWhereAndWhat(_ text: String, _ line: Int, _ column: Int, _ message: String) {
    do {
      let json = try JSON(parsing: text)
      Issue.record("accepted as \(json)")
    } catch {
      #expect((error.line, error.column) == (line, column))
      #expect(error.message == message)
    }
  }

  @Test func thousandsOfMutantsAreReadOrRefused() {
    let seeds = [
      "{\"a\": [1, -2.5e3, true, null], \"b\\u00e9\": {\"c\": \"\\uD83D\\uDE00 \\n\", \"é\": []}}",
      "[0, -0, 1e1, 0.1, 12345678901234567890, \"\\\"\", {}, [[[]]], false]",
    ]
    var random = SplitMix64(seed: 1)
    var accepted = 0
    for round in 0..<5_000 {
      var bytes = Array(seeds[round % 2].utf8)
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes[place] = Array("[]{},:\"\\0eu-.tn".utf8)[random.below(15)]
        case 2: bytes.remove(at: place)
        default: bytes.insert(bytes[random.below(bytes.count)], at: place)
        }
      }
      if let json = try? JSON(parsing: bytes) {
        accepted += 1
        #expect((try? JSON(parsing: json.bytes())) == json)
      }
    }
    #expect(accepted > 100 && accepted < 4_000)
  }
}
