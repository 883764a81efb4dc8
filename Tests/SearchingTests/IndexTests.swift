import Checkpoints
import Files
import Foundation
import Images
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Searching

@Suite struct IndexTests {
  @Test func everyPictureHasARowOfLengthOneInTheOrderOfPaths() throws {
    let gallery = try Gallery(11)
    let report = try gallery.builder().run()
    let index = try PictureIndex(gallery.index)
    #expect(report.embedded == 11 && report.kept == 0 && report.removed == 0)
    #expect(index.pictures.map(\.path) == (0..<11).map(Gallery.name).sorted())
    #expect(index.rows.shape == [11, 48])
    let lines = try String(
      contentsOf: gallery.index.appending(path: "pictures-1.jsonl"), encoding: .utf8
    ).split(separator: "\n")
    #expect(lines.allSatisfy { $0.firstMatch(of: /"digest": ?"[0-9a-f]{16}"/) != nil })
    let rows = index.rows.tensor
    for (number, picture) in index.pictures.enumerated() {
      let image = try Image(
        decoding: [UInt8](Data(contentsOf: gallery.pictures.appending(path: picture.path))),
        named: picture.path)
      #expect(picture.width == 224 && picture.height == 224)
      let alone = ColourGrid.rows(
        of: [image.resized(width: 32, height: 32, by: .bilinear)], turned: false)
      #expect(rows.row(number) == alone.unitRows().row(0))
    }
  }

  @Test func unchangedFilesAreNotEmbeddedAgain() throws {
    let gallery = try Gallery(7)
    _ = try gallery.builder().run()
    let again = try gallery.builder().run()
    #expect(again.embedded == 0 && again.kept == 7)
    try gallery.add(20, as: "scene-01.png")
    try gallery.add(21, as: "new.png")
    try FileManager.default.removeItem(at: gallery.pictures.appending(path: Gallery.name(2)))
    let third = try gallery.builder().run()
    #expect(third.embedded == 2 && third.kept == 5 && third.removed == 1)
    // What came of it equals an index made at once.
    let fresh = IndexBuilder(
      pictures: gallery.pictures, index: gallery.folder.file("other"),
      embedder: ColourGrid.embedder())
    let other = try fresh.run()
    #expect(other.index.pictures == third.index.pictures)
    #expect(other.index.rows.tensor == third.index.rows.tensor)
  }

