import Files
import Foundation
import Images
import Scenes
import Testing

struct FileTests {
  @Test func aFolderHoldsPicturesAndRecordsThatReadBack() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "scenes-\(UUID())")
    defer { try? FileManager.default.removeItem(at: folder) }
    var counted: [Int] = []
    try SceneFolder.write(count: 3, seed: 40, to: folder) { counted.append($0) }
    #expect(counted == [1, 2, 3])
    let lines = try String(contentsOf: folder.appending(path: "scenes.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3)
    for (index, line) in lines.enumerated() {
      let record = try JSON(parsing: Array(line.utf8))
      let scene = Scene(seed: 40 + UInt64(index))
      #expect(record["image"]?.text == "00000\(index).png")
      #expect(record["caption"]?.text == scene.caption)
      #expect(record["questions"]?.array?.count == scene.questions.count)
      #expect(record["objects"]?[0]?["box"]?[0]?.int == scene.objects[0].box.left)
      let file = try Data(contentsOf: folder.appending(path: "00000\(index).png"))
      let image = try Image(decoding: Array(file), named: "scene")
      #expect(image == scene.painted().image)
    }
  }

  @Test func aFolderThatCannotBeMadeIsAnErrorWithItsPath() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "scenes-\(UUID())")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let failure = #expect(throws: FileFailure.self) {
      try SceneFolder.write(count: 1, seed: 1, to: file.appending(path: "below"))
    }
    #expect(failure?.kind == .notFolder && failure?.path == file.path)
  }

  @Test func scenesAreThereAllOrNone() throws {
    struct Stop: Error {}
    let folder = FileManager.default.temporaryDirectory.appending(path: "scenes-\(UUID())/inner")
    let parent = folder.deletingLastPathComponent()
    defer { try? FileManager.default.removeItem(at: parent) }
    func names(_ url: URL) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: url.path).sorted()
    }
    #expect(throws: Stop.self) {
      try SceneFolder.write(count: 3, seed: 1, to: folder) { if $0 == 2 { throw Stop() } }
    }
    #expect(try names(parent) == [])
    try SceneFolder.write(count: 3, seed: 1, to: folder)
    #expect(throws: Stop.self) {
      try SceneFolder.write(count: 1, seed: 1, to: folder) { _ in throw Stop() }
    }
    #expect(try names(folder).count == 4)
    try SceneFolder.write(count: 1, seed: 1, to: folder)
    #expect(try names(folder) == ["000000.png", "scenes.jsonl"])
    // What is not of scenes is not replaced.
    try Data().write(to: folder.appending(path: "notes.txt"))
    let failure = #expect(throws: FileFailure.self) {
      try SceneFolder.write(count: 1, seed: 1, to: folder)
    }
    #expect(failure?.kind == .occupied)
    #expect(try names(parent) == ["inner"])
  }

  @Test func framesHoldRecordPixelsAndOwners() throws {
    let scene = Scene(seed: 12)
    let bytes = SceneFrame(of: scene, grid: 40).bytes
    let length = (0..<4).reduce(0) { $0 | Int(bytes[$1]) << (8 * $1) }
    #expect(try JSON(parsing: Array(bytes[4..<(4 + length)])) == scene.json)
    let painting = scene.painted()
    let pixels = bytes[(4 + length)..<(4 + length + 224 * 224 * 3)]
    #expect(Array(pixels) == painting.image.pixels)
    #expect(Array(bytes.suffix(1600)) == painting.owners(columns: 40, rows: 40))
    #expect(bytes.count == 4 + length + 224 * 224 * 3 + 1600)
    #expect(SceneFrame(of: scene, grid: nil).bytes.count == 4 + length)
  }
}
