import Figures
import Foundation
import FoundationXML
import Images
import Testing

@Suite struct GalleryTests {
  /// Set `FOVEA_GALLERY` to a folder to look at the figures.
  @Test func everyFigureIsWrittenInEveryFormatTwiceAlike() throws {
    let folder = ProcessInfo.processInfo.environment["FOVEA_GALLERY"].map {
      URL(filePath: $0, directoryHint: .isDirectory)
    }
    let again = try Gallery.figures()
    for ((name, figure), (_, twin)) in zip(try Gallery.figures(), again) {
      let (png, svg, pdf) = (try figure.png(), figure.svg(), try figure.pdf())
      if let folder {
        for (bytes, ending) in [(png, "png"), (svg, "svg"), (pdf, "pdf")] {
          try Data(bytes).write(to: folder.appending(path: "\(name).\(ending)"))
        }
      }
      #expect(figure == twin, "\(name)")
      #expect(try png == twin.png(), "\(name).png")
      #expect(svg == twin.svg(), "\(name).svg")
      #expect(try pdf == twin.pdf(), "\(name).pdf")
      let image = try Image(decoding: png, named: name)
      #expect(image.width == Int(figure.width * 2) && image.height == Int(figure.height * 2))
      let parser = XMLParser(data: Data(svg))
      #expect(parser.parse(), "\(name).svg: \(String(describing: parser.parserError))")
      #expect(!String(decoding: svg, as: UTF8.self).contains("<script"))
      #expect(pdf.starts(with: Array("%PDF-".utf8)))
      #expect(!figure.altText.isEmpty && !figure.caption.isEmpty)
    }
  }
}
