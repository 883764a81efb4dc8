internal import Foundation
internal import Images

/// Writes figures as SVG 1.1: shapes as paths, text as text, pictures as PNG inside the file.
enum SVGWriter {
  static func written(_ figure: Figure) -> [UInt8] {
    let (width, height) = (number(figure.width), number(figure.height))
    var text = """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" \
      width="\(width)pt" height="\(height)pt" viewBox="0 0 \(width) \(height)" role="img" \
      font-family="'DejaVu Sans', Verdana, 'WenQuanYi Micro Hei', sans-serif">
      <title>\(escaped(figure.title))</title>
      <desc>\(escaped(figure.altText))</desc>
      <rect width="\(width)" height="\(height)" fill="#ffffff"/>

      """
    for mark in figure.marks where mark.isDrawable {
      switch mark {
      case .shape(let path, let fill, let stroke): text += element(path, fill, stroke)
      case .text(let line): text += element(line)
      case .picture(let image, let area, let sampling): text += element(image, area, sampling)
      }
      text += "\n"
    }
    text += "</svg>\n"
    return Array(text.utf8)
  }

  private static func element(_ path: Path, _ fill: Colour?, _ stroke: Stroke?) -> String {
    var data = ""
    for step in path.steps {
      switch step {
      case .move(let end): data += "M\(pair(end))"
      case .line(let end): data += "L\(pair(end))"
      case .curve(let first, let second, let end):
        data += "C\(pair(first)) \(pair(second)) \(pair(end))"
      case .close: data += "Z"
      }
    }
    var text = "<path d=\"\(data)\" fill=\"\(fill?.hexadecimal ?? "none")\""
    if let fill, fill.opacity < 1 { text += " fill-opacity=\"\(number(fill.opacity))\"" }
    if let stroke {
      text += " stroke=\"\(stroke.colour.hexadecimal)\" stroke-width=\"\(number(stroke.width))\""
      text += " stroke-linejoin=\"round\""
      if stroke.colour.opacity < 1 {
        text += " stroke-opacity=\"\(number(stroke.colour.opacity))\""
      }
      if !stroke.dashes.isEmpty {
        text += " stroke-dasharray=\"\(stroke.dashes.map(number).joined(separator: " "))\""
      }
    }
    return text + "/>"
  }

  private static func element(_ line: Text) -> String {
    var text = "<text x=\"\(number(line.place.x))\" y=\"\(number(line.place.y))\""
    text += " font-size=\"\(number(line.size))\" fill=\"\(line.colour.hexadecimal)\""
    if line.isBold { text += " font-weight=\"bold\"" }
    switch line.anchor {
    case .start: break
    case .middle: text += " text-anchor=\"middle\""
    case .end: text += " text-anchor=\"end\""
    }
    if line.angle != 0 {
      text += " transform=\"rotate(\(number(line.angle)) \(pair(line.place)))\""
    }
    return text + " xml:space=\"preserve\">\(escaped(line.characters))</text>"
  }

  private static func element(
    _ image: Image, _ area: Rectangle, _ sampling: Mark.Sampling
  ) -> String {
    let drawn = sampling == .blocks ? image.enlarged(for: area) : image
    var text = "<image x=\"\(number(area.x))\" y=\"\(number(area.y))\""
    text += " width=\"\(number(area.width))\" height=\"\(number(area.height))\""
    text += " preserveAspectRatio=\"none\""
    if sampling == .blocks { text += " style=\"image-rendering:pixelated\"" }
    return text + " xlink:href=\"data:image/png;base64,"
      + Data(drawn.png()).base64EncodedString() + "\"/>"
  }

  /// Text for an element's content or a quoted attribute.
  ///
  /// Characters that XML forbids do not occur:
  /// `Label.visible` has spelled them out.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func pair(_ point: Point) -> String { "\(number(point.x)) \(number(point.y))" }

  /// A number to a hundredth, without trailing zeros.
  private static func number(_ value: Double) -> String {
    guard value.isFinite, abs(value) < 1e9 else { return "0" }
    let hundredths = Int((value * 100).rounded())
    let (whole, part) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
    let sign = hundredths < 0 ? "-" : ""
    if part == 0 { return "\(sign)\(whole)" }
    if part % 10 == 0 { return "\(sign)\(whole).\(part / 10)" }
    return "\(sign)\(whole).\(part < 10 ? "0" : "")\(part)"
  }
}
