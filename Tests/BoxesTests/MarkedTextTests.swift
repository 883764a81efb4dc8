import Boxes
import Testing

@Suite struct MarkedTextTests {
  private static func box(_ x1: Int, _ y1: Int, _ x2: Int, _ y2: Int) throws -> Box {
    try #require(Box(x1: x1, y1: y1, x2: x2, y2: y2))
  }

  @Test func boxesHaveTheLabelThatStandsDirectlyBefore() throws {
    let text =
      "图中<ref> the cat\n</ref><box>(21,29),(526,837)</box><box>(0,0),(999,999)</box> and <ref>a</ref>"
      + " <box>(1,2),(3,4)</box><ref></ref><quad>(1,2),(3,4),(5,6),(7,8)</quad>"
    let marked = MarkedText(text)
    #expect(marked.malformed.isEmpty)
    #expect(marked.marks.map(\.label) == ["the cat", nil, nil, ""])
    #expect(marked.marks.map(\.place) == [23, 51, 95, 128])
    #expect(
      try marked.boxes == [
        Self.box(21, 29, 526, 837), Self.box(0, 0, 999, 999), Self.box(1, 2, 3, 4),
      ])
    let quad = try #require(Quad([(1, 2), (3, 4), (5, 6), (7, 8)]))
    #expect(marked.marks.last?.shape == .quad(quad))
    #expect(quad.written == "<quad>(1,2),(3,4),(5,6),(7,8)</quad>")
  }

  @Test(arguments: [
    "<box>(1,2),(3,4)</box>", "<box> ( 1 , 2 ) , ( 3 , 4 ) </box>", "<box>(001,2),(3,004)</box>",
    "<p><box>(1,2),(3,4)</box></p>", "< box ><box>(1,2),(3,4)</box>",
    "<box\u{301}<box>(1,2),(3,4)</box>",
    "<BOX>(9,9),(9,9)</BOX><box>(1,2),(3,4)</box>",
  ]) func spacesAndZerosAndOtherTagsDoNoHarm(_ text: String) throws {
    let marked = MarkedText(text)
    #expect(marked.malformed.isEmpty)
    #expect(try marked.boxes == [Self.box(1, 2, 3, 4)])
    #expect(marked.boxes[0].written == "<box>(1,2),(3,4)</box>")
  }

  @Test(arguments: ["", "red", "a box at (1,2),(3,4)", "<", "<bo", "<ref>a boy</ref> is there"])
  func whereThereIsNoneThereIsNone(_ text: String) {
    let marked = MarkedText(text)
    #expect(marked.marks.isEmpty && marked.malformed.isEmpty)
  }

  /// An answer, and what is said of it; none of them has a box.
  @Test(arguments: [
    ("<box>(300,2),(299,4)</box>", "1: its left edge 300 lies right of its right edge 299"),
    ("<box>(1,5),(3,4)</box>", "1: its top edge 5 lies below its bottom edge 4"),
    ("a <box>(1,2),(2000,4)</box>", "3: 2000 beyond 999 at character 15"),
    ("<box>(1,2),(3,1000)</box>", "1: 1000 beyond 999 at character 15"),
    (
      "<box>(1,2),(3,99999999999999999999999)</box>",
      "1: a number beyond 999 at character 15"
    ),
    ("<box>(-1,2),(3,4)</box>", "1: expected a number from 0 to 999 at character 7"),
    ("<box>(+1,2),(3,4)</box>", "1: expected a number from 0 to 999 at character 7"),
    ("<box>(1.5,2),(3,4)</box>", "1: expected ',' at character 8"),
    ("<box>(1e2,2),(3,4)</box>", "1: expected ',' at character 8"),
    ("<box>(1 2),(3,4)</box>", "1: expected ',' at character 9"),
    ("<box>(1,2)(3,4)</box>", "1: expected ',' at character 11"),
    ("<box>(1,2),(3 4)</box>", "1: expected ',' at character 15"),
    ("<box>(1,2),3,4</box>", "1: expected '(' at character 12"),
    ("<box>1,2,3,4</box>", "1: expected '(' at character 6"),
    ("<box>[1,2],[3,4]</box>", "1: expected '(' at character 6"),
    ("<box>(1,2),(3,4</box>", "1: expected ')' at character 16"),
    ("<box>(1,2,(3,4)</box>", "1: expected ')' at character 10"),
    ("<box>(1,2,3),(3,4)</box>", "1: expected ')' at character 10"),
    ("<box>(1,2),(3,4),</box>", "1: expected </box> at character 17"),
    ("<box>(1,2),(3,4),(5,6)</box>", "1: expected </box> at character 17"),
    ("<box>(1,2),(3,4) cat</box>", "1: expected </box> at character 18"),
    ("<box>(1,2)</box>", "1: expected ',' at character 11"),
    ("<box>(,2),(3,4)</box>", "1: expected a number from 0 to 999 at character 7"),
    ("<box>(1,),(3,4)</box>", "1: expected a number from 0 to 999 at character 9"),
    ("<box>(a,b),(c,d)</box>", "1: expected a number from 0 to 999 at character 7"),
    ("<box></box>", "1: expected '(' at character 6"),
    ("<box>   </box>", "1: expected '(' at character 9"),
    ("<box>\n(1,2),(3,4)</box>", "1: expected '(' at character 6"),
    ("<box>（1,2），（3,4）</box>", "1: expected '(' at character 6"),
    ("<box>(１,2),(3,4)</box>", "1: expected a number from 0 to 999 at character 7"),
    ("é猫<box>(1,2),(3,4)", "3: it has no </box>"),
    ("<box>(1,2),(3,4)</quad>", "1: it has no </box>"),
    ("<quad>(1,2),(3,4)</quad>", "1: expected ',' at character 18"),
    (
      "<quad>(1,2),(3,4),(5,6),(7,1000)</quad>",
      "1: 1000 beyond 999 at character 28"
    ),
    ("<quad>(1,2),(3,4),(5,6),(7,8),(9,9)</quad>", "1: expected </quad> at character 30"),
  ]) func whatIsNoBoxIsToldWithItsPlace(_ text: String, _ says: String) throws {
    let marked = MarkedText(text)
    #expect(marked.marks.isEmpty)
    let first = try #require(marked.malformed.first)
    let tag = text.contains("<quad>") ? "<quad>" : "<box>"
    #expect("\(first)" == "malformed \(tag) at character \(says)")
    #expect(marked.malformed.count == (text.hasSuffix("4)</quad>") && tag == "<box>" ? 2 : 1))
  }

  @Test(arguments: [
    ("</box>", ["</box> at character 1: it has no <box> before it"]),
    ("<box>(1,2),(3,4)</box></box>", ["</box> at character 23: it has no <box> before it"]),
    ("<box><box>(1,2),(3,4)</box>", ["<box> at character 1: it has no </box>"]),
    ("<ref>a<box>(1,2),(3,4)</box>", ["<ref> at character 1: it has no </ref>"]),
    ("<ref>a<ref>b</ref><box>(1,2),(3,4)</box>", ["<ref> at character 1: it has no </ref>"]),
    ("a</ref><box>(1,2),(3,4)</box>", ["</ref> at character 2: it has no <ref> before it"]),
    (
      "<box>(1,2),(3,4)</box><ref><quad>",
      [
        "<ref> at character 23: it has no </ref>", "<quad> at character 28: it has no </quad>",
      ]
    ),
  ]) func whatStandsBesideABoxDoesNotTakeIt(_ text: String, _ says: [String]) throws {
    let marked = MarkedText(text)
    #expect(marked.malformed.map { "\($0)" } == says.map { "malformed \($0)" })
    #expect(marked.boxes.count == (text == "</box>" ? 0 : 1))
    let label = text.contains("<ref>b</ref>") ? "b" : nil
    #expect(marked.marks.allSatisfy { $0.label == label })
  }

  @Test func aMalformedBoxBetweenTakesTheLabelAway() {
    let marked = MarkedText("<ref>a</ref><box>(1,2)</box><box>(1,2),(3,4)</box>")
    #expect(marked.marks.map(\.label) == [nil])
    #expect(marked.malformed.count == 1)
  }

  @Test(
    .timeLimit(.minutes(1)),
    arguments: [
      "<box>", "</box>", "<ref>", "<", "<box>(", "<box>(1,2),(3,4)</box>", "猫<ref>a</ref>",
    ])
  func longAnswersTakeLinearTime(_ unit: String) {
    let count = 200_000 / unit.utf8.count
    let marked = MarkedText(String(repeating: unit, count: count))
    #expect(marked.marks.count + marked.malformed.count <= count)
  }
}

