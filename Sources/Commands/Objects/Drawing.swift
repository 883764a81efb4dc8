internal import Figures
internal import Runtime

/// A figure, as scripts hold it.
struct Drawing: ForeignObject {
  let figure: Figure

  var typeName: String { "Figure" }
  var brief: String { "Figure '\(figure.title)'" }
  var shown: String {
    "Figure '\(figure.title)', \(Int(figure.width)) × \(Int(figure.height)) points\n"
      + "\(figure.altText)\nsave(it, \"name.png\") writes it; .svg and .pdf as well"
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
