import Files
import Foundation
import TestSupport
import Testing

@testable import fovea

/// The program when a file that it maps is shortened by another.
@Suite struct LostPagesTests {
  @Test
  func aFileThatIsCutWhileItIsReadEndsTheProgramInOneLine() throws {
    let folder = try TemporaryFolder()
    let file = folder.file("big\u{1B}.safetensors")
    let count = 1 << 22
    let header = #"{"x":{"dtype":"F32","shape":[\#(count)],"data_offsets":[0,\#(4 * count)]}}"#
    try WholeFile.write(
      [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8), to: file)
    #expect(truncate(file.path, off_t(8 + header.utf8.count + 4 * count)) == 0)
    let process = Process()
    process.executableURL = try ProgramTests.program()
    process.currentDirectoryURL = folder.url
    let script = """
      t = tensors("big\\x1b.safetensors")
      print("ready")
      for i in range(100000):
          x = t["x"]
      """
    process.arguments = ["-q", "-c", script]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    // Its first word says that the file is mapped.
    #expect(try output.fileHandleForReading.read(upToCount: 5) == Data("ready".utf8))
    #expect(truncate(file.path, 5_000) == 0)
    let said = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 65)
    #expect(
      String(decoding: said, as: UTF8.self) == """
        fovea: error: \(file.path.withVisibleControls): lost bytes while it was read: another \
        program shortened it, or its disk failed; fetch the file again

        """)
  }
}
