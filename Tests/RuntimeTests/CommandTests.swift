import Language
import Runtime
import Testing

@Suite struct CommandTests {
  static let attention = Command(
    "attention", group: "Looking", "Draws where each patch looks in one block.",
    .text("source", "The run to look into."),
    .integer("block", in: 0...11, "Counted from 0, the one nearest the pixels."),
    .optional(.integer("head", in: 0...31, "Which head; all where it is None.")),
    .list(of: .number("weights", "One a layer."), default: []),
    returns: "a figure",
    examples: [Example("attention(\"cat\", 3)", "The fourth block.")]
  ) { _, source, block, head, weights in
    if block == 11 {
      throw ArgumentFailure(
        parameter: "block", "must be a whole number from 0 to 10, not 11",
        note: "this model has 11 blocks; block 10 is the last")
    }
    return .text("\(source)-\(block)-\(head.map { "\($0)" } ?? "all")-\(weights.count)")
  }

  struct Rejected: Sendable, CustomTestStringConvertible {
    let arguments: [Argument]
    let message: String
    var testDescription: String { message }
  }

  static let rejected = [
    Rejected(arguments: [], message: "attention: source is missing; it is text"),
    Rejected(
      arguments: [Argument(.integer(3))], message: "attention: source must be text, not 3"),
    Rejected(
      arguments: [Argument(.text("cat")), Argument(.integer(12), label: "block")],
      message: "attention: block must be a whole number from 0 to 11, not 12"),
    Rejected(
      arguments: [Argument(.text("cat")), Argument(.integer(11), label: "block")],
      message: "attention: block must be a whole number from 0 to 10, not 11"),
    Rejected(
      arguments: [
        Argument(.text("cat")), Argument(.integer(1)), Argument(.integer(1), label: "blok"),
      ],
      message: "attention: there is no argument 'blok'"),
    Rejected(
      arguments: [Argument(.text("cat")), Argument(.text("dog"), label: "source")],
      message: "attention: source is given twice"),
  ]

  @Test(arguments: rejected) func badArgumentsAreExplained(_ rejected: Rejected) throws {
    let error = #expect(throws: RuntimeFailure.self) {
      _ = try Self.attention.run(rejected.arguments, Session())
    }
    #expect(error?.message == rejected.message)
  }

  @Test func labelledArgumentsMayComeInAnyOrder() throws {
    let arguments = [
      Argument(.integer(7), label: "head"), Argument(.text("cat")), Argument(.integer(3)),
    ]
    #expect(try Self.attention.run(arguments, Session()).text == "cat-3-7-0")
  }

  @Test func theDeclarationWritesTheHelp() {
    #expect(Self.attention.usage == "attention(source, block, head=None, weights=[])")
    #expect(
      Self.attention.page.contains(
        "| `block` | a whole number from 0 to 11 |  | Counted from 0, the one nearest the pixels. |"
      ))
    #expect(Self.attention.helpText.hasPrefix("attention: Draws where"))
  }
}
