import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// `.npz` archives and `.npy` files by name, and archives that are not what they say.
struct NumPyArchiveTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static func array(_ descr: String, _ shape: String, isFortran: Bool = false, _ data: [UInt8])
    -> [UInt8]
  {
    array(typeText: "'\(descr)'", shape, isFortran: isFortran, data)
  }

  static func array(
    typeText: String, _ shape: String, isFortran: Bool = false, _ data: [UInt8]
  ) -> [UInt8] {
    let text =
      "{'descr': \(typeText), 'fortran_order': \(isFortran ? "True" : "False"), 'shape': \(shape), }\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0] + WrittenArchive.number(text.utf8.count, 2)
      + Array(text.utf8) + data
  }

  func open(_ members: [WrittenArchive.Member]) throws -> TensorCollection {
    let url = folder.file("x.npz")
    try WholeFile.write(WrittenArchive.bytes(members), to: url)
    return try TensorCollection(url)
  }

  func refusal(_ members: [WrittenArchive.Member]) throws -> String {
    do {
      let tensors = try open(members)
      for name in tensors.names { _ = try tensors.rawBytes(name) }
      return "read \(tensors.names)"
    } catch let error as CheckpointError {
      return error.description.replacing("\(folder.file("x.npz").path)", with: "x.npz")
    }
  }

  @Test func arraysOfEveryOrderAreOneTensor() throws {
    let plain = (0..<6).flatMap { WrittenArchive.number(Int(Float($0).bitPattern), 4) }
    let columns = [0, 3, 1, 4, 2, 5].flatMap { WrittenArchive.number(Int(Float($0).bitPattern), 4) }
    let swapped = (0..<6).flatMap {
      Array(WrittenArchive.number(Int(Float($0).bitPattern), 4).reversed())
    }
    let tensors = try open([
      .init(name: "a.npy", bytes: Self.array("<f4", "(2, 3)", plain)),
      .init(name: "f.npy", bytes: Self.array("<f4", "(2, 3)", isFortran: true, columns)),
      .init(name: "b.npy", bytes: Self.array(">f4", "(2, 3)", swapped)),
    ])
    #expect(tensors.names == ["a", "f", "b"])
    for name in tensors.names {
      #expect(try tensors.floats(name).elements == [0, 1, 2, 3, 4, 5])
      #expect(try tensors.tensor(name).shape == [2, 3])
    }
    let single = folder.file("one.npy")
    try NPYFile.write(Tensor([1, 2], shape: [2]), to: single)
    #expect(try TensorCollection(single).names == ["one"])
    #expect(try TensorCollection(single).tensor("one").tensor.elements == [1, 2])
  }

  /// Deflated by hand: one block of the fixed codes, a literal 0 and a copy of it again and again.
  @Test func packedArraysAreUnpackedToWhatTheySay() throws {
    // One stored block: 0x01, length, its complement, the bytes.
    let array = Self.array("|u1", "(3,)", [7, 8, 9])
    let packed =
      [1] + WrittenArchive.number(array.count, 2) + WrittenArchive.number(array.count ^ 0xFFFF, 2)
      + array
    let right = WrittenArchive.Member(
      name: "a.npy", bytes: packed, method: 8, saidSize: array.count, checksum: Self.crc(array))
    #expect(try open([right]).integers("a").elements == [7, 8, 9])
    var wrong = right
    wrong.checksum ^= 1
    #expect(try refusal([wrong]).contains("does not unpack to what was packed"))
    wrong = right
    wrong.bytes.removeLast(4)
    #expect(try refusal([wrong]).contains("cannot be unpacked"))
    wrong = right
    wrong.saidSize = array.count - 1
    #expect(try refusal([wrong]).contains("unpacks to more than the"))
    wrong = right
    wrong.saidSize = 1 << 31
    #expect(try refusal([wrong]).contains("says 2147483648 bytes, but"))
    wrong.bytes += [UInt8](repeating: 0, count: 3_000_000)
    #expect(try refusal([wrong]).contains("a zip bomb, which is not unpacked (FV-ZP-03)"))
  }

  @Test func archivesThatReadTwoWaysAreRefused() throws {
    let member = WrittenArchive.Member(
      name: "a.npy", bytes: Self.array("|u1", "(3,)", [7, 8, 9]))
    func changed(_ change: (inout WrittenArchive.Member) -> Void) throws -> String {
      var copy = member
      change(&copy)
      return try refusal([copy])
    }
    #expect(try refusal([member]) == #"read ["a"]"#)
    #expect(try refusal([member, member]).contains("a second member is called 'a.npy'"))
    #expect(try changed { $0.innerName = "b.npy" }.contains("and the directory differ"))
    #expect(try changed { $0.flags = 1 }.contains("is encrypted"))
    #expect(try changed { $0.method = 9 }.contains("packed by method 9"))
    #expect(try changed { $0.saidSize = 4 }.contains("says 4 bytes, but"))
    #expect(try changed { $0.place = 1 << 20 }.contains("outside the members"))
    #expect(try changed { $0.name = "../a.npy" }.contains("names a place outside the archive"))
    #expect(try changed { $0.name = "/a.npy" }.contains("names a place outside the archive"))
    var twin = member
    (twin.name, twin.innerName, twin.place) = ("b.npy", "b.npy", 0)
    #expect(try refusal([member, twin]).contains("directory differ"))
  }

  @Test(arguments: [
    ("'|O'", "Python objects"), ("'<c8'", "complex64"), ("'<U5'", "<U5"),
    ("[('x', '<f4'), ('y', '<i4', (2, 3))]", "records"),
  ])
  func anArrayThatIsNotReadIsListedAndRefusedAlone(_ type: String, _ name: String) throws {
    let url = folder.file("mixed.npz")
    try Data(
      WrittenArchive.bytes([
        .init(name: "odd.npy", bytes: Self.array(typeText: type, "(3,)", [1, 2, 3])),
        .init(name: "a.npy", bytes: Self.array("|u1", "(3,)", [7, 8, 9])),
      ])
    ).write(to: url)
    let file = try TensorCollection(url)
    #expect(file.names == ["a"])
    #expect(file.unread == [UnreadTensor(name: "odd", type: name, shape: [3])])
    #expect(try file.integers("a").elements == [7, 8, 9])
    let error = #expect(throws: CheckpointError.self) { try file.floats("odd") }
    #expect(error?.description.contains("'odd' is of type \(name)") == true)
  }

  @Test func fourThousandDamagedArchivesAreReadOrRefused() throws {
    let array = Self.array("<f4", "(2, 3)", [UInt8](repeating: 3, count: 24))
    let packed =
      [1] + WrittenArchive.number(array.count, 2) + WrittenArchive.number(array.count ^ 0xFFFF, 2)
      + array
    let whole = WrittenArchive.bytes([
      .init(name: "a.npy", bytes: array),
      .init(
        name: "b.npy", bytes: packed, method: 8, saidSize: array.count, checksum: Self.crc(array)),
      .init(
        name: "c.npy",
        bytes: Self.array(">i8", "(1,)", isFortran: true, [UInt8](repeating: 0, count: 8))),
    ])
    let url = folder.file("mutant.npz")
    var random = SplitMix64(seed: 7)
    var read = 0
    for _ in 0..<4_000 {
      var bytes = whole
      for _ in 0...random.below(3) {
        let place = random.below(bytes.count)
        switch random.below(5) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
        case 2: bytes[place] = UInt8(random.below(256))
        case 3: bytes = Array(bytes.prefix(max(4, place)))
        default: bytes.insert(contentsOf: bytes[place...].prefix(1 + random.below(30)), at: place)
        }
      }
      unlink(url.path)
      try Data(bytes).write(to: url)
      do {
        let tensors = try TensorCollection(url)
        for name in tensors.names { _ = try tensors.rawBytes(name) }
        read += 1
      } catch {
        guard case .malformed = error else { throw error }
      }
    }
    #expect(read > 200 && read < 3_800, "\(read)")
  }

  private static func crc(_ bytes: [UInt8]) -> Int {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return Int(crc ^ 0xFFFF_FFFF)
  }
}
