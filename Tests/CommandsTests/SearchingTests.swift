import Commands
import Foundation
import Language
import Runtime
import TestSupport
import Testing

/// A session whose scripts' folder holds pictures with one object each, and their index.
private func gallery(_ count: Int = 24) throws -> Workshop {
  let workshop = try Workshop()
  _ = try workshop.value(
    """
    for seed in range(\(count)):
        save(scene(seed, objects=1), f"single/{seed}.png")
    i = index("fovea-out/single")
    i
    """)
  return workshop
}

@Suite struct SearchingCommandTests {
  @Test func wordsFindThePicturesThatShowIt() throws {
    let workshop = try gallery(40)
    // Of every name the first picture shows it, wherever one does.
    _ = try workshop.value(
      """
      wrong = []
      for seed in range(40):
          o = scene(seed, objects=1).objects[0]
          first = search(f"a {o['color']} {o['shape']}", top=1)[0]["picture"]
          found = scene(int(first[:-4]), objects=1).objects[0]
          if found["color"] != o["color"] or found["shape"] != o["shape"]:
              wrong.append((seed, first))
      wrong
      """)
    #expect(workshop.run("wrong").shown == "[]")
  }

  @Test func aPictureFindsItself() throws {
    let workshop = try gallery()
    let first = try workshop.value("search(i[3], i, top=2)[0]")
    #expect(first.plain.contains("'picture': '11.png'"), "\(first.plain)")
    #expect(workshop.run("search(i[3], i, top=2)[0][\"similarity\"] > 0.9999").shown == "True")
  }

