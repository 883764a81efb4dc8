import Files
import Foundation
import TestSupport
import Testing

/// What the program leaves where writing fails, or is ended by force.
@Suite struct WritingProgramTests {
  private let folder: TemporaryFolder
  private let program: String

  init() throws {
    (folder, program) = (try TemporaryFolder(), try ProgramTests.program().path)
  }

  /// Runs a shell's line, in which `$fovea` is the program.
  private func shell(_ line: String) throws -> ProgramTests.Run {
    try ProgramTests().run(
      ["-c", line], folder: folder.url, executable: URL(filePath: "/bin/sh"),
      environment: ["fovea": program])
  }

  @Test(
    arguments: [
      "$fovea --help >/dev/full", "$fovea --version >/dev/full", "$fovea scenes --help >/dev/full",
      "$fovea scenes --raw --count 1 >/dev/full", "$fovea tokenize 'a cat' >/dev/full",
      "$fovea -c 'print(1)' >&-",
    ])
  func whatCannotBeSaidIsNoSuccess(_ line: String) throws {
    let run = try shell(line)
    #expect(run.status == 74 && run.errors.hasPrefix("fovea: error: standard output: cannot be"))
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func closedStreamsAreNobodyElses() throws {
    #expect(try shell("$fovea scenes --count 1 --out a <&- >&- 2>&-").status == 0)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("a").path).count == 2)
    #expect(try shell("$fovea <&-").status == 74)
    #expect(try shell("$fovea scenes --raw --count 0 | head -c 10").output.utf8.count >= 1)
  }

  @Test func aScriptIsReadAsPythonReadsIt() throws {
    try WholeFile.write([0xEF, 0xBB, 0xBF] + Array("print(1)".utf8), to: folder.file("bom.fovea"))
    #expect(try shell("$fovea bom.fovea && $fovea < bom.fovea").output == "1\n1\n")
    #expect(
      try shell("$fovea /dev/stdin < bom.fovea; echo 'print(2)' | $fovea /dev/stdin").output
        == "1\n2\n")
    let long = try shell("head -c 17000000 /dev/zero | tr '\\0' '#' > long; $fovea long")
    #expect(long.status == 65 && long.errors.contains("more than the 16777216 bytes"))
    #expect(try shell("head -c 17000000 /dev/zero | tr '\\0' '#' | $fovea").status == 65)
    #expect(
      try shell("mkdir -p gone && cd gone && rmdir ../gone && $fovea -c 'save(1, \"x.txt\")'")
        .errors.contains("is not there any more; go to another (cd)"))
    try WholeFile.write("text", to: folder.file("bad.png"))
    #expect(try shell("$fovea -c 'image(\"bad.png\")'").status == 65)
  }

  /// A limit on the size of files stands for a full disk, at sizes that end a command in its first
  /// file, in the middle and at its end.
  @Test(
    arguments: [
      "scenes --count 3 --out target", "synthesize blip2-tiny target",
      "convert blip2 target --dtype float16", "trace --image picture.png --out target",
      "-c 'save(zeros([400, 400]), \"target.npy\")'", "-c 'save(grid(scene(7)), \"target.svg\")'",
      "-c 'save(zeros([200, 400]), \"target.csv\")'",
    ])
  func aFullDiskLeavesNothing(_ command: String) throws {
    try link("blip2")
    try link("picture.png")
    let before = try everything()
    // In blocks of 512 bytes.
    for blocks in [0, 1, 7, 30] {
      let run = try shell("ulimit -f \(blocks); exec $fovea \(command)")
      #expect(run.status == 74, "\(blocks): \(run.errors)")
      #expect(run.errors.contains("no room left on the disk"))
      #expect(try everything().filter { $0 != "fovea-out" } == before, "\(blocks)")
    }
    let whole = try shell("exec $fovea \(command)")
    #expect(whole.status == 0, "\(whole.errors)")
    #expect(try everything().contains { $0.contains("target") })
  }

  /// Ended by force at moments from the start to the end, each leaves the old or the new, and the next
  /// run leaves no trace of those before.
  @Test(
    arguments: [
      "convert blip2 target --dtype float16", "scenes --count 2 --out target",
      "-c 'save(zeros([600, 400]), \"target.csv\")'",
    ])
  func whatIsKilledLeavesTheOldOrTheNew(_ command: String) throws {
    try link("blip2")
    #expect(try shell("$fovea \(command)").status == 0)
    let whole = try contents()
    let start = ContinuousClock.now
    #expect(try shell("$fovea \(command)").status == 0)
    let milliseconds = Int((ContinuousClock.now - start) / .milliseconds(1))
    for round in 1...8 {
      let pause = Double(milliseconds * round / 8) / 1000
      _ = try shell("$fovea \(command) & sleep \(pause); kill -9 $! 2>/dev/null; wait")
      #expect(try contents().filter { !$0.key.contains("/.") && !$0.key.hasPrefix(".") } == whole)
    }
    #expect(try shell("$fovea \(command)").status == 0)
    #expect(try contents() == whole)
  }

  private func link(_ name: String) throws {
    try FileManager.default.createSymbolicLink(
      at: folder.file(name), withDestinationURL: Fixtures.goldens.appending(path: name))
  }

  /// The paths of all that is in the folder.
  private func everything() throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted()
  }

  private func contents() throws -> [String: [UInt8]] {
    var contents: [String: [UInt8]] = [:]
    for path in try everything() {
      contents[path] = try? WholeFile.read(folder.file(path))
    }
    return contents
  }
}
