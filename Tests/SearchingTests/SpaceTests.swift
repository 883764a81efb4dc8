import Foundation
import Images
import Searching
import Tensors
import TestSupport
import Testing

@Suite struct SpaceTests {
  @Test func thePictureItselfIsNearest() throws {
    let gallery = try Gallery(24)
    let index = try gallery.builder().run().index
    for row in [0, 7, 23] {
      let hits = index.nearest(to: index.rows.rows([row]), count: 5)
      #expect(hits.count == 5)
      #expect(hits[0].row == row)
      #expect(abs(hits[0].similarity - 1) < 1e-5)
      #expect(zip(hits, hits.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
    }
    #expect(index.nearest(to: index.rows.rows([0]), count: 100).count == 24)
    #expect(index.nearest(to: index.rows.rows([0]), count: 0).isEmpty)
  }

  @Test func nearestEqualsSortingEverything() throws {
    let gallery = try Gallery(24)
    let index = try gallery.builder().run().index
    let rows = index.rows.tensor
    let point = rows.rows(3..<4) * 2 + rows.rows(9..<10)
    let scores = point.unitRows().matmulTransposed(rows).elements
    let order = scores.indices.sorted { (scores[$1], $0) < (scores[$0], $1) }
    let hits = index.nearest(to: point, count: 10)
    #expect(hits.map(\.row) == Array(order.prefix(10)))
    for hit in hits { #expect(abs(hit.similarity - scores[hit.row]) < 1e-5) }
  }

  /// Pictures of one colour: three families that nobody could take for another.
  private func flats() throws -> Gallery {
    let gallery = try Gallery()
    for number in 0..<12 {
      let shade = UInt8(200 + number * 3)
      let pixels: [UInt8] =
        [[shade, 20, 20], [20, shade, 20], [20, 20, shade]][number % 3]
      let image = Image(
        width: 40, height: 40, pixels: (0..<1600).flatMap { _ in pixels })
      try Data(image.png()).write(
        to: gallery.pictures.appending(path: "\(["r", "g", "b"][number % 3])\(number).png"))
    }
    return gallery
  }

  @Test func groupsFindWhatBelongsTogether() throws {
    let gallery = try flats()
    defer { withExtendedLifetime(gallery) {} }
    let index = try gallery.builder().run().index
    let groups = try index.groups(3)
    let families = groups.members.map { Set($0.map { index.pictures[$0].path.prefix(1) }) }
    #expect(families.allSatisfy { $0.count == 1 })
    #expect(Set(families).count == 3)
    #expect(groups.members.map(\.count) == [4, 4, 4])
    #expect(groups.tightness > 0.98)
    for (group, members) in groups.members.enumerated() {
      #expect(members.allSatisfy { groups.groupOfRow[$0] == group })
    }
    // The same again gives the same.
    #expect(try index.groups(3).members == groups.members)
    // Words that are the families' own colours name them.
    let words = ColourGrid.rows(
      of: ["r", "g", "b"].map { family in
        let row = index.pictures.firstIndex { $0.path.hasPrefix(family) } ?? 0
        let bytes = (try? Data(contentsOf: index.file(of: row))).map { [UInt8]($0) } ?? []
        let image = try? Image(decoding: bytes, named: family)
        return (image ?? Image(width: 1, height: 1, pixels: [0, 0, 0]))
          .resized(width: 32, height: 32, by: .bilinear)
      }, turned: false)
    let likeness = groups.likeness(to: words)
    for (group, family) in families.enumerated() {
      let word = Int(likeness.argmax(axis: 1).elements[group])
      #expect(family == [["r", "g", "b"][word][...]])
    }
  }

  @Test func groupsOfEveryCountHold() throws {
    let gallery = try flats()
    defer { withExtendedLifetime(gallery) {} }
    let index = try gallery.builder().run().index
    for count in [1, 2, 11, 12] {
      let groups = try index.groups(count)
      #expect(groups.members.flatMap { $0 }.sorted() == Array(0..<12))
      #expect(groups.members.count == count)
    }
    #expect(throws: SearchingError.tooFew(pictures: 12, wanted: 13)) { try index.groups(13) }
    #expect(throws: SearchingError.self) { try index.groups(0) }
  }

  @Test func layoutFollowsTheDirectionsOfMostVariance() throws {
    let gallery = try flats()
    defer { withExtendedLifetime(gallery) {} }
    let index = try gallery.builder().run().index
    let layout = try index.layout()
    #expect(layout.places.shape == [12, 2])
    #expect(layout.shares[0] >= layout.shares[1] && layout.shares[0] > 0.3)
    #expect(layout.shares[0] + layout.shares[1] > 0.99)
    // Uncorrelated, centred, and the variance along the first is its share of all.
    let places = layout.places
    var (sum, cross, first, second): (Double, Double, Double, Double) = (0, 0, 0, 0)
    for row in 0..<12 {
      let (x, y) = (Double(places[row, 0]), Double(places[row, 1]))
      (sum, cross) = (sum + x, cross + x * y)
      (first, second) = (first + x * x, second + y * y)
    }
    #expect(abs(sum) < 1e-4 && abs(cross) < 1e-3)
    #expect(
      abs(
        first / (first + second) - Double(layout.shares[0] / (layout.shares[0] + layout.shares[1])))
        < 1e-3)
    #expect(try index.layout().places == places)
  }

  @Test func oneColourOnlyHasNoDirections() throws {
    let gallery = try Gallery()
    for name in ["a.png", "b.png"] { try gallery.add(3, as: name) }
    let index = try gallery.builder().run().index
    let layout = try index.layout()
    #expect(layout.places.elements.allSatisfy { abs($0) < 1e-5 })
    #expect(try index.groups(2).members.flatMap { $0 }.sorted() == [0, 1])
  }
}
