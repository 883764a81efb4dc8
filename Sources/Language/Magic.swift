/// The `%` lines and `%%` cells that the language knows.
public struct Magic: Sendable {
  /// What is typed: `%time`, `%%time`.
  public let written: String
  /// What it does, in one sentence.
  public let summary: String

  /// All of them, in the order of help.
  public static let all = [
    Magic(written: "%time", summary: "Runs a line and says how long it took."),
    Magic(written: "%timeit", summary: "Runs a line again and again, and says the best time."),
    Magic(written: "%who", summary: "Lists the variables with their types and shapes."),
    Magic(written: "%whos", summary: "The same as %who."),
    Magic(written: "%reset", summary: "Forgets all variables and results."),
    Magic(written: "%history", summary: "Lists what was entered."),
    Magic(written: "%%time", summary: "Runs the lines below and says how long they took."),
    Magic(written: "%%timeit", summary: "Runs the lines below again and again."),
  ]

  /// Whether it takes the lines below it.
  var isCell: Bool { written.hasPrefix("%%") }

  /// What there is, as a sentence lists it.
  static var list: String {
    let names = all.map(\.written)
    return names.dropLast().joined(separator: ", ") + " and " + (names.last ?? "")
  }

  /// Why there is none of that name: what was most likely meant, else what there is.
  static func hint(_ written: String) -> String {
    NearestName.of(written, among: all.map(\.written)).map { "did you mean \($0)?" }
      ?? "there are \(list)"
  }
}
