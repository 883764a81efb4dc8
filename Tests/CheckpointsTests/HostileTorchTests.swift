import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Pickles that are no state dict, each refused for what is wrong with it, and nothing run.
struct HostileTorchTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Why a file is refused, without its path; how many tensors it has where it is not.
  func verdict(_ bytes: [UInt8]) throws -> String {
    let url = folder.file("x.bin")
    try WholeFile.write(bytes, to: url)
    do {
      let tensors = try TensorCollection(url)
      for name in tensors.names { _ = try tensors.rawBytes(name) }
      return "read \(tensors.names.count)"
    } catch {
      #expect(error.exitCode == 65)
      return error.description.replacing("\(url.path): ", with: "")
    }
  }

  static let four = (key: "0", bytes: [UInt8](repeating: 0, count: 16))

  static func state(_ tensor: [UInt8]) -> [UInt8] { WrittenPickle.dictionary([("x", tensor)]) }

  @Test(arguments: [
    ("posix", "system"), ("builtins", "eval"), ("builtins", "getattr"), ("os", "popen"),
    ("torch", "load"), ("torch.hub", "load"), ("torch._utils", "_import_dotted_name"),
    ("numpy.core.multiarray", "scalar"), ("collections", "namedtuple"), ("torch", "FakeStorage"),
  ])
  func whatCouldBeCalledIsRefusedByName(_ module: String, _ name: String) throws {
    for pickle in [
      // Called, only named, and named as protocol 4 does.
      [0x80, 2] + WrittenPickle.call(WrittenPickle.global(module, name), [WrittenPickle.text("id")])
        + [0x2E],
      Self.state(WrittenPickle.global(module, name)),
      [0x80, 4] + WrittenPickle.text(module) + WrittenPickle.text(name) + [0x93, 0x29, 0x52, 0x2E],
    ] {
      let words = try verdict(WrittenArchive.torch(pickle))
      #expect(words.contains("it names '\(module).\(name)'") && words.contains("nothing was run"))
      #expect(words.hasSuffix("(FV-PT-02)"))
    }
  }

  @Test func whatIsNoStateDictIsSaidToBeWhatItIs() throws {
    let cases: [(pickle: [UInt8], words: String)] = [
      ([0x80, 2, 0x5D, 0x2E], "its pickle holds a list"),
      ([0x4B, 1, 0x2E], "holds a whole number"),
      (WrittenPickle.dictionary([("a", [0x4E])]), "a dictionary without named tensors"),
      (
        WrittenPickle.dictionary(
          ["one", "two"].map {
            ($0, [0x7D] + WrittenPickle.text("x") + Self.tensor + [0x73])
          }), "several dictionaries of tensors ('one', 'two')"
      ),
      ([0x80, 2, 0x52, 0x2E], "the stack is empty"), ([0x80, 9, 0x2E], "pickle protocol 9"),
      ([0x7D, 0xFF, 0x2E], "no pickle instruction 0xff"),
      ([0x69, 0x2E], "instruction INST (0x69)"), ([0x7D, 0x81], "instruction NEWOBJ (0x81)"),
      ([0x7D], "ends without STOP"), ([0x7D, 0x74, 0x2E], "a mark that was not set"),
      ([0x68, 3, 0x2E], "asks for value 3"), ([0x28, 0x2E], "the stack is empty"),
      ([0x5D, 0x4E, 0x4E, 0x73, 0x2E], "SETITEM in a list"),
      ([0x7D, 0x4E, 0x61, 0x2E], "APPEND to a dictionary"),
      ([0x7D, 0x28, 0x4E, 0x75, 0x2E], "a key that has no value"),
      ([0x5D, 0x4E, 0x62, 0x2E], "BUILD sets the state of a list"),
      ([0x58, 0xFF, 0xFF, 0xFF, 0x7F, 0x2E], "a text of 2147483647 bytes"),
      ([UInt8](repeating: 0x5D, count: 200_000) + [0x2E], "nested more than 100000 deep"),
      ([UInt8](repeating: 0x28, count: 200_000) + [0x2E], "nested more than 100000 deep"),
    ]
    for (pickle, words) in cases {
      let said = try verdict(WrittenArchive.torch(pickle, storages: [Self.four]))
      #expect(said.contains(words), "\(said)")
    }
  }

  static let tensor = WrittenPickle.tensor(count: 4, shape: [2, 2], strides: [2, 1])

  @Test func listsInListsInListsAreFreedWithoutDepth() throws {
    // Each list holds the one before it: 300,000 deep, and never more than two on the stack.
    var pickle: [UInt8] = [0x80, 2, 0x5D]
    for _ in 0..<300_000 { pickle += [0x71, 0, 0x5D, 0x68, 0, 0x61] }
    let said = try verdict(WrittenArchive.torch(pickle + [0x2E]))
    #expect(said.contains("nested more than") || said.contains("its pickle holds a list"))
  }

  @Test func tensorsMustFitTheirStorages() throws {
    func said(
      count: Int = 4, offset: Int = 0, _ shape: [Int], _ strides: [Int],
      kind: String = "FloatStorage"
    ) throws -> String {
      try verdict(
        WrittenArchive.torch(
          Self.state(
            WrittenPickle.tensor(
              kind: kind, count: count, offset: offset, shape: shape, strides: strides)),
          storages: [Self.four]))
    }
    #expect(try said([2, 2], [2, 1]) == "read 1")
    #expect(try said([2, 2], [1, 2]) == "read 1")
    #expect(try said([0, 9], [9, 1]) == "read 1")
    #expect(try said([], []) == "read 1")
    #expect(try said(offset: 3, [1], [1]) == "read 1")
    #expect(try said(count: 8, [8], [1], kind: "HalfStorage") == "read 1")
    #expect(try said([5], [1]).contains("reaches beyond its storage of 4"))
    #expect(try said(offset: 4, [1], [1]).contains("reaches beyond"))
    #expect(try said([2], [4]).contains("reaches beyond"))
    #expect(try said([1 << 40, 1 << 40], [0, 0]).contains("reaches beyond"))
    #expect(try said([1 << 20, 1 << 20], [0, 0]).contains("again and again"))
    #expect(try said(count: 5, [2], [1]).contains("storage '0' has 16 bytes"))
    #expect(try said(count: 1 << 62, [2], [1]).contains("storage '0' has 16 bytes"))
    // What is not read takes nothing else with it.
    #expect(try said([2], [1], kind: "ComplexFloatStorage") == "read 0")
    #expect(try said([2], [1, 1]).contains("1 lengths and 2 strides"))
  }

  @Test func storagesAndByteOrderAreChecked() throws {
    let state = Self.state(Self.tensor)
    #expect(try verdict(WrittenArchive.torch(state)).contains("storage '0' is not in the archive"))
    #expect(
      try verdict(WrittenArchive.torch(state, storages: [Self.four], byteOrder: "big"))
        .contains("byte order 'big'"))
    // A key is a name inside the archive, and leads nowhere else.
    let outside = Self.state(
      WrittenPickle.tensor(key: "../../../etc/passwd", count: 4, shape: [4], strides: [1]))
    #expect(
      try verdict(WrittenArchive.torch(outside, storages: [Self.four]))
        .contains("storage '../../../etc/passwd' is not in the archive"))
  }

  @Test func tenThousandDamagedFilesAreReadOrRefused() throws {
    let seeds = try ["plain.bin", "legacy.bin", "training.bin"].map {
      try WholeFile.read(TorchFileTests.goldens.appending(path: $0))
    }
    var random = SplitMix64(seed: 20_261_128)
    let url = folder.file("mutant.bin")
    var (read, rules): (Int, Set<String>) = (0, [])
    var slowest = Duration.zero
    for round in 0..<10_000 {
      var bytes = seeds[round % 3]
      for _ in 0...random.below(3) {
        // Most damage goes to the pickle, which comes first.
        let place = random.below(random.below(4) > 0 ? min(bytes.count, 1600) : bytes.count)
        switch random.below(9) {
        case 0, 1: bytes[place] ^= 1 << UInt8(random.below(8))
        case 2: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
        case 3, 4: bytes[place] = Self.instructions[random.below(Self.instructions.count)]
        case 5: bytes = Array(bytes.prefix(max(1, place)))
        case 6: bytes.insert(contentsOf: bytes[place...].prefix(1 + random.below(40)), at: place)
        case 7:
          let other = seeds[random.below(3)]
          bytes = Array(bytes.prefix(max(1, place))) + other.dropFirst(min(place, other.count))
        default:
          let from = random.below(bytes.count)
          let piece = Array(bytes[from...].prefix(1 + random.below(24)))
          bytes.replaceSubrange(place..<min(bytes.count, place + piece.count), with: piece)
        }
      }
      // Not `WholeFile`: 10,000 flushes to the disk would be most of the test.
      unlink(url.path)
      try Data(bytes).write(to: url)
      let took = try ContinuousClock().measure {
        do {
          let tensors = try TensorCollection(url)
          for name in tensors.names { _ = try tensors.rawBytes(name) }
          read += 1
        } catch let error as CheckpointError {
          guard case .malformed(_, let offset, let rule, _) = error else { throw error }
          rules.insert(rule.rawValue)
          #expect((offset ?? 0) <= bytes.count)
        }
      }
      slowest = max(slowest, took)
    }
    #expect(read > 500 && read < 9_500, "\(read)")
    #expect(rules.count >= 9, "\(rules.sorted())")
    #expect(slowest < .seconds(2), "\(slowest)")
  }

  private static let instructions: [UInt8] = [
    0x28, 0x29, 0x2E, 0x30, 0x42, 0x47, 0x4A, 0x4B, 0x4D, 0x4E, 0x51, 0x52, 0x58, 0x5D, 0x61, 0x62,
    0x63, 0x65, 0x68, 0x6A, 0x71, 0x72, 0x73, 0x74, 0x75, 0x7D, 0x81, 0x85, 0x86, 0x87, 0x88, 0x89,
    0x8A, 0x8C, 0x8F, 0x90, 0x93, 0x94, 0x95,
  ]
}