@Suite struct BoxTests {
  @Test(arguments: [
    // As Python's int(x / 1000 * w): here less than whole numbers give.
    (580, 50, 28), (700, 90, 62), (290, 100, 28), (570, 100, 56), (820, 150, 122), (145, 200, 28),
    // And here not.
    (0, 500, 0), (999, 500, 499), (999, 1, 0), (999, 1000, 999), (21, 640, 13), (837, 480, 401),
    (290, 1000, 290), (500, 3, 1),
  ]) func coordinatesAreCutOffAsPythonDoes(_ coordinate: Int, _ side: Int, _ pixel: Int) {
    #expect(Thousandth.pixel(coordinate, of: side) == pixel)
  }

  /// The sum of `31^k · pixel` over all coordinates and sides to 2,000, modulo 2⁶¹ − 1, as Python has it.
  @Test func allCoordinatesOfAllSidesAreThoseOfPython() {
    let modulus: UInt64 = (1 << 61) - 1
    var sum: UInt64 = 0
    for side in 1...2000 {
      for coordinate in 0..<1000 {
        let (high, low) = sum.multipliedFullWidth(by: 31)
        let reduced = modulus.dividingFullWidth((high, low)).remainder
        sum = (reduced + UInt64(Thousandth.pixel(coordinate, of: side))) % modulus
      }
    }
    #expect(sum == 913_737_920_459_285_889)
  }

