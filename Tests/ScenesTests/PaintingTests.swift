import Images
import Scenes
import Testing

struct PaintingTests {
  @Test func everyBoxIsTheExtentOfItsObjectsPixels() {
    for seed in UInt64(0)..<25 {
      let scene = Scene(seed: seed)
      let owners = scene.painted().owners
      for (index, object) in scene.objects.enumerated() {
        let places = owners.indices.filter { owners[$0] == UInt8(index + 1) }
        let columns = places.map { $0 % Scene.side }
        let rows = places.map { $0 / Scene.side }
        let box = object.box
        let found = [columns.min(), rows.min(), columns.max(), rows.max()].map { $0 ?? -1 }
        let wanted = [box.left, box.top, box.right - 1, box.bottom - 1]
        for (found, wanted) in zip(found, wanted) {
          // A tip narrower than half a pixel owns none: stars and triangles may miss two.
          #expect(abs(found - wanted) <= 3, "seed \(seed), \(object.fullName)")
        }
      }
    }
  }

  @Test func everyObjectsPixelsHaveItsColor() {
    for seed in UInt64(0)..<20 {
      let scene = Scene(seed: seed)
      let painting = scene.painted()
      for (index, object) in scene.objects.enumerated() {
        var right = 0
        var all = 0
        for place in painting.owners.indices where painting.owners[place] == UInt8(index + 1) {
          all += 1
          let pixel = (0..<3).map { Int(painting.image.pixels[place * 3 + $0]) }
          let off = zip(pixel, object.color.components).map { abs($0 - $1) }.max() ?? 255
          if off <= 14 { right += 1 }
        }
        #expect(Double(right) > 0.85 * Double(all), "seed \(seed), \(object.fullName)")
      }
    }
  }

  @Test func backgroundsAreLightAndTouchNoObject() {
    for seed in UInt64(0)..<20 {
      let painting = Scene(seed: seed).painted()
      // The outermost two columns belong to nobody.
      for row in 0..<Scene.side {
        #expect(painting.owners[row * Scene.side] == 0)
        #expect(painting.image.pixels[row * Scene.side * 3] >= 150)
      }
    }
  }

  @Test func aCircleCoversPiQuartersOfItsBox() {
    for seed in UInt64(0)..<40 {
      let scene = Scene(seed: seed, population: .exactly(1...1))
      guard let object = scene.objects.first else {
        Issue.record("seed \(seed) has no object")
        continue
      }
      let owned = scene.painted().owners.count { $0 == 1 }
      let share = Double(owned) / Double(object.box.width * object.box.height)
      let expected: ClosedRange<Double> =
        switch object.shape {
        case .circle: 0.77...0.80
        case .rectangle: 1...1
        case .triangle: 0.49...0.52
        case .cross: 0.55...0.63
        case .star: 0.30...0.42
        }
      #expect(expected.contains(share), "seed \(seed), \(object.fullName): \(share)")
    }
  }

  @Test func theMapOfOwnersAgreesWithThePixels() {
    let painting = Scene(seed: 9).painted()
    #expect(painting.owners(columns: Scene.side, rows: Scene.side) == painting.owners)
    let coarse = painting.owners(columns: 4, rows: 4)
    #expect(coarse.count == 16)
    #expect(coarse[5] == painting.owners[84 * Scene.side + 84])
  }
}
