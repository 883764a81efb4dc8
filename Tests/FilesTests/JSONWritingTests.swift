import Files
import Testing

struct JSONWritingTests {
  @Test func aDocumentIsWrittenInItsOwnOrder() {
    let json: JSON = [
      "b": 1, "a": [1.5, true, .null], "c": ["é\n\"\\\u{1}": "x"], "d": [], "e": [:],
    ]
    #expect(
      json.written() == #"{"b":1,"a":[1.5,true,null],"c":{"é\n\"\\\u0001":"x"},"d":[],"e":{}}"#)
    #expect(
      json.written(indented: true) == """
        {
          "b": 1,
          "a": [
            1.5,
            true,
            null
          ],
          "c": {
            "é\\n\\"\\\\\\u0001": "x"
          },
          "d": [],
          "e": {}
        }
        """)
  }

  @Test(
    arguments: [
      0.1, -0.0, Double.leastNonzeroMagnitude, 1.7976931348623157e308, 1e16, 123456789.125, 1 / 3,
    ] as [Double])
  func numbersReadBackEqual(_ number: Double) throws {
    let back = try JSON(parsing: JSON.number(number).written()).double
    #expect(back?.bitPattern == number.bitPattern)
  }

  @Test func whatIsNoNumberBecomesNull() {
    #expect(JSON.array([.number(.nan), .number(.infinity)]).written() == "[null,null]")
  }

  @Test func aLaterMemberOfOneNameReplacesTheEarlier() {
    let object = JSON.Object([("a", 1), ("b", 2), ("a", 3)])
    #expect(object.keys == ["a", "b"] && object["a"] == 3)
    #expect(object == JSON.Object([("b", 2), ("a", 3)]))
    #expect(object != JSON.Object([("b", 2), ("a", 3), ("c", 0)]))
  }
}