  @Test func edgesTheWrongWayRoundMakeNoBox() {
    #expect(Box(x1: 2, y1: 0, x2: 1, y2: 1) == nil)
    #expect(Box(x1: 0, y1: 2, x2: 1, y2: 1) == nil)
    #expect(Box(x1: -1, y1: 0, x2: 1, y2: 1) == nil)
    #expect(Box(x1: 0, y1: 0, x2: 1000, y2: 1) == nil)
    #expect(Box(x1: 5, y1: 5, x2: 5, y2: 5) != nil)
    #expect(Quad([(0, 0), (1, 1), (2, 2)]) == nil)
    #expect(Quad([(0, 0), (1, 1), (2, 2), (3, 1000)]) == nil)
  }

  private static let shares: [(a: [Double], b: [Double], share: Double)] = [
    ([0, 0, 10, 10], [5, 0, 15, 10], 1.0 / 3), ([0, 0, 10, 10], [0, 0, 10, 10], 1),
    ([0, 0, 10, 10], [10, 0, 20, 10], 0), ([0, 0, 10, 10], [2, 2, 4, 4], 0.04),
    ([0, 0, 0, 0], [0, 0, 0, 0], 0), ([0, 0, 10, 10], [-5, -5, 5, 5], 25.0 / 175),
  ]

  @Test(arguments: shares.indices) func boxesShareTheAreaOfBothOverThatOfEither(_ place: Int) {
    let (a, b, share) = Self.shares[place]
    let first = Edges(left: a[0], top: a[1], right: a[2], bottom: a[3])
    let second = Edges(left: b[0], top: b[1], right: b[2], bottom: b[3])
    #expect(first.overlap(with: second) == share)
    #expect(second.overlap(with: first) == share)
  }
}
