import Checkpoints
import Files
import Foundation
import Searching
import Tensors
import TestSupport
import Testing

/// An index of rows that stand for no pictures: clusters in a cone, as embeddings lie.
private struct Cloud {
  let folder: TemporaryFolder
  let count, width: Int
  var url: URL { folder.file("cloud.index") }

  init(_ count: Int, width: Int = 32, seed: UInt64 = 1) throws {
    (self.count, self.width) = (count, width)
    folder = try TemporaryFolder()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    let table = (0..<count).map {
      #"{"path":"\#($0).png","bytes":1,"modified":1,"width":1,"height":1,"digest":"1"}"#
    }
    try Data((table.joined(separator: "\n") + "\n").utf8)
      .write(to: url.appending(path: "pictures-1.jsonl"))
    try Data().write(to: url.appending(path: "skipped-1.jsonl"))
    try Data(
      """
      {"format": "fovea picture index", "version": 1, "generation": 1, "pictures": "/nowhere",
       "count": \(count), "embeddings": "embeddings-1.safetensors",
       "table": "pictures-1.jsonl", "skipped": "skipped-1.jsonl"}
      """.utf8
    ).write(to: url.appending(path: "index.json"))
    try write(Self.rows(count, width: width, seed: seed))
  }

  func write(_ rows: Tensor) throws {
    try Safetensors.write(
      [(name: "embeddings", tensor: rows), (name: "probe", tensor: rows.rows(0..<2))],
      metadata: [:], to: url.appending(path: "embeddings-1.safetensors"))
  }

  func index() throws -> PictureIndex { try PictureIndex(url) }

  static func rows(_ count: Int, width: Int, seed: UInt64) -> Tensor {
    var centres = Numbers(state: 7)
    let middles = (0..<200 * width).map { _ in centres.next() }
    var noise = Numbers(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
    var elements: [Float] = []
    elements.reserveCapacity(count * width)
    for _ in 0..<count {
      let group = Int(noise.bits() % 200)
      for channel in 0..<width {
        // The same for all, the same for a group, its own.
        elements.append(
          (channel % 3 == 0 ? 0.8 : -0.2) + middles[group * width + channel] + 0.7 * noise.next())
      }
    }
    return Tensor(elements, shape: [count, width]).unitRows()
  }
}

/// xorshift64*; a sum of four uniform numbers is close to a bell.
private struct Numbers {
  var state: UInt64

  mutating func bits() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return (state &* 0x2545_F491_4F6C_DD1D) >> 16
  }

  mutating func next() -> Float {
    (0..<4).reduce(0) { sum, _ in sum + Float(bits() % 65536) / 65536 - 0.5 } * 1.7
  }
}

