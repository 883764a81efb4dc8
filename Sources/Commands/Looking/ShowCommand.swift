internal import Images
internal import Models
public import Runtime
internal import Tensors

extension Command {
  static let show = Command(
    "show", group: "Looking",
    "Prints what a value holds; figures, pictures and pixels are drawn in the terminal.",
    Parameter.any("value", "Anything."),
    Parameter.flag("wide", "Whether a table keeps all its columns, however narrow the screen is."),
    returns: "nothing",
    details: "Pixels as preprocess() gives are drawn as what the model sees, its normalisation "
      + "undone; save(image(pixels), \"seen.png\") writes that. At the prompt only: a script's "
      + "output may be no terminal.",
    examples: [
      Example("show(tokenize(\"a red circle\"))", "A table of tokens."),
      Example("show(preprocess(scene(7)))", "What the model sees."),
      Example("show(stages(), wide=True)", "A table with all its columns."),
    ],
    seeAlso: ["describe", "save"]
  ) { session, value, wide in
    if let art = try session.picture(of: value) {
      try session.checkCancellation()
      session.print(exactly: art + "\n")
    }
    session.page(wide ? value.displayed : session.displayed(value))
    return .none
  }
}

/// A value that can be drawn with characters.
protocol Previewed: ForeignObject {
  /// Lines of characters, or nil where the session cannot draw.
  func preview(in session: Session) -> String?
}

extension Session {
  /// A figure, a picture or pixels as the terminal draws them; nil for other values, and where output is
  /// no terminal.
  public func picture(of value: Value) throws -> String? {
    guard self[TerminalStyle.self] != nil else { return nil }
    if case .object(let object) = value, let previewed = object as? any Previewed {
      return previewed.preview(in: self)
    }
    guard let tensor = value.tensor, tensor.rank == 3 else { return nil }
    guard let seer = try (value.sourceModel ?? self.model()).model.seeing else { return nil }
    let size = seer.patches.size
    guard
      seer.hasOneGrid
        ? tensor.shape == [3, size.height, size.width] : tensor.shape[0] == 3 && tensor.count > 0
    else { return nil }
    return drawn(try Image(levels: seer.preprocessing.levels(of: tensor)))
  }
}
