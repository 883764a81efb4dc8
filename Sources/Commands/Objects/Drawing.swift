public import Figures
internal import Images
public import Runtime

/// A figure, as scripts hold it.
struct Drawing: ForeignObject, Previewed {
  let figure: Figure
  /// How many patches stand in a row, of a grid of them.
  var columns: Int?

  var typeName: String { "Figure" }
  var brief: String { "Figure '\(figure.title)'" }
  var shown: String {
    // Most descriptions begin with the title.
    (figure.altText.hasPrefix(figure.title) ? "Figure" : brief)
      + ", \(Int(figure.width)) × \(Int(figure.height)) points\n"
      + "\(figure.altText)\nsave(_, \"name.png\") writes it; .svg and .pdf as well"
  }

  /// The figure in half blocks or shades, as the terminal can.
  func preview(in session: Session) -> String? {
    guard let style = session[TerminalStyle.self] else { return nil }
    guard let characters = style.characters else {
      return (try? figure.image(scale: 1)).flatMap { style.drawn($0) }
    }
    return try? figure.terminalText(columns: style.columns, style: characters)
  }

  var attributeNames: [String] {
    ["title", "caption", "alt", "width", "height"] + (columns == nil ? [] : ["columns"])
  }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "title": .text(figure.title)
    case "caption": .text(figure.caption)
    case "alt": .text(figure.altText)
    case "width": .float(figure.width)
    case "height": .float(figure.height)
    case "columns": columns.map { .integer($0) }
    default: nil
    }
  }
}

/// What the terminal can draw; nil where output is no terminal.
public enum TerminalStyle: SessionKey {
  /// No terminal.
  public static var initial: TerminalStyleSettings? { nil }
}

extension Session {
  /// A picture as the terminal draws it; nil where output is no terminal.
  func drawn(_ image: Image) -> String? { self[TerminalStyle.self]?.drawn(image) }
}

/// How pictures are drawn in a terminal.
public struct TerminalStyleSettings: Sendable {
  /// How many characters a line has.
  public var columns: Int
  private let colours: Int
  private let isInTmux: Bool
  private let graphics: @Sendable () -> TerminalGraphics

  /// - Parameters:
  ///   - colours: how many the terminal has, where pictures are characters.
  ///   - graphics: how it draws pictures; asked when there is the first.
  public init(
    columns: Int, colours: Int, isInTmux: Bool = false,
    graphics: @escaping @Sendable () -> TerminalGraphics = { .blocks }
  ) {
    (self.columns, self.colours, self.isInTmux) = (columns, colours, isInTmux)
    self.graphics = graphics
  }

  /// The characters that stand for pixels; nil where pixels are sent, or nothing.
  var characters: TerminalPicture.Style? {
    switch graphics() {
    case .blocks: colours > 256 ? .trueColour : colours > 0 ? .palette : .shades
    case .ascii: .shades
    case .kitty, .iterm, .sixel, .none: nil
    }
  }

  /// A picture as the terminal draws it; nil where it does not.
  func drawn(_ image: Image) -> String? {
    if let characters {
      return TerminalPicture.text(image, columns: columns, style: characters)
    }
    return graphics().escapes(for: image, columns: columns, isInTmux: isInTmux)
  }
}
