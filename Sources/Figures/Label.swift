internal import Characters

/// Text from models, files and people made fit to be drawn: nothing in it is invisible, turns the
/// line around, or is longer than a reader would read.
public enum Label {
  /// How many characters of a text are kept unless a figure asks for fewer.
  public static let lengthLimit = 2000

  /// Spells out what cannot be seen (controls, bidirectional overrides, zero-width characters) as
  /// `⟨U+202E⟩` and cuts what is longer than `limit`, with an ellipsis.
  public static func visible(_ text: String, limit: Int = lengthLimit) -> String {
    let scalars = text.unicodeScalars
    guard let end = scalars.index(scalars.startIndex, offsetBy: limit, limitedBy: scalars.endIndex),
      end < scalars.endIndex
    else { return text.visibleOnOneLine }
    return String(scalars[..<end]).visibleOnOneLine + "…"
  }

  /// A token as a reader should see it: a leading space, whether written as one or as `Ġ` or `▁`,
  /// becomes `␣`, a line's end `⏎`.
  public static func token(_ text: String) -> String {
    var rest = text[...]
    var spaces = ""
    while let first = rest.unicodeScalars.first, first == " " || first == "Ġ" || first == "▁" {
      spaces += "␣"
      rest = Substring(rest.unicodeScalars.dropFirst())
      guard spaces.unicodeScalars.count < 64 else { break }
    }
    var body = visible(String(rest))
    if body.hasSuffix(" ") { body = body.dropLast() + "␣" }
    let whole = spaces + body.replacing("Ċ", with: "⏎")
    return whole.isEmpty ? "⟨empty⟩" : whole
  }

  /// The text cut to fit in `width` points, with an ellipsis where something was cut.
  static func fitted(_ text: String, width: Double, size: Double, isBold: Bool = false) -> String {
    let whole = Array(Typesetter.drawable(visible(text, limit: 200)))
    if Typesetter.width(of: String(whole), size: size, isBold: isBold) <= width {
      return String(whole)
    }
    var (low, high) = (0, whole.count)
    while low < high {
      let middle = (low + high + 1) / 2
      let trial = String(whole[..<middle]) + "…"
      if Typesetter.width(of: trial, size: size, isBold: isBold) <= width {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return String(whole[..<low]) + "…"
  }

  /// The text cut in its middle to fit in `width` points.
  static func fittedAtEnds(_ text: String, width: Double, size: Double) -> String {
    let whole = Array(Typesetter.drawable(visible(text)))
    func cut(to kept: Int) -> String {
      String(whole[..<((kept + 1) / 2)]) + "…" + String(whole[(whole.count - kept / 2)...])
    }
    if whole.count <= 200, Typesetter.width(of: String(whole), size: size) <= width {
      return String(whole)
    }
    var (low, high) = (0, min(200, whole.count - 1))
    while low < high {
      let middle = (low + high + 1) / 2
      if Typesetter.width(of: cut(to: middle), size: size) <= width {
        low = middle
      } else {
        high = middle - 1
      }
    }
    return cut(to: low)
  }
}
