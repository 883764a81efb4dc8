import Foundation
import Images
import Scenes
import Searching
import Tensors
import TestSupport
import Testing

/// An old and honest descriptor: the mean colour in each cell of a grid of 4 × 4.
enum ColourGrid {
  static let side = 32

  static func embedder(name: String = "colours", turned: Bool = false) -> Embedder {
    let page = Image(
      width: side, height: side,
      pixels: (0..<side * side * 3).map { UInt8(($0 * 37) % 251) })
    return Embedder(
      name: name, folder: "/models/\(name)", probe: rows(of: [page, page], turned: turned),
      shrink: { $0.resized(width: side, height: side, by: .bilinear) },
      embed: { images, _ in rows(of: images, turned: turned) })
  }

  static func rows(of images: [Image], turned: Bool) -> Tensor {
    var elements: [Float] = []
    for image in images {
      var sums = [Float](repeating: 0, count: 48)
      for y in 0..<side {
        for x in 0..<side {
          let cell = y * 4 / side * 4 + x * 4 / side
          for channel in 0..<3 {
            sums[cell * 3 + channel] += Float(image.pixels[(y * side + x) * 3 + channel]) - 128
          }
        }
      }
      elements += turned ? Array(sums.reversed()) : sums
    }
    return Tensor(elements, shape: [images.count, 48])
  }
}

/// Ends a run from within.
struct Ended: Error {}

/// A folder of pictures and one for their index.
struct Gallery {
  let folder: TemporaryFolder
  var pictures: URL { folder.file("pictures") }
  var index: URL { folder.file("pictures.index") }

  /// Scenes with seeds from 0 on, as files in two folders.
  init(_ count: Int = 0) throws {
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      at: pictures.appending(path: "inner"), withIntermediateDirectories: true)
    for seed in 0..<count { try add(seed, as: Self.name(seed)) }
  }

  static func name(_ seed: Int) -> String {
    (seed % 3 == 0 ? "inner/" : "") + "scene-\(seed < 10 ? "0" : "")\(seed).png"
  }

  func add(_ seed: Int, as name: String) throws {
    let picture = Scene(seed: UInt64(seed)).painted().image.png()
    try Data(picture).write(to: pictures.appending(path: name))
  }

  /// What lies in the index's folder, by name.
  func namesInIndex() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: index.path).sorted()
  }

  /// Expects an index to be what one made anew would be.
  func expectLikeFresh(
    _ found: PictureIndex, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let fresh = try IndexBuilder(
      pictures: pictures, index: folder.file("other"), embedder: ColourGrid.embedder()
    ).run()
    #expect(found.pictures == fresh.index.pictures, sourceLocation: sourceLocation)
    #expect(found.rows.tensor == fresh.index.rows.tensor, sourceLocation: sourceLocation)
  }

  /// Ends a run from within when so many pictures are done.
  func end(_ builder: IndexBuilder, after count: Int) throws {
    var done = 0
    #expect(throws: Ended.self) {
      try builder.run(
        checkpoint: { if done >= count { throw Ended() } }, progress: { done = $0.done })
    }
  }

  func builder(_ embedder: Embedder = ColourGrid.embedder()) -> IndexBuilder {
    IndexBuilder(pictures: pictures, index: index, embedder: embedder, batch: 4)
  }
}
