internal import Runtime

extension Command {
  static let show = Command(
    "show", group: "Looking", "Prints what a value holds; a figure is drawn in the terminal.",
    Parameter.any("value", "Anything."),
    returns: "nothing",
    examples: [Example("show(tokenize(\"a red circle\"))", "A table of tokens.")],
    seeAlso: ["describe", "save"]
  ) { session, value in
    if case .object(let object) = value, let preview = object as? any Previewed,
      let art = preview.preview(in: session)
    {
      session.print(art + "\n")
    }
    session.print(value.displayed + "\n")
    return .none
  }
}

/// A value that can be drawn with characters.
protocol Previewed: ForeignObject {
  /// Lines of characters, or nil where the session cannot draw.
  func preview(in session: Session) -> String?
}
