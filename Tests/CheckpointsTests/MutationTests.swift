import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Damaged files of every kind: each is read or refused with a reason, never anything else.
struct MutationTests {
  @Test func twentyThousandDamagedFilesAreReadOrRefused() throws {
    let folder = try TemporaryFolder()
    let seeds = Self.seeds()
    #expect(seeds.count == 12)
    let file = folder.file("mutant.safetensors")
    var random = SplitMix64(seed: 20_261_121)
    var accepted = 0
    var rules: Set<String> = []
    for round in 0..<20_000 {
      let bytes = Self.mutant(seeds, round, &random)
      // Not `WholeFile`: 20,000 flushes to the disk would be most of the test.
      #expect(Self.write(bytes, to: file))
      do {
        let tensors = try TensorCollection(file)
        accepted += 1
        if round % 10 == 0 {
          for name in tensors.names { _ = try tensors.floats(name) }
        }
      } catch {
        guard case .malformed(_, let offset, let rule, _) = error else { throw error }
        rules.insert(rule.rawValue)
        #expect((offset ?? 0) <= bytes.count)
      }
    }
    #expect(accepted > 500 && accepted < 15_000)
    // The damage must reach the rules, not only the JSON.
    #expect(rules.count >= 14, "\(rules.sorted())")
  }

  @Test func aFileCutAtAnyByteIsRefused() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("cut.safetensors")
    let whole = Self.seeds()[4]
    for length in 0..<whole.count {
      #expect(Self.write(Array(whole[..<length]), to: file))
      #expect(throws: CheckpointError.self) { try SafetensorsFile(file) }
    }
  }

  private static func write(_ bytes: [UInt8], to url: URL) -> Bool {
    // A file that is truncated and written again is flushed by some file systems; a new one is not.
    unlink(url.path)
    guard let file = fopen(url.path, "wx") else { return false }
    defer { fclose(file) }
    return fwrite(bytes, 1, bytes.count, file) == bytes.count
  }

  /// Twelve right files: every type, none, one number, text beside, many tensors, padding.
  private static func seeds() -> [[UInt8]] {
    func file(_ header: String, _ size: Int) -> [UInt8] {
      let count = header.utf8.count
      return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8)
        + (0..<size).map { UInt8(truncatingIfNeeded: $0 * 37) }
    }
    func tensor(_ name: String, _ type: String, _ shape: String, _ start: Int, _ end: Int) -> String
    {
      #""\#(name)":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[\#(start),\#(end)]}"#
    }
    let types = StoredType.allCases
    var offset = 0
    let all = types.map { type in
      defer { offset += 2 * type.size }
      return tensor(type.rawValue, type.rawValue, "[2]", offset, offset + 2 * type.size)
    }
    let many = (0..<60).map { tensor("layers.\($0).weight", "F16", "[2,2]", 8 * $0, 8 * $0 + 8) }
    let one = tensor("x", "F32", "[2,2]", 0, 16)
    return [
      file("{}", 0), file("{\(tensor("s", "F32", "[]", 0, 4))}", 4), file("{\(one)}", 16),
      file(#"{"__metadata__":{"format":"pt","é":"\u00e9\n"},\#(one)}"#, 16),
      file("{\(all.joined(separator: ","))}", offset),
      file("{\(many.joined(separator: ","))}", 480),
      file("{\(one)}" + String(repeating: " ", count: 23), 16),
      file("{\(tensor("empty", "F32", "[0,3]", 0, 0)),\(one)}", 16),
      file("{\(tensor("b", "U8", "[4]", 4, 8)),\(tensor("a", "U8", "[4]", 0, 4))}", 8),
      file(#"{"x":{"extra":[{"a":1}],"dtype":"BF16","shape":[1,1,1,1],"data_offsets":[0,2]}}"#, 2),
      file(
        #"  {  "x" : { "shape" : [ 3 ] , "data_offsets" : [ 0 , 24 ] , "dtype" : "I64" } } "#, 24),
      file(#"{"\u0000\"\\名\uD83D\uDE00":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}"#, 1),
    ]
  }

  private static func mutant(
    _ seeds: [[UInt8]], _ round: Int, _ random: inout SplitMix64
  ) -> [UInt8] {
    var bytes = seeds[round % seeds.count]
    for _ in 0...random.below(2) {
      let end = bytes.count
      // Most damage goes to the header, where the rules are.
      let place = min(max(0, end - 1), 8 + random.below(max(1, end - 8)))
      switch random.below(12) {
      case 0 where end > 0: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1 where end > 0: bytes[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
      case 2 where end >= 8:
        bytes[random.below(8)] = UInt8(random.below(256))
      case 3 where end >= 8: bytes[0] = bytes[0] &+ UInt8(truncatingIfNeeded: random.below(3) - 1)
      case 4: bytes = Array(bytes.prefix(random.below(end + 1)))
      case 5: bytes += [UInt8](repeating: 0x20, count: 1 + random.below(9))
      case 6:
        let other = seeds[random.below(seeds.count)]
        bytes = Array(bytes.prefix(place)) + other.dropFirst(min(place, other.count))
      case 7, 8:
        // Another digit, which keeps the JSON whole.
        let digits = bytes.indices.filter { $0 >= 8 && (0x30...0x39).contains(bytes[$0]) }
        if !digits.isEmpty {
          bytes[digits[random.below(digits.count)]] = UInt8(0x30 + random.below(10))
        }
      case 9:
        let marks = bytes.indices.filter {
          $0 >= 8 && [0x22, 0x5C, 0x2C, 0x3A, 0x5B, 0x7D].contains(bytes[$0])
        }
        if !marks.isEmpty {
          bytes[marks[random.below(marks.count)]] = Array("\"\\,:[]{}".utf8)[random.below(8)]
        }
      case 10 where end >= 8:
        edit(&bytes, &random)
      default:
        if end > 8 {
          bytes.insert(contentsOf: bytes[place..<min(end, place + 1 + random.below(8))], at: place)
        }
      }
    }
    return bytes
  }

  /// Replaces a word of the header and corrects the header's length.
  private static func edit(_ bytes: inout [UInt8], _ random: inout SplitMix64) {
    let count = Int(bytes[0]) | Int(bytes[1]) << 8
    guard 8 + count <= bytes.count else { return }
    let edits = [
      ("[2]", "[-2]"), ("[2,2]", "[2.0,2]"), ("[2,2]", "[281474976710657,0]"), ("F32", "F8_E4M3"),
      ("[2,2]", "[3037000500,3037000500]"), ("F16", "X"), ("\"x\"", "\"__metadata__\""),
      ("\"dtype\"", "\"shape\""), ("\"shape\"", "\"form\""), ("[0,16]", "[16,0]"),
      ("[0,16]", "[0,16,16]"),
      ("[0,16]", "[1,17]"), ("layers.7.", "layers.8."), ("\"pt\"", "null"), ("[0,16]", "16"),
      ("{", "{\"y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[3,4]},"),
      ("[2,2]", "[" + String(repeating: "1,", count: 20) + "4]"),
    ]
    let (old, new) = edits[random.below(edits.count)]
    var header = String(decoding: bytes[8..<8 + count], as: UTF8.self)
    guard let range = header.range(of: old) else { return }
    header.replaceSubrange(range, with: new)
    let length = header.utf8.count
    bytes =
      (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + bytes[(8 + count)...]
  }
}
