internal import Language
internal import Runtime

/// A number in a lesson's text that the model at hand makes: `94 %<!--pattern[1, 24]:.0%-->`.
///
/// A page shows the number, as it is with the model that ships, and hides what follows: what it is and
/// in which form, as between the braces of an f-text. Whoever takes the lesson is told what that gives.
struct MadeNumber {
  /// What stands in the text.
  let written: Substring
  /// What it is, and its form.
  let expression: Substring

  /// The made numbers of a text, in order.
  static func all(in text: String) -> [MadeNumber] { comments(in: text).compactMap(\.number) }

  /// The comments of a text, in order, each with the number before it; nil where it says nothing of one.
  private static func comments(
    in text: String
  ) -> [(range: Range<String.Index>, number: MadeNumber?)] {
    var found: [(range: Range<String.Index>, number: MadeNumber?)] = []
    var rest = text[...]
    while let open = rest.firstRange(of: "<!--"),
      let close = rest[open.upperBound...].firstRange(of: "-->")
    {
      let before = rest[..<open.lowerBound]
      let digits = before.hasSuffix(" %") ? before.dropLast(2) : before
      let start = digits.count - digits.reversed().prefix { $0.isNumber || ".−".contains($0) }.count
      let written = before.dropFirst(start)
      found.append(
        (
          open.lowerBound..<close.upperBound,
          written.isEmpty
            ? nil
            : MadeNumber(written: written, expression: rest[open.upperBound..<close.lowerBound])
        ))
      rest = rest[close.upperBound...]
    }
    return found
  }

  /// What the number is in a session, written as the text writes it; nil where it cannot be made.
  func made(in session: Session) -> String? {
    let result = session.unseen {
      session.run(Source(name: "number", text: "f'{\(expression)}'"))
    }
    guard result.succeeded, case .text(let made)? = result.value else { return nil }
    return made.string.replacing("-", with: "−")
      .replacing("%", with: written.hasSuffix(" %") ? " %" : "%")
  }

  /// A text with its numbers as they are in a session, and without comments.
  static func told(_ text: String, in session: Session) -> String {
    var result = ""
    var told = text.startIndex
    for (range, number) in comments(in: text) {
      result += text[told..<(number?.written.startIndex ?? range.lowerBound)]
      if let number { result += number.made(in: session) ?? String(number.written) }
      told = range.upperBound
    }
    return result + text[told...]
  }
}

extension Question {
  /// The question with its numbers as they are in a session.
  func told(in session: Session) -> Question {
    func told(_ text: String) -> String { MadeNumber.told(text, in: session) }
    return Question(
      name: name, kind: kind, ask: told(ask),
      options: options.map {
        Option(text: told($0.text), isRight: $0.isRight, reason: told($0.reason))
      },
      hints: hints.map(told), why: told(why), answer: answer, tolerance: tolerance,
      picture: picture, side: side, checks: checks, solution: solution,
      mistakes: mistakes.map { Mistake(text: $0.text, range: $0.range, reason: told($0.reason)) })
  }
}