  @Test func anEndedRunGoesOnWhereItWas() throws {
    let gallery = try Gallery(19)
    try gallery.end(gallery.builder(), after: 8)
    #expect(PictureIndex.isUnfinished(gallery.index))
    // As a kill would leave it: half a row and half a line at the end.
    let building = gallery.index.appending(path: "building")
    for (name, bytes) in [
      ("rows.f32", [UInt8](repeating: 7, count: 50)),
      ("pictures.jsonl", Array("{\"path\": \"inn".utf8)),
    ] {
      let handle = try FileHandle(forWritingTo: building.appending(path: name))
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(bytes))
      try handle.close()
    }
    let report = try gallery.builder().run()
    #expect(report.embedded > 0 && report.embedded < 19)
    #expect(report.embedded + report.kept == 19)
    try gallery.expectLikeFresh(report.index)
    #expect(
      try gallery.namesInIndex() == [
        "embeddings-1.safetensors", "index.json", "pictures-1.jsonl", "skipped-1.jsonl",
      ])
  }

  @Test func anEndedRefreshIsNotForgotten() throws {
    let gallery = try Gallery(7)
    _ = try gallery.builder().run()
    // A picture that changed, then as many new ones that the run ends after the first four.
    try gallery.add(20, as: "scene-01.png")
    let new = (1...4).map { "zz-\($0).png" }
    for (seed, name) in new.enumerated() { try gallery.add(30 + seed, as: name) }
    try gallery.end(gallery.builder(), after: 4)
    for name in new {
      try FileManager.default.removeItem(at: gallery.pictures.appending(path: name))
    }
    let report = try gallery.builder().run()
    #expect(report.embedded == 0 && report.kept == 7)
    try gallery.expectLikeFresh(report.index)
  }

  @Test func rowsOfOneModelNeverStandUnderTheProbeOfAnother() throws {
    let gallery = try Gallery(9)
    try gallery.end(gallery.builder(), after: 8)
    let building = gallery.index.appending(path: "building")
    let table = building.appending(path: "pictures.jsonl")
    #expect(try !Data(contentsOf: table).isEmpty)
    // The other model's run ends where it writes its probe.
    let probe = building.appending(path: "probe.f32")
    try FileManager.default.removeItem(at: probe)
    try FileManager.default.createDirectory(at: probe, withIntermediateDirectories: false)
    let other = ColourGrid.embedder(name: "other", turned: true)
    #expect(throws: FileFailure.self) { try gallery.builder(other).run() }
    #expect(try Data(contentsOf: table).isEmpty)
    try FileManager.default.removeItem(at: probe)
    #expect(try gallery.builder(other).run().embedded == 9)
  }

  @Test func whatAnotherModelBeganIsRefusedByNameAndKept() throws {
    let gallery = try Gallery(9)
    try gallery.end(gallery.builder(), after: 8)
    let other = ColourGrid.embedder(name: "other", turned: true)
    let error = #expect(throws: SearchingError.self) { try gallery.builder(other).run() }
    #expect("\(try #require(error))".contains("made with the model colours (/models/colours)"))
    let report = try gallery.builder().run()
    #expect(report.embedded == 1 && report.kept == 8)
    // Under a finished index of this model there is nothing that another could go on with.
    try gallery.add(20, as: "new.png")
    try gallery.add(21, as: "newer.png")
    let building = gallery.index.appending(path: "building")
    try FileManager.default.createDirectory(at: building, withIntermediateDirectories: false)
    try Data("{}\n".utf8).write(to: building.appending(path: "pictures.jsonl"))
    try Data(repeating: 63, count: 48 * 8).write(to: building.appending(path: "probe.f32"))
    #expect(try gallery.builder().run().embedded == 2)
  }

  @Test func anIndexOfAnotherModelIsRefusedByName() throws {
    let gallery = try Gallery(3)
    let index = try gallery.builder().run().index
    try index.check(ColourGrid.embedder(name: "renamed"))
    let other = ColourGrid.embedder(name: "turned", turned: true)
    let error = #expect(throws: SearchingError.self) { try index.check(other) }
    #expect("\(try #require(error))".contains("colours (/models/colours)"))
    #expect("\(try #require(error))".contains("turned (/models/turned)"))
    // Building over it touches nothing.
    try gallery.add(20, as: "new.png")
    let names = try gallery.namesInIndex()
    let refused = #expect(throws: SearchingError.self) { try gallery.builder(other).run() }
    #expect(
      "\(try #require(refused))".contains("go on with that model, or name another folder"))
    #expect(try gallery.namesInIndex() == names)
    #expect(try PictureIndex(gallery.index).rows.tensor == index.rows.tensor)
    #expect(try gallery.builder(ColourGrid.embedder(name: "renamed")).run().embedded == 1)
  }

  @Test func aFolderOfSomethingElseIsRefusedAndLeftAsItIs() throws {
    let gallery = try Gallery(3)
    func refusal(_ names: [String], in inner: String = "") throws -> String {
      let folder = gallery.folder.file("dest-\(UUID().uuidString)")
      try FileManager.default.createDirectory(
        at: folder.appending(path: inner), withIntermediateDirectories: true)
      for name in names { try Data("{}".utf8).write(to: folder.appending(path: name)) }
      let builder = IndexBuilder(
        pictures: gallery.pictures, index: folder, embedder: ColourGrid.embedder())
      let error = #expect(throws: SearchingError.self) { try builder.run() }
      for name in names {
        #expect(try Data(contentsOf: folder.appending(path: name)) == Data("{}".utf8))
      }
      return "\(try #require(error))"
    }
    #expect(try refusal(["index.json"]).contains("holds index.json and is no index"))
    #expect(try refusal(["index.json", "notes.txt"]).contains("holds notes.txt"))
    #expect(try refusal(["building/a.png"], in: "building").contains("holds building"))
    #expect(try refusal(["pictures-2019/a.png"], in: "pictures-2019").contains("pictures-2019"))
    let itself = IndexBuilder(
      pictures: gallery.pictures, index: gallery.pictures, embedder: ColourGrid.embedder())
    #expect(throws: SearchingError.self) { try itself.run() }
    try Data("x".utf8).write(to: gallery.index)
    let file = #expect(throws: FileFailure.self) { try gallery.builder().run() }
    #expect(file?.kind == .notFolder)
  }

  @Test func anUnfinishedOrDamagedIndexIsSaidToBeOneAndMadeAgain() throws {
    let gallery = try Gallery(9)
    func sentence(_ url: URL) throws -> String {
      let error = #expect(throws: SearchingError.self) { try PictureIndex(url) }
      return "\(try #require(error))"
    }
    try gallery.end(gallery.builder(), after: 4)
    try Data().write(to: gallery.index.appending(path: "index.lock"))
    #expect(PictureIndex.isUnfinished(gallery.index))
    #expect(try sentence(gallery.index).contains("is an unfinished or damaged index"))
    #expect(try gallery.builder().run().kept == 4)
    let json = gallery.index.appending(path: "index.json")
    for damage in ["", "{", "{}"] {
      try Data(damage.utf8).write(to: json)
      #expect(try sentence(gallery.index).contains("is an unfinished or damaged index"))
      // Where a folder of pictures is expected, too.
      let builder = IndexBuilder(
        pictures: gallery.index, index: gallery.folder.file("x"), embedder: ColourGrid.embedder())
      let error = #expect(throws: SearchingError.self) { try builder.run() }
      #expect("\(try #require(error))".contains("is an unfinished or damaged index"))
      #expect(try gallery.builder().run().embedded == 9)
    }
    let whole = IndexBuilder(
      pictures: gallery.index, index: gallery.folder.file("x"), embedder: ColourGrid.embedder())
    #expect(throws: SearchingError.isIndex(folder: gallery.index.path)) { try whole.run() }
    for name in ["embeddings-1.safetensors", "pictures-1.jsonl", "skipped-1.jsonl"] {
      try FileManager.default.removeItem(at: gallery.index.appending(path: name))
      #expect(try sentence(gallery.index).contains("\(name): is missing, the index is incomplete"))
      #expect(try gallery.builder().run().index.pictures.count == 9)
    }
  }

  @Test func aRunThatDidNothingLeavesNothing() throws {
    let gallery = try Gallery()
    try Data("x".utf8).write(to: gallery.pictures.appending(path: "a.png"))
    #expect(throws: SearchingError.self) { try gallery.builder().run() }
    #expect(!FileManager.default.fileExists(atPath: gallery.index.path))
    try gallery.add(1, as: "b.png")
    try gallery.end(gallery.builder(), after: 0)
    #expect(!FileManager.default.fileExists(atPath: gallery.index.path))
  }

  @Test func anIndexOutlivesAFolderThatWasEmptied() throws {
    let gallery = try Gallery(2)
    _ = try gallery.builder().run()
    for name in (0..<2).map(Gallery.name) {
      try FileManager.default.removeItem(at: gallery.pictures.appending(path: name))
    }
    let error = #expect(throws: SearchingError.self) { try gallery.builder().run() }
    #expect("\(try #require(error))".contains("keeps its 2 pictures, remove that folder"))
    #expect(try PictureIndex(gallery.index).pictures.count == 2)
  }

  @Test func aPictureWithoutFiniteNumbersIsSkippedAndARowOfThemIsDamage() throws {
    let gallery = try Gallery(5)
    let plain = ColourGrid.embedder()
    var numbers = plain.probe.elements
    let broken = Embedder(
      name: "broken", folder: "/models/broken", probe: plain.probe, shrink: plain.shrink,
      embed: { images, isCancelled in
        let rows = try plain.embed(images, isCancelled)
        var elements = rows.elements
        elements[48 + 7] = .nan
        return Tensor(elements, shape: rows.shape)
      })
    let builder = IndexBuilder(
      pictures: gallery.pictures, index: gallery.index, embedder: broken, batch: 8)
    let index = try builder.run().index
    #expect(index.pictures.count == 4)
    #expect(index.skipped.map(\.reason) == ["the model gave no finite numbers"])

    let file = gallery.index.appending(path: index.embeddingsName)
    numbers = index.rows.tensor.elements
    numbers[2 * 48 + 3] = .nan
    try Safetensors.write(
      [(name: "embeddings", tensor: Tensor(numbers, shape: [4, 48])), ("probe", plain.probe)],
      to: file)
    let error = #expect(throws: SearchingError.self) { try PictureIndex(gallery.index) }
    let sentence = "\(try #require(error))"
    #expect(sentence.contains("the numbers of \(index.pictures[2].path) are not all finite"))
  }

  @Test func aBatchIsEndedBetweenBlocks() throws {
    let gallery = try Gallery(3)
    let plain = ColourGrid.embedder()
    let asked = Mutex(0)
    let slow = Embedder(
      name: "slow", folder: "/models/slow", probe: plain.probe, shrink: plain.shrink,
      embed: { images, isCancelled in
        while !isCancelled() { asked.withLock { $0 += 1 } }
        throw SearchingError.tooFew(pictures: 0, wanted: 0)
      })
    #expect(throws: Ended.self) {
      try gallery.builder(slow).run(checkpoint: {
        if asked.withLock({ $0 }) >= 3 { throw Ended() }
      })
    }
    #expect(asked.withLock { $0 } == 3)
  }

  @Test func numbersHaveTheirForms() {
    for (error, words) in [
      (.noPictures(folder: "a", otherFiles: 1), "only 1 other file;"),
      (.noPictures(folder: "a", otherFiles: 2), "only 2 other files;"),
      (
        .nothingReadable(folder: "a", count: 1, first: "x"), "its only picture could not be read: x"
      ),
      (.tooFew(pictures: 1, wanted: 2), "2 groups of 1 picture;"),
      (.emptied(folder: "a", index: "b", count: 1), "keeps its 1 picture,"),
    ] as [(SearchingError, String)] {
      #expect("\(error)".contains(words), "\(error)")
    }
  }

  @Test func unreadablePicturesAreSkippedAndListed() throws {
    let gallery = try Gallery(4)
    let files = FileManager.default
    let whole = try Data(contentsOf: gallery.pictures.appending(path: Gallery.name(1)))
    let cut = gallery.pictures.appending(path: "cut.png")
    try whole.prefix(whole.count / 2).write(to: cut)
    try Data("no picture".utf8).write(to: gallery.pictures.appending(path: "text.jpg"))
    try Data().write(to: gallery.pictures.appending(path: "empty.png"))
    try Data("notes".utf8).write(to: gallery.pictures.appending(path: "notes.txt"))
    try Data(whole).write(to: gallery.pictures.appending(path: ".hidden.png"))
    try files.createSymbolicLink(
      at: gallery.pictures.appending(path: "gone.png"),
      withDestinationURL: gallery.pictures.appending(path: "nowhere.png"))
    let report = try gallery.builder().run()
    #expect(report.embedded == 4 && report.otherFiles == 1)
    #expect(report.index.skipped.map(\.path) == ["cut.png", "empty.png", "gone.png", "text.jpg"])
    #expect(report.index.skipped[0].reason.contains("expected the whole picture"))
    #expect(report.index.skipped[1].reason.contains("empty"))
    #expect(report.index.skipped[3].reason.contains("text"))
    let again = try PictureIndex(gallery.index)
    #expect(again.skipped == report.index.skipped)
    // A picture that is mended comes in.
    try whole.write(to: cut)
    #expect(try gallery.builder().run().index.pictures.contains { $0.path == "cut.png" })
  }

  @Test func loopsOfLinksAndOneFileUnderTwoNamesCountOnce() throws {
    let gallery = try Gallery(3)
    let files = FileManager.default
    try files.createSymbolicLink(
      at: gallery.pictures.appending(path: "inner/up"), withDestinationURL: gallery.pictures)
    try files.createSymbolicLink(
      at: gallery.pictures.appending(path: "zzz.png"),
      withDestinationURL: gallery.pictures.appending(path: Gallery.name(1)))
    try files.createSymbolicLink(
      at: gallery.pictures.appending(path: "round.png"),
      withDestinationURL: gallery.pictures.appending(path: "round.png"))
    let report = try gallery.builder().run()
    #expect(report.index.pictures.map(\.path) == (0..<3).map(Gallery.name).sorted())
    #expect(report.index.skipped.map(\.path) == ["round.png"])
  }

  @Test func copiesOfAPictureAreEmbeddedOnce() throws {
    let gallery = try Gallery(3)
    try gallery.add(1, as: "copy.png")
    let first = try gallery.builder().run()
    try gallery.add(1, as: "later.png")
    let second = try gallery.builder().run()
    #expect(first.embedded + first.copied == 4)
    #expect(second.embedded == 0 && second.copied == 1)
    let index = second.index
    let place = Dictionary(uniqueKeysWithValues: index.pictures.enumerated().map { ($1.path, $0) })
    let (a, b) = (try #require(place["later.png"]), try #require(place[Gallery.name(1)]))
    #expect(index.pictures[a].digest == index.pictures[b].digest)
    #expect(index.rows.tensor.row(a) == index.rows.tensor.row(b))
  }

  @Test func namesThatAreNotTextAreSkippedNotFatal() throws {
    let gallery = try Gallery(2)
    let path = gallery.pictures.path + "/"
    let name = Array(path.utf8) + [0x66, 0xFF, 0x2E, 0x70, 0x6E, 0x67, 0]
    let made = name.withUnsafeBufferPointer { bytes in
      bytes.baseAddress.map { start in
        start.withMemoryRebound(to: CChar.self, capacity: name.count) { fopen($0, "w") }
      }
    }
    fclose(try #require(made ?? nil))
    let report = try gallery.builder().run()
    #expect(report.embedded == 2)
    #expect(report.index.skipped.map(\.path) == ["?"])
    #expect(report.index.skipped[0].reason.contains("UTF-8"))
  }

  @Test func foldersWithoutPicturesAreRefused() throws {
    let gallery = try Gallery()
    #expect(throws: SearchingError.noPictures(folder: gallery.pictures.path, otherFiles: 0)) {
      try gallery.builder().run()
    }
    try Data("x".utf8).write(to: gallery.pictures.appending(path: "a.png"))
    let error = #expect(throws: SearchingError.self) { try gallery.builder().run() }
    #expect("\(try #require(error))".contains("its only picture could not be read"))
    #expect(throws: FileFailure.self) {
      try IndexBuilder(
        pictures: gallery.folder.file("nothing"), index: gallery.index,
        embedder: ColourGrid.embedder()
      ).run()
    }
  }

  @Test func damagedIndexesAreRefusedByFileAndMadeAgain() throws {
    let gallery = try Gallery(3)
    _ = try gallery.builder().run()
    let table = gallery.index.appending(path: "pictures-1.jsonl")
    let lines = try String(contentsOf: table, encoding: .utf8)
    for damage in [String(lines.dropLast(10)), "", lines + lines, "[]\n" + lines, "{"] {
      try Data(damage.utf8).write(to: table)
      #expect(throws: SearchingError.self) { try PictureIndex(gallery.index) }
    }
    #expect(try gallery.builder().run().index.pictures.count == 3)
    #expect(throws: SearchingError.self) { try PictureIndex(gallery.pictures) }
    try Data("{\"format\": \"fovea picture index\", \"version\": 2}".utf8)
      .write(to: gallery.index.appending(path: "index.json"))
    #expect(throws: SearchingError.self) { try PictureIndex(gallery.index) }
  }

  @Test func aNumberThatNoRunCanHaveWrittenIsDamage() throws {
    let gallery = try Gallery(2)
    _ = try gallery.builder().run()
    let file = gallery.index.appending(path: "index.json")
    let text = try String(contentsOf: file, encoding: .utf8)
    let range = try #require(text.range(of: "\"generation\": 1"))
    for number in ["9223372036854775807", "281474976710656", "0", "-1", "1.5", "\"1\"", "1e300"] {
      let changed = text.replacingCharacters(in: range, with: "\"generation\": \(number)")
      try Data(changed.utf8).write(to: file)
      let error = #expect(throws: SearchingError.self) { try PictureIndex(gallery.index) }
      #expect("\(try #require(error))".contains("generation"))
      try gallery.add(2, as: "new.png")
      #expect(try gallery.builder().run().index.pictures.count == 3)
      try FileManager.default.removeItem(at: gallery.pictures.appending(path: "new.png"))
    }
  }

  @Test func picturesAndIndexMayMoveTogether() throws {
    let gallery = try Gallery(3)
    _ = try gallery.builder().run()
    let new = gallery.folder.file("moved")
    try FileManager.default.createDirectory(at: new, withIntermediateDirectories: true)
    for url in [gallery.pictures, gallery.index] {
      try FileManager.default.moveItem(at: url, to: new.appending(path: url.lastPathComponent))
    }
    let index = try PictureIndex(new.appending(path: "pictures.index"))
    #expect(FileManager.default.fileExists(atPath: index.file(of: 0).path))
  }

  @Test func aSecondProcessIsSentAway() throws {
    let gallery = try Gallery(9)
    var inner: SearchingError?
    _ = try gallery.builder().run(checkpoint: {
      guard inner == nil else { return }
      do { _ = try gallery.builder().run() } catch { inner = error as? SearchingError }
    })
    #expect(inner == .busy(folder: gallery.index.path))
  }

  @Test func aSecondProcessIsSentAwayWhileNeighboursAreLinked() throws {
    let gallery = try Gallery(9)
    func builder() -> IndexBuilder {
      IndexBuilder(
        pictures: gallery.pictures, index: gallery.index, embedder: ColourGrid.embedder(),
        method: .approximate)
    }
    var inner: [SearchingError] = []
    let report = try builder().run(progress: { state in
      guard state.isLinking, inner.isEmpty else { return }
      do { _ = try builder().run() } catch { inner += [error as? SearchingError].compactMap { $0 } }
      do { _ = try PictureIndex(gallery.index).arrange() } catch {
        inner += [error as? SearchingError].compactMap { $0 }
      }
    })
    let busy = SearchingError.busy(folder: gallery.index.path)
    #expect(inner == [busy, busy])
    #expect(report.index.nearestFacts?.count == 9)
    #expect(
      try gallery.namesInIndex() == [
        "embeddings-1.safetensors", "index.json", "nearest-1.hnsw", "nearest-1.json",
        "pictures-1.jsonl", "skipped-1.jsonl",
      ])
  }

  @Test func whatAKilledRunLeftIsClearedAway() throws {
    let gallery = try Gallery(3)
    _ = try gallery.builder().run()
    for name in [
      ".nearest-1.hnsw.99999.abc.tmp", ".embeddings-2.safetensors.99999.abc.tmp", "index.lock",
    ] {
      try Data("part".utf8).write(to: gallery.index.appending(path: name))
    }
    try gallery.add(20, as: "new.png")
    _ = try gallery.builder().run()
    #expect(
      try gallery.namesInIndex() == [
        "embeddings-2.safetensors", "index.json", "pictures-2.jsonl", "skipped-2.jsonl",
      ])
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/dev/full")))
  func aFullDiskKeepsWhatWasThere() throws {
    var file = try GrowingFile(URL(filePath: "/dev/full"))
    do throws(FileFailure) {
      try file.append([1, 2, 3] as [UInt8])
      Issue.record("writing to a full disk should fail")
    } catch {
      #expect(error.kind == .diskFull)
      #expect("\(error)".hasSuffix("what was there before is unchanged"))
      #expect(!"\(error)".contains("nothing was written"))
    }
    #expect(file.count == 0)
  }
}
