import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

/// Each kind of right and wrong file, decided as the reference decides it, or stricter for a reason.
struct SafetensorsCaseTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    let rule: FormatRule?
    let testDescription: String
  }

  static let cases: [Case] = {
    let file = Fixtures.goldens.appending(path: "safetensors-cases.json")
    guard let list = try? JSON(file: file).array else { return [] }
    return list.compactMap { entry in
      guard let name = entry["name"]?.text, let text = entry["bytes"]?.text else { return nil }
      return Case(
        name: name, bytes: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) },
        rule: entry["rule"]?.text.flatMap(FormatRule.init), testDescription: name)
    }
  }()

  @Test(arguments: cases)
  func everyCaseIsDecidedByItsRule(_ example: Case) throws {
    let folder = try TemporaryFolder()
    let file = folder.file("model.safetensors")
    try WholeFile.write(example.bytes, to: file)
    do {
      let tensors = try SafetensorsFile(file)
      #expect(example.rule == nil, "accepted \(tensors.entries)")
      let collection = try TensorCollection([tensors], source: "file")
      for name in collection.names { #expect(try collection.floats(name).count >= 0) }
    } catch {
      // A whole pointer is known before its format is.
      if case .file(let failure) = error, failure.kind == .gitPointer {
        #expect(example.rule == .gitPointer)
        return
      }
      guard case .malformed(let path, _, let rule, let detail) = error else { throw error }
      #expect(rule == example.rule, "\(detail)")
      #expect(path == file.path)
    }
  }

  @Test(arguments: [
    ("F8_E4M3", "float8_e4m3fn", [2, 8]), ("F4", "float4_e2m1fn", [32]), ("C64", "complex64", [2]),
  ])
  func aTensorOfATypeThatIsNotReadIsListedAndRefusedAlone(
    _ type: String, _ name: String, _ shape: [Int]
  ) throws {
    let folder = try TemporaryFolder()
    let file = folder.file("odd.safetensors")
    func write(_ shape: [Int]) throws {
      let header =
        "{\"odd\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[0,16]},"
        + "\"odd2\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[16,18]}}"
      try WholeFile.write(
        [UInt8(header.utf8.count)] + [UInt8](repeating: 0, count: 7) + Array(header.utf8)
          + [UInt8](repeating: 7, count: 18), to: file)
    }
    try write(shape)
    let tensors = try TensorCollection(file)
    #expect(tensors.names == ["odd2"])
    #expect(tensors.unread == [UnreadTensor(name: "odd", type: name, shape: shape)])
    #expect(try tensors.integers("odd2").elements == [7, 7])
    #expect(tensors.notes.first?.contains("'odd' (\(name)) is of a type that is not read") == true)
    let refusal = #expect(throws: CheckpointError.self) { try tensors.floats("odd") }
    #expect(refusal?.description.contains("'odd' is of type \(name)") == true)
    // Its place is checked as that of any other.
    try write(shape.map { $0 + 1 })
    let wrong = #expect(throws: CheckpointError.self) { try TensorCollection(file) }
    #expect(wrong?.description.contains("of \(type) needs") == true)
  }

  @Test func thereAreSeventyCases() { #expect(Self.cases.count == 70) }

  @Test(arguments: [
    (
      "duplicate tensor name", 61, "byte 61: a second tensor 'x' (FV-ST-05)"
    ),
    (
      "shape needs more than its offsets hold", 9,
      "byte 9: tensor 'x': data_offsets [0, 16] hold 16 bytes, but shape [2, 3] of F32 needs 24 (FV-ST-13)"
    ),
    (
      "one byte too few", 9,
      "byte 9: tensor 'x' ends at data byte 16, but the file has 15; it was cut off, fetch it again (FV-ST-15)"
    ),
  ])
  func theSentenceNamesPlaceFoundAndExpected(
    _ name: String, _ offset: Int, _ sentence: String
  ) throws {
    let example = try #require(Self.cases.first { $0.name == name })
    let folder = try TemporaryFolder()
    let file = folder.file("model.safetensors")
    try WholeFile.write(example.bytes, to: file)
    do {
      _ = try SafetensorsFile(file)
      Issue.record("accepted")
    } catch {
      #expect(error.description == "\(file.path): \(sentence)")
      #expect(error.exitCode == 65)
      guard case .malformed(_, offset, _, _) = error else {
        Issue.record("\(error)")
        return
      }
    }
  }

  @Test func namesWithControlCharactersAreShownHarmless() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("model.safetensors")
    let header = #"{"a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#
    try WholeFile.write(
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
        + [UInt8](repeating: 0, count: 8), to: file)
    let error = #expect(throws: CheckpointError.self) { try SafetensorsFile(file) }
    #expect(error?.description.contains("a⟨U+001B⟩[2J") == true)
    #expect(error?.description.utf8.contains(0x1B) == false)
  }
}
