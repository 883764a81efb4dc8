import Scenes
import Testing

struct SceneTests {
  @Test func populationsKeepTheirPromise() {
    var seen: [Int: Int] = [:]
    for seed in UInt64(0)..<200 { seen[Scene(seed: seed).objects.count, default: 0] += 1 }
    #expect(Set(seen.keys) == [1, 2, 3, 4])
    for seed in UInt64(0)..<200 {
      #expect((1...3).contains(Scene(seed: seed, population: .exactly(1...3)).objects.count))
      #expect(Scene(seed: seed, population: .exactly(4...4)).objects.count == 4)
      #expect((4...11).contains(Scene(seed: seed, population: .crowded).objects.count))
    }
  }

  @Test func objectsLieInThePictureAndApart() {
    for seed in UInt64(0)..<150 {
      let objects = Scene(seed: seed).objects
      for (index, object) in objects.enumerated() {
        #expect(object.box.left >= 2 && object.box.top >= 2)
        #expect(object.box.right <= Scene.side - 2 && object.box.bottom <= Scene.side - 2)
        #expect(object.box.width >= 31 && object.box.height >= 31)
        for other in objects[(index + 1)...] {
          #expect(!object.box.isNear(other.box, gap: 4))
          #expect(object.name != other.name)
        }
      }
    }
  }

  @Test func smallAndLargeDoNotMeet() {
    for seed in UInt64(0)..<150 {
      for object in Scene(seed: seed).objects {
        let area = object.box.width * object.box.height
        #expect(object.size == .small ? area <= 58 * 58 : area >= 79 * 68)
      }
    }
  }

  @Test(arguments: ["", "0", "5", "3-1", "1-2-3", "many", "-2", "1-"])
  func anUnknownPopulationIsAnError(text: String) {
    #expect(throws: SceneError.unknownPopulation(text)) { try Scene.Population(parsing: text) }
  }

  @Test func populationsAreReadFromWords() throws {
    #expect(try Scene.Population(parsing: "usual") == .usual)
    #expect(try Scene.Population(parsing: "crowded") == .crowded)
    #expect(try Scene.Population(parsing: "2") == .exactly(2...2))
    #expect(try Scene.Population(parsing: "1-3") == .exactly(1...3))
  }
}
