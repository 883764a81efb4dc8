import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

struct SafetensorsFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func whatIsWrittenIsReadBackBitByBit() throws {
    let file = folder.file("a.safetensors")
    let numbers: [Float] = [0, -0.0, .nan, .infinity, -.infinity, .leastNonzeroMagnitude, .pi]
    let half = try halves()
    try Safetensors.write(
      [
        (name: "half", content: .stored(half)),
        (name: "ids", content: .integers([1, -2, .max], shape: [3])),
        (name: "x", content: .tensor(Tensor(numbers, shape: [7, 1]))),
        (name: "none", content: .tensor(Tensor([], shape: [0, 4]))),
        (name: "one", content: .tensor(Tensor(5))),
      ], metadata: ["b": "2", "a": "é\n"], to: file)
    let tensors = try TensorCollection(file)
    #expect(tensors.names == ["half", "ids", "x", "none", "one"])
    #expect(tensors.metadata == ["a": "é\n", "b": "2"])
    let back = try tensors.tensor("x").tensor
    #expect(back.shape == [7, 1])
    #expect(back.elements.map(\.bitPattern) == numbers.map(\.bitPattern))
    #expect(try tensors.integers("ids").elements == [1, -2, .max])
    #expect(try tensors.floats("ids").elements == [1, -2, Float(Int.max)])
    #expect(try tensors.tensor("none").count == 0)
    #expect(try tensors.floats("one") == Tensor(5))
    #expect(try tensors.tensor("half").type == .float16)
    #expect(try tensors.tensor("half").tensor == half.tensor)
    #expect(try tensors.tensor("half").tensor.elements == [1, -2, 65504])
  }

  /// 1, -2 and the largest number in half precision.
  private func halves() throws -> StoredTensor {
    try raw("half.safetensors", "F16", [3], [0x00, 0x3C, 0x00, 0xC0, 0xFF, 0x7B]).tensor("x")
  }

  private func raw(
    _ name: String, _ type: String, _ shape: [Int], _ bytes: [UInt8]
  ) throws -> TensorCollection {
    let header =
      #"{"x":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":[0,\#(bytes.count)]}}"#
    let file = folder.file(name)
    try WholeFile.write(
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + bytes, to: file)
    return try TensorCollection(file)
  }

  @Test func everyTypeIsReadAsNumbers() throws {
    let cases: [(type: String, bytes: [UInt8], expected: [Float])] = [
      ("BOOL", [0, 1], [0, 1]), ("U8", [0, 255], [0, 255]), ("I8", [0x80, 0x7F], [-128, 127]),
      ("U16", [0xFF, 0xFF, 1, 0], [65535, 1]), ("I16", [0, 0x80, 1, 0], [-32768, 1]),
      ("U32", [0, 0, 1, 0, 1, 0, 0, 0], [65536, 1]),
      ("I32", [0xFE, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0], [-2, 1]),
      ("U64", [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80], [1, 0x1p63]),
      ("I64", [1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [1, -1]),
      ("F16", [0x01, 0x00, 0x00, 0x3C], [0x1p-24, 1]), ("BF16", [0xC0, 0x3F, 0, 0xC0], [1.5, -2]),
      ("F32", [0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0], [1.5, -2]),
      ("F64", [0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0, 0xC0], [1.5, -2]),
    ]
    #expect(cases.map(\.type).sorted() == StoredType.allCases.map(\.rawValue).sorted())
    for (type, bytes, expected) in cases {
      let tensors = try raw("\(type).safetensors", type, [2], bytes)
      #expect(try tensors.floats("x").elements == expected, "\(type)")
      if ["F16", "BF16", "F32", "F64"].contains(type) {
        #expect(try tensors.tensor("x").tensor.elements == expected, "\(type)")
      } else {
        #expect(throws: CheckpointError.self, "\(type)") { try tensors.tensor("x") }
      }
    }
    // Rounded to float32 this would be infinite.
    let large = try raw("large", "F64", [1], [0x9C, 0x75, 0, 0x88, 0x3C, 0xE4, 0x37, 0x7E])
    let error = #expect(throws: CheckpointError.self) { try large.tensor("x") }
    #expect(error?.description.hasSuffix("holds 1e+300, which float32 has not") == true)
    #expect(throws: CheckpointError.self) {
      try raw("big", "U64", [1], [0, 0, 0, 0, 0, 0, 0, 0x80]).integers("x")
    }
  }

  @Test func elementsMayStartAtAnyByte() throws {
    // The header is as long as it likes; 'bytes' moves what follows it off every boundary.
    for padding in 0..<8 {
      let header =
        #"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"F32","shape":[2],"#
        + #""data_offsets":[1,9]}}"# + String(repeating: " ", count: padding)
      let file = folder.file("\(padding).safetensors")
      try WholeFile.write(
        [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
          + [9, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0xC0], to: file)
      let weights = try TensorCollection(file).tensor("x")
      #expect(weights.tensor.elements == [1.5, -2])
      let product = Tensor([1, 10], shape: [1, 2]).matmulTransposed(
        StoredTensor(weights.tensor.reshaped(1, 2)))
      #expect(product.elements == [-18.5])
    }
  }

  /// Pages of memory that this thread was the first to touch.
  private static func pagesTouched() -> Int {
    var usage = rusage()
    let thisThread: Int32 = 1  // RUSAGE_THREAD, which the C library shows to GNU sources only
    getrusage(thisThread, &usage)
    return usage.ru_minflt + usage.ru_majflt
  }

  @Test func aFileOfManyGigabytesIsMappedAndNotRead() throws {
    for size in [1 << 31 - 1, 1 << 31, 1 << 32 + 8, 20 << 30] {
      let file = folder.file("\(size).safetensors")
      let header =
        #"{"a":{"dtype":"U8","shape":[\#(size - 4)],"data_offsets":[0,\#(size - 4)]},"#
        + #""x":{"dtype":"F32","shape":[1],"data_offsets":[\#(size - 4),\#(size)]}}"#
      let start = [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8)
      try WholeFile.write(start, to: file)
      #expect(truncate(file.path, off_t(start.count + size)) == 0)
      let before = Self.pagesTouched()
      let tensors = try TensorCollection(file)
      #expect(try tensors.tensor("x").tensor.elements == [0])
      // The file has half a million pages and more.
      #expect(Self.pagesTouched() - before < 5000)
    }
  }

  @Test func strangeButAllowedIsAWarning() throws {
    let header =
      #"{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"note":"hello"}}"#
    let file = folder.file("a.safetensors")
    try WholeFile.write(
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [1], to: file)
    #expect(try SafetensorsFile(file).warnings == ["tensor 'x' has an unknown field 'note'"])
  }

  @Test(arguments: [["x", "x"], ["__metadata__", "y"]])
  func namesThatNoFileCanHoldAreRefused(_ names: [String]) throws {
    let file = folder.file("a.safetensors")
    #expect(throws: CheckpointError.self) {
      try Safetensors.write(names.map { (name: $0, tensor: Tensor(1)) }, to: file)
    }
    #expect(folder.names.isEmpty)
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    let file = folder.file("no-folder/a.safetensors")
    let error = #expect(throws: CheckpointError.self) {
      try Safetensors.write([(name: "x", tensor: Tensor(1))], to: file)
    }
    #expect(error?.exitCode == 73)
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    let disk = #expect(throws: CheckpointError.self) {
      try Safetensors.write([(name: "x", tensor: Tensor(1))], to: URL(filePath: "/dev/fd/\(full)"))
    }
    #expect(disk?.exitCode == 74)
  }

  /// Its length is the first thing in a file, and may read as what other formats begin with.
  @Test(arguments: [0x0280, 0x0480, 0x4E93])
  func aHeaderOfAnyLengthIsRead(_ length: Int) throws {
    let folder = try TemporaryFolder()
    let file = folder.file("odd.safetensors")
    let header = #"{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
    let padded = header + String(repeating: " ", count: length - header.utf8.count)
    let start = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    try Data(start + Array(padded.utf8) + [0, 0, 128, 63]).write(to: file)
    #expect(try TensorCollection(file).floats("x").elements == [1])
  }
}
