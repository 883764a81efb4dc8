import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

struct NPYFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func file(_ header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
    let length = header.utf8.count
    let size = (0..<(version == 1 ? 2 : 4)).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    return [0x93] + Array("NUMPY".utf8) + [version, 0] + size + Array(header.utf8) + data
  }

  func header(_ type: String, _ shape: String, fortran: String = "False") -> String {
    "{'descr': '\(type)', 'fortran_order': \(fortran), 'shape': \(shape), }\n"
  }

  @Test(arguments: [[], [0], [3], [2, 3], [1, 2, 3, 1], [4, 0, 2]])
  func whatIsWrittenIsReadBackAndStartsAtAMultipleOf64(_ shape: [Int]) throws {
    let count = shape.reduce(1, *)
    let tensor = Tensor((0..<count).map { Float($0) - 0.1 }, shape: shape)
    let url = folder.file("a.npy")
    try NPYFile.write(tensor, to: url)
    #expect(try NPYFile(url).tensor == tensor)
    #expect((try WholeFile.read(url).count - 4 * count).isMultiple(of: 64))
    try NPYFile.write(Array(0..<count), shape: shape, to: url)
    #expect(try NPYFile(url).integers == Array(0..<count))
    #expect(try NPYFile(url).shape == shape)
  }

  @Test func bothOrdersOfBytesAndOfAxesAreRead() throws {
    let big = try NPYFile(
      parsing: file(header(">f4", "(2,)"), [0x3F, 0x80, 0, 0, 0xC0, 0, 0, 0]), named: "big")
    #expect(big.tensor == Tensor([1, -2], shape: [2]))
    let fortran = try NPYFile(
      parsing: file(header("|u1", "(2, 3)", fortran: "True"), [1, 4, 2, 5, 3, 6], version: 2),
      named: "fortran")
    #expect(fortran.tensor == Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3]))
    let cube = try NPYFile(
      parsing: file(
        header("<i2", "(2L, 2L, 2L)", fortran: "True"),
        [1, 5, 3, 7, 2, 6, 4, 8].flatMap { [$0, 0] }, version: 3), named: "cube")
    #expect(cube.integers == [1, 2, 3, 4, 5, 6, 7, 8])
  }

  @Test(arguments: [
    ("|O", "(1,)", "pickled objects"), ("<c8", "(1,)", "plain numbers"),
    ("<U3", "(1,)", "plain numbers"),
    ("f4", "(1,)", "plain numbers"), ("<f4", "(3,)", "needs 12 bytes"),
    ("<f4", "(1, 1)", "the file has 8"),
    ("<f4", "(-1,)", "shape"), ("<f4", "(1.0,)", "expected ')'"), ("<f4", "2", "expected '('"),
    ("<f4", "(4294967296, 4294967296, 4294967296)", "too many"),
    ("<f4", "(99999999999999999999,)", "64 bits"),
    ("<f4", "(2,", "shape"),
  ])
  func whatCannotBeReadIsNamed(_ type: String, _ shape: String, _ words: String) {
    do {
      let array = try NPYFile(
        parsing: file(header(type, shape), [UInt8](repeating: 0, count: 8)), named: "a.npy")
      Issue.record("read \(array)")
    } catch {
      #expect(error.description.contains(words) && error.description.hasPrefix("a.npy"))
      #expect(error.exitCode == 65)
    }
  }

  @Test func aDamagedFileIsReadOrRefused() throws {
    let whole = file(header("<f4", "(2, 2)"), [UInt8](repeating: 1, count: 16))
    for length in 0..<whole.count {
      #expect(throws: CheckpointError.self) {
        try NPYFile(parsing: Array(whole[..<length]), named: "cut")
      }
    }
    var random = SplitMix64(seed: 3)
    for _ in 0..<3_000 {
      var bytes = whole
      for _ in 0...random.below(3) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
      _ = try? NPYFile(parsing: bytes, named: "mutant").tensor
    }
  }

  @Test(.enabled(if: Fixtures.shared != nil)) func arraysOfOthersAreRead() throws {
    let pictures = try #require(Fixtures.shared).appending(path: "goldens/pictures")
    let names = try CheckpointFolder(pictures).listing().filter { $0.hasSuffix(".npy") }
    #expect(names.count > 50)
    for name in names {
      let array = try NPYFile(pictures.appending(path: name))
      #expect(array.type == .uint8 && array.shape.last == 3)
    }
  }
}

struct CSVTests {
  @Test func aMatrixIsATableAndAnythingElseAList() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("a.csv")
    try CSV.write(
      Tensor([1, 0.1, .nan, -.infinity, .leastNonzeroMagnitude, 16_777_216], shape: [3, 2]), to: url
    )
    #expect(
      try WholeFile.readText(url) == "0,1\n1,0.100000001\nnan,-inf\n1.40129846e-45,16777216\n")
    try CSV.write(Tensor([1, 2, 3], shape: [1, 3, 1]), axisNames: ["head", "a,b"], to: url)
    #expect(
      try WholeFile.readText(url) == "head,\"a,b\",axis2,value\n0,0,0,1\n0,1,0,2\n0,2,0,3\n")
    try CSV.write(Tensor(7), to: url)
    #expect(try WholeFile.readText(url) == "value\n7\n")
  }

  @Test func nineDigitsReadBackEqual() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("a.csv")
    var random = SplitMix64(seed: 5)
    let numbers = (0..<500).map { _ in Float(bitPattern: UInt32(random.below(0x7F80_0000))) }
    try CSV.write(Tensor(numbers, shape: [500, 1]), to: url)
    let lines = try WholeFile.readText(url).split(separator: "\n").dropFirst()
    #expect(lines.map { Float($0) } == numbers)
  }

  @Test(arguments: [
    ("a", "a"), ("a,b", "\"a,b\""), ("say \"x\"", "\"say \"\"x\"\"\""), ("a\nb", "\"a\nb\""),
    ("=1+1", "'=1+1"), ("-x", "'-x"), ("@a,b", "\"'@a,b\""), ("", ""),
  ])
  func textCellsAreQuotedAndNeverFormulas(_ text: String, _ cell: String) {
    #expect(CSV.field(text) == cell)
  }

  @Test func numbersOfATableKeepTheirSign() throws {
    let folder = try TemporaryFolder()
    let url = folder.file("a.csv")
    try CSV.write(
      header: ["label", "logit"], rows: [[.text("-x"), .number("-0.5")]], to: url)
    #expect(try WholeFile.readText(url) == "label,logit\n'-x,-0.5\n")
  }
}
