import Files
import Testing

struct JSONParsingTests {
  @Test func integersStayIntegersAndNumbersNumbers() throws {
    let json = try JSON(parsing: "[1, -0, 1.0, 1e0, 9223372036854775807, 9223372036854775808]")
    #expect(
      json == [.integer(1), .integer(0), .number(1), .number(1), .integer(.max), .number(0x1p63)])
    #expect(json[2]?.int == nil)
    #expect(json[0]?.double == 1)
  }

  @Test func membersKeepTheirOrderAndAreFoundByName() throws {
    let names = (0..<1000).map { "name\(($0 * 7919) % 1000)" }
    let text = "{" + names.map { "\"\($0)\": \"\($0)\"" }.joined(separator: ",") + "}"
    let object = try #require(JSON(parsing: text).object)
    #expect(object.keys == names)
    for name in names { #expect(object[name]?.text == name) }
    #expect(object["name1000"] == nil)
  }
}