@Suite struct NeighbourTests {
  /// How many of the ten truly nearest a way finds, of 50 points that are no rows.
  private func recall(_ index: PictureIndex, _ points: Tensor) throws -> Double {
    var found = 0
    for row in 0..<points.shape[0] {
      let point = points.row(row)
      let near = try index.find(near: point, count: 10, by: .approximate)
      #expect(near.graph != nil && near.remark == nil && near.hits.count == 10)
      #expect(zip(near.hits, near.hits.dropFirst()).allSatisfy { $0.similarity >= $1.similarity })
      let truth = index.nearest(to: point, count: 10)
      found += Set(near.hits.map(\.row)).intersection(truth.map(\.row)).count
      // What is found has its true cosine.
      let cosines = Dictionary(uniqueKeysWithValues: truth.map { ($0.row, $0.similarity) })
      for hit in near.hits {
        if let cosine = cosines[hit.row] { #expect(abs(hit.similarity - cosine) < 1e-5) }
      }
    }
    return Double(found) / Double(10 * points.shape[0])
  }

  @Test func aGraphFindsNearlyWhatComparingAllFinds() throws {
    let cloud = try Cloud(20_000)
    let index = try cloud.index()
    var last = (0, 0)
    let facts = try index.arrange(progress: { last = ($0, $1) })
    #expect(last == (20_000, 20_000))
    #expect(facts.count == 20_000 && facts.queryCount == 100 && facts.recall > 0.97)
    let points = Cloud.rows(50, width: 32, seed: 99)
    let found = try recall(index, points)
    #expect(found > 0.97, "recall \(found)")
    // Another process reads it from the disk and finds the same.
    let again = try cloud.index()
    #expect(again.nearestFacts == facts)
    for row in [0, 31] {
      #expect(
        try again.find(near: points.row(row), count: 10, by: .approximate).hits
          == index.find(near: points.row(row), count: 10, by: .approximate).hits)
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: cloud.url.path).sorted() == [
        "embeddings-1.safetensors", "index.json", "nearest-1.hnsw", "nearest-1.json",
        "pictures-1.jsonl", "skipped-1.jsonl",
      ])
  }

  @Test func theLimitDecidesUnlessAWayIsAskedFor() throws {
    let cloud = try Cloud(500)
    defer { withExtendedLifetime(cloud) {} }
    let index = try cloud.index()
    let point = index.rows.rows([3])
    let exact = try index.find(near: point, count: 5, limit: 500)
    #expect(exact.graph == nil && exact.remark == nil)
    // Beyond the limit, but without a graph: exact, and it says why.
    let without = try index.find(near: point, count: 5, limit: 499)
    #expect(without.hits == exact.hits && without.graph == nil)
    #expect(without.remark?.contains("is missing") == true)
    try index.arrange()
    let with = try index.find(near: point, count: 5, limit: 499)
    #expect(with.graph != nil && with.hits.first?.row == 3)
    #expect(try index.find(near: point, count: 5, by: .exact, limit: 499).graph == nil)
    // A graph that finds too little is used only where it is asked for.
    let poor = try index.find(near: point, count: 5, limit: 499, leastRecall: 1.01)
    #expect(poor.hits == exact.hits && poor.remark?.contains("finds only") == true)
    #expect(
      try index.find(near: point, count: 5, by: .approximate, leastRecall: 1.01).graph != nil)
    // More than there are, none, and what has no direction.
    #expect(try index.find(near: point, count: 1000, by: .approximate).hits.count == 500)
    #expect(try index.find(near: point, count: 0, by: .approximate).hits.isEmpty)
    let nothing = try index.find(
      near: Tensor([Float](repeating: .nan, count: 32), shape: [32]), count: 5, by: .approximate)
    #expect(nothing.hits.isEmpty && nothing.graph == nil)
  }

  @Test func aGraphOfOtherRowsIsNotUsedAndMadeAgain() throws {
    let cloud = try Cloud(600)
    let first = try cloud.index().arrange()
    try cloud.write(Cloud.rows(600, width: 32, seed: 5))
    let index = try cloud.index()
    #expect(index.nearestFacts == nil)
    let point = index.rows.rows([17])
    let stale = try index.find(near: point, count: 3, limit: 10)
    #expect(stale.hits.first?.row == 17)
    #expect(stale.remark?.contains("other embeddings") == true)
    let made = try index.find(near: point, count: 3, by: .approximate)
    #expect(made.hits.first?.row == 17 && made.graph != nil && made.graph != first)
    #expect(try cloud.index().nearestFacts == made.graph)
  }

  @Test func damagedGraphsNeverReachTheLibrary() throws {
    let cloud = try Cloud(600)
    try cloud.index().arrange()
    let graph = cloud.url.appending(path: "nearest-1.hnsw")
    let facts = cloud.url.appending(path: "nearest-1.json")
    let (bytes, json) = (try Data(contentsOf: graph), try Data(contentsOf: facts))
    var flipped = bytes
    flipped[bytes.count / 2] ^= 0x40
    for (damage, reason) in [
      (flipped, "was changed"), (bytes.dropLast(100), "was changed"), (Data(), "was changed"),
      (bytes + bytes, "was changed"),
    ] {
      try Data(damage).write(to: graph)
      let found = try cloud.index().find(near: cloud.index().rows.rows([1]), count: 3, limit: 10)
      #expect(found.remark?.contains(reason) == true, "\(found.remark ?? "none")")
      #expect(found.hits.first?.row == 1)
    }
    try bytes.write(to: graph)
    for damage in [Data(), Data("[]".utf8), json.dropLast(30)] {
      try Data(damage).write(to: facts)
      let found = try cloud.index().find(near: cloud.index().rows.rows([1]), count: 3, limit: 10)
      #expect(found.remark?.contains("is damaged") == true)
    }
    try json.write(to: facts)
    #expect(try cloud.index().nearestFacts != nil)
    try FileManager.default.removeItem(at: graph)
    #expect(try cloud.index().nearestFacts == nil)
    #expect(
      try cloud.index().find(near: cloud.index().rows.rows([1]), count: 3, by: .approximate)
        .hits.first?.row == 1)
  }

  /// The digest that an index has of its files.
  private func digest(of bytes: Data) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01B3 ^ (hash >> 29) }
    [UInt8](bytes).withUnsafeBytes { bytes in
      for word in 0..<bytes.count / 8 {
        mix(bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self))
      }
      for byte in bytes[(bytes.count / 8 * 8)...] { mix(UInt64(byte)) }
      mix(UInt64(bytes.count))
    }
    return hash
  }

  @Test func aGraphThatLeadsOutsideItselfIsNotReadThoughItsDigestFits() throws {
    let cloud = try Cloud(300)
    try cloud.index().arrange()
    let graph = cloud.url.appending(path: "nearest-1.hnsw")
    let facts = cloud.url.appending(path: "nearest-1.json")
    let bytes = try Data(contentsOf: graph)
    let json = try String(contentsOf: facts, encoding: .utf8)
    let point = try cloud.index().rows.rows([1])
    /// What a search says of a graph whose digest was made right again; nil where it was used.
    func remark(_ damaged: Data) throws -> String? {
      try damaged.write(to: graph)
      let changed =
        json
        .replacing("\"bytes\": \(bytes.count)", with: "\"bytes\": \(damaged.count)")
        .replacing(
          String(digest(of: bytes), radix: 16), with: String(digest(of: damaged), radix: 16))
      try Data(changed.utf8).write(to: facts)
      let found = try cloud.index().find(near: point, count: 300, limit: 10)
      #expect(found.hits.allSatisfy { (0..<300).contains($0.row) })
      return found.remark
    }
    #expect(try remark(bytes) == nil)
    func patched(_ offset: Int, _ numbers: [UInt8]) -> Data {
      var damaged = bytes
      damaged.replaceSubrange(offset..<offset + numbers.count, with: numbers)
      return damaged
    }
    // The header's numbers end at byte 96; a row of the ground level has 4 + 32 · 4 bytes of links,
    // its number and its label. Behind the 300 rows come the links above.
    let row = 4 + 32 * 4 + 8 + 8
    let above = 96 + 300 * row
    var cases: [(String, Data)] = [
      ("the entry", patched(52, [0x2C, 1, 0, 0])), ("the top level", patched(48, [0, 0, 0, 0x7F])),
      ("no links a row", patched(56, [0xFF, 0xFF, 0xFF, 0x3F, 0, 0, 0, 0])),
      ("the size of a row", patched(24, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F])),
      ("the place of a label", patched(32, [0, 0, 0, 0x40])),
      ("the number of links", patched(96, [0xFF, 0xFF])), ("a mark", patched(96 + 2, [1])),
      ("a link", patched(96 + 4, [0x2C, 1, 0, 0])),
      ("a far link", patched(96 + 4, [0xFF, 0xFF, 0xFF, 0xFF])),
      ("a number", patched(96 + row - 16, [0x2C, 1])),
      ("a label", patched(96 + row - 8, [0x2C, 1])),
      ("a label twice", patched(96 + row - 16, Array(bytes[96 + 2 * row - 16..<96 + 2 * row]))),
      ("links above", patched(above, [0xFF, 0xFF, 0xFF, 0x7F])), ("one byte more", bytes + [0]),
      ("cut off", Data(bytes.dropLast(4))), ("nothing", Data()),
      ("half a header", bytes.prefix(40)),
    ]
    // A level that only the file's last row with links above would have.
    if let place = stride(from: bytes.count - 4, to: above, by: -4).first(where: {
      bytes[$0] == 0x44 && bytes[$0 + 1] == 0
    }) {
      cases.append(("a link above", patched(place + 8, [0x2C, 1, 0, 0])))
    }
    for (what, damaged) in cases {
      let said = try remark(damaged)
      #expect(said?.contains("cannot be read") == true, "\(what): \(said ?? "was used")")
    }
    // Wherever else a byte is changed, it is found or the search stays inside.
    var random = SplitMix64(seed: 4)
    for _ in 0..<150 {
      let place = random.below(2) == 0 ? random.below(96) : random.below(bytes.count)
      _ = try remark(patched(place, [UInt8(random.below(256))]))
    }
  }

  @Test func twoProcessesDoNotLinkOneIndexAtOnce() throws {
    let cloud = try Cloud(600)
    var inner: SearchingError?
    let facts = try cloud.index().arrange(progress: { done, _ in
      guard done > 0, inner == nil else { return }
      do { try cloud.index().arrange() } catch { inner = error as? SearchingError }
    })
    #expect(inner == .busy(folder: cloud.url.path))
    #expect(try cloud.index().nearestFacts == facts)
  }

  @Test func aGraphThatCannotBeWrittenSaysWhy() throws {
    let cloud = try Cloud(50)
    try FileManager.default.createDirectory(
      at: cloud.url.appending(path: "nearest-1.hnsw"), withIntermediateDirectories: false)
    let error = #expect(throws: FileFailure.self) { try cloud.index().arrange() }
    #expect(error?.kind == .folder)
  }

  @Test func whereNoGraphCanBeWrittenTheSearchIsExactAndSaysWhy() throws {
    let cloud = try Cloud(50)
    let index = try cloud.index()
    let point = index.rows.rows([3])
    try FileManager.default.createDirectory(
      at: cloud.url.appending(path: "index.lock"), withIntermediateDirectories: false)
    let found = try index.find(near: point, count: 5, by: .approximate)
    #expect(found.hits == index.nearest(to: point, count: 5) && found.graph == nil)
    let remark = try #require(found.remark)
    #expect(remark.hasPrefix("its graph of neighbours is missing, and none can be made: "))
    #expect(remark.contains("index.lock"))
    // Whoever may not write is asked before anything is done.
    struct Forbidden: Error {}
    #expect(throws: Forbidden.self) {
      try index.find(
        near: point, count: 5, by: .approximate, beforeWriting: { throw Forbidden() })
    }
  }

  @Test func linkingCanBeEndedAndLeavesNothing() throws {
    struct Ended: Error {}
    let cloud = try Cloud(9_000)
    var rounds = 0
    #expect(throws: Ended.self) {
      try cloud.index().arrange(checkpoint: {
        rounds += 1
        if rounds == 2 { throw Ended() }
      })
    }
    let names = try FileManager.default.contentsOfDirectory(atPath: cloud.url.path)
    #expect(!names.contains { $0.contains("nearest") || $0.contains("lock") })
  }

  @Test func aFewRowsAreLinkedToo() throws {
    for count in [2, 3, 11] {
      let cloud = try Cloud(count)
      defer { withExtendedLifetime(cloud) {} }
      let index = try cloud.index()
      let facts = try index.arrange()
      #expect(facts.count == count && facts.queryCount == count / 10)
      let found = try index.find(near: index.rows.rows([1]), count: 20, by: .approximate)
      #expect(found.hits.map(\.row).sorted() == Array(0..<count))
    }
  }

  @Test func anIndexOfPicturesKeepsItsGraphUpToDate() throws {
    let gallery = try Gallery(24)
    func build(_ method: SearchMethod) throws -> PictureIndex {
      try IndexBuilder(
        pictures: gallery.pictures, index: gallery.index, embedder: ColourGrid.embedder(),
        method: method
      ).run().index
    }
    #expect(try build(.automatic).nearestFacts == nil)
    #expect(try build(.approximate).nearestFacts?.count == 24)
    try gallery.add(30, as: "new.png")
    // The pictures changed, so that the graph is gone with the embeddings it was made of.
    let exact = try build(.exact)
    #expect(exact.nearestFacts == nil)
    let names = try FileManager.default.contentsOfDirectory(atPath: gallery.index.path)
    #expect(!names.contains { $0.hasPrefix("nearest") })
    let linked = try build(.approximate)
    #expect(linked.nearestFacts?.count == 25)
    let hits = try linked.find(near: linked.rows.rows([24]), count: 25, by: .approximate).hits
    #expect(hits.first?.row == 24 && hits.count == 25)
  }
}