  @Test func searchingApproximatelyIsAskedForAndSaid() throws {
    let workshop = try gallery(30)
    _ = try workshop.value(
      "e = search(\"a star\", top=5)\na = search(\"a star\", top=5, method=\"approximate\")\na")
    let said = try #require(workshop.run("a").shown)
    #expect(said.contains("approximately: ") && said.contains("graph of neighbours"), "\(said)")
    #expect(workshop.run("e").shown?.contains("approximately") == false)
    #expect(workshop.run("a[\"picture\"] == e[\"picture\"]").shown == "True")
    let refused = try #require(workshop.run("search(\"a star\", method=\"fast\")").failure)
    #expect(
      refused.message.contains("'auto', 'exact' or 'approximate'"), "\(refused.message)")
  }

  @Test func aGraphIsWrittenOnlyWhereFilesMayBe() throws {
    let workshop = try gallery(6)
    let (files, inside) = (FileManager.default, workshop.folder.appending(path: "fovea-out"))
    let outside = workshop.folder.appending(path: "outside.index")
    try files.copyItem(at: inside.appending(path: "single.index"), to: outside)
    let names = try files.contentsOfDirectory(atPath: outside.path).sorted()
    let search = "search(\"a star\", index=\"outside.index\", method=\"approximate\")"
    let failure = try #require(workshop.run(search).failure)
    #expect(failure.kind == .permission)
    #expect(failure.message.contains("lies outside the output folder"), "\(failure.message)")
    #expect(failure.hint?.contains("--allow-write") == true)
    #expect(try files.contentsOfDirectory(atPath: outside.path).sorted() == names)
    // A graph that is there may be followed wherever it is.
    _ = try workshop.value("search(\"a star\", i, method=\"approximate\")")
    for name in ["nearest-1.hnsw", "nearest-1.json"] {
      try files.copyItem(
        at: inside.appending(path: "single.index/\(name)"), to: outside.appending(path: name))
    }
    #expect(workshop.run(search).shown?.contains("approximately") == true)
  }

  @Test func whereNoGraphCanBeWrittenTheResultSaysSo() throws {
    let workshop = try gallery(6)
    try FileManager.default.createDirectory(
      at: workshop.folder.appending(path: "fovea-out/single.index/index.lock"),
      withIntermediateDirectories: false)
    let said = try #require(workshop.run("search(\"a star\", method=\"approximate\")").shown)
    #expect(said.contains("every one compared: its graph of neighbours is missing"), "\(said)")
  }

  @Test func aPictureThatIsGoneStopsTheLoopThatReadsIt() throws {
    let workshop = try gallery(3)
    try FileManager.default.removeItem(
      at: workshop.folder.appending(path: "fovea-out/single/1.png"))
    let result = workshop.run("x = 1\nfor p in i:\n    pass")
    let failure = try #require(result.failure)
    #expect(failure.message.contains("1.png: no such file"))
    #expect(result.diagnostics.last?.drawn(width: 80).hasPrefix("cell:2:10: error:") == true)
    let one = workshop.run("x = 1\ny = i[1]")
    #expect(one.diagnostics.last?.drawn(width: 80).hasPrefix("cell:2:7: error:") == true)
  }

  @Test func anIndexIsGoneOnWithByTheModelThatMadeIt() throws {
    let workshop = try gallery(3)
    let clip = Fixtures.goldens.appending(path: "clip").path
    let failure = try #require(
      workshop.run("load(\"\(clip)\")\nindex(\"fovea-out/single\")").failure)
    #expect(failure.message.contains("single.index was made with the model small-clip"))
    #expect(failure.message.contains("to go on with it, or name another folder with to="))
    let call = try #require(failure.message.firstMatch(of: /load\('.*'\)/)).output
    #expect(workshop.run(call + "\nlen(index(\"fovea-out/single\"))").shown == "3")
  }

  @Test func whatAnEndedIndexLeftIsNoFolderOfPictures() throws {
    let workshop = try gallery(3)
    let json = workshop.folder.appending(path: "fovea-out/single.index/index.json")
    try FileManager.default.removeItem(at: json)
    for call in ["index(\"fovea-out/single.index\")", "search(\"x\", \"fovea-out/single.index\")"] {
      let failure = try #require(workshop.run(call).failure)
      #expect(failure.message.contains("is an unfinished or damaged index"), "\(failure.message)")
    }
  }

  @Test func whatWasFoundCanBeDrawnAndWritten() throws {
    let workshop = try gallery()
    for (name, call) in [
      ("found.png", "search(\"a star\", top=5)"), ("found.csv", "search(\"a star\", top=5)"),
      ("groups.svg", "cluster(3, [\"circle\", \"star\"])"), ("map.pdf", "map()"),
    ] {
      _ = try workshop.value("save(\(call), \"\(name)\")")
      let file = workshop.folder.appending(path: "fovea-out/\(name)")
      #expect(try Data(contentsOf: file).count > 100)
    }
    let refused = workshop.run("save(search(\"a star\"), \"found.txt\")")
    #expect(refused.failure?.message.contains(".png") == true)
  }

  @Test func groupsOfSinglesAreNamedByWhatIsInThem() throws {
    let workshop = try Workshop()
    _ = try workshop.value(
      """
      n = 0
      seed = 0
      while n < 30:
          s = scene(seed, objects=1)
          seed = seed + 1
          if s.objects[0]["shape"] in ["star", "circle"]:
              save(s, f"two/{s.objects[0]['shape']}-{seed}.png")
              n = n + 1
      index("fovea-out/two")
      """)
    let table = try workshop.value("cluster(2, [\"a star\", \"a circle\"])")
    #expect(table.displayed.contains("a star") && table.displayed.contains("a circle"))
    let groups = try workshop.value(
      "[set_of for set_of in [sorted([n.split('-')[0] for n in g]) for g in cluster(2).groups]]")
    // Colour divides as well as shape does, so that a few may stand on the other side.
    #expect(groups.plain.contains("star") && groups.plain.contains("circle"))
  }

  @Test func withoutAnIndexTheSentenceSaysHowToMakeOne() throws {
    let workshop = try Workshop()
    for call in ["search(\"x\")", "cluster()", "map()"] {
      let failure = try #require(workshop.run(call).failure)
      #expect(failure.message.contains("needs an index"))
      #expect(failure.hint?.contains("index(") == true)
    }
    let missing = try #require(workshop.run("search(\"x\", \"nowhere\")").failure)
    #expect(missing.message.contains("nowhere"))
  }

  @Test func aPictureThatIsGoneIsAnEmptyFrameNotAnError() throws {
    let workshop = try gallery(6)
    let gone = workshop.folder.appending(path: "fovea-out/single/2.png")
    try FileManager.default.removeItem(at: gone)
    _ = try workshop.value("save(search(\"a star\"), \"found.png\")")
    #expect(
      workshop.run("search(\"a star\").figure.caption").shown?.contains("Empty frames: 1") == true)
    #expect(workshop.run("len(index(\"fovea-out/single\"))").shown == "5")
  }

  @Test func anIndexIsMadeInTheSpaceOfTheModelAsItIsNow() throws {
    let workshop = try Workshop()
    let clip = Fixtures.goldens.appending(path: "clip").path
    _ = try workshop.value(
      """
      for seed in range(4):
          save(scene(seed, objects=1), f"single/{seed}.png")
      load("\(clip)")
      a = index("fovea-out/single", to="a.index").embeddings
      load("\(clip)", dtype="int4")
      b = index("fovea-out/single", to="b.index").embeddings
      load("\(clip)")
      resize(72)
      c = index("fovea-out/single", to="c.index").embeddings
      load("\(clip)")
      d = index("fovea-out/single", to="d.index").embeddings
      d
      """)
    let found = try ["a", "b", "c", "d"].map { try #require(workshop.value($0).tensor) }
    #expect(found[1] != found[0] && found[2] != found[0] && found[2] != found[1])
    #expect(found[3] == found[0])
  }

  @Test func anIndexOfAnotherModelIsRefusedByItsName() throws {
    let workshop = try gallery(4)
    // The index says where its model was; with another model at hand that is still found.
    let clip = Fixtures.goldens.appending(path: "clip")
    try #require(FileManager.default.fileExists(atPath: clip.appending(path: "config.json").path))
    _ = try workshop.value("load(\"\(clip.path)\")")
    #expect(workshop.run("search(\"a star\", i, top=1)[0][\"rank\"]").shown == "1")
    let json = workshop.folder.appending(path: "fovea-out/single.index/index.json")
    let text = try String(contentsOf: json, encoding: .utf8)
    let range = try #require(text.range(of: "\"folder\": \""))
    try Data(text.replacingCharacters(in: range, with: "\"folder\": \"/no").utf8).write(to: json)
    let failure = try #require(
      workshop.run("search(\"a star\", \"fovea-out/single.index\")").failure)
    #expect(failure.message.contains("was made with the model small-clip"), "\(failure.message)")
  }
}
