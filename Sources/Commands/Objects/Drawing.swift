internal import Figures
internal import Images
public import Runtime

/// A figure, as scripts hold it.
struct Drawing: ForeignObject, Previewed {
  let figure: Figure

  var typeName: String { "Figure" }
  var brief: String { "Figure '\(figure.title)'" }
  var shown: String {
    "Figure '\(figure.title)', \(Int(figure.width)) × \(Int(figure.height)) points\n"
      + "\(figure.altText)\nsave(_, \"name.png\") writes it; .svg and .pdf as well"
  }

  /// The figure in half blocks or shades, as the terminal can.
  func preview(in session: Session) -> String? {
    guard session[TerminalStyle.self] != nil, let image = try? figure.image(scale: 1) else {
      return nil
    }
    return session.drawn(image)
  }

  var attributeNames: [String] { ["title", "caption", "alt", "width", "height"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "title": .text(figure.title)
    case "caption": .text(figure.caption)
    case "alt": .text(figure.altText)
    case "width": .float(figure.width)
    case "height": .float(figure.height)
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
  /// A picture in characters; nil where output is no terminal.
  func drawn(_ image: Image) -> String? {
    self[TerminalStyle.self].map {
      TerminalPicture.text(image, columns: $0.columns, style: $0.pictures)
    }
  }
}

/// How pictures are drawn with characters.
public struct TerminalStyleSettings: Sendable {
  /// How many characters a line has.
  public var columns: Int
  let pictures: TerminalPicture.Style

  /// Half blocks in 24-bit or 256 colours, or characters from light to dark without colours.
  public init(columns: Int, colours: Int) {
    self.columns = columns
    pictures = colours > 256 ? .trueColour : colours > 0 ? .palette : .shades
  }
}
