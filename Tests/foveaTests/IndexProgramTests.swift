import Foundation
import TestSupport
import Testing

@testable import fovea

/// `fovea index`, as it ends.
@Suite struct IndexProgramTests {
  private func run(_ arguments: [String]) throws -> ProgramTests.Run {
    try ProgramTests().run(["index"] + arguments)
  }

  private func pictures(_ count: Int, in folder: TemporaryFolder) throws -> URL {
    let made = try ProgramTests().run([
      "--out", folder.url.path, "-c",
      "for seed in range(\(count)):\n    save(scene(seed), f\"big/{seed}.png\")",
    ])
    #expect(made.status == 0, "\(made.errors)")
    return folder.file("big")
  }

  @Test func anIndexIsGoneOnWithByTheModelThatMadeIt() throws {
    let folder = try TemporaryFolder()
    let pictures = try pictures(3, in: folder).path
    let clip = Fixtures.goldens.appending(path: "clip").path
    let index = folder.file("b.index")
    #expect(try run([pictures, "--model", clip, "--to", index.path]).status == 0)
    let json = try Data(contentsOf: index.appending(path: "index.json"))
    let refused = try run([pictures, "--to", index.path])
    #expect(refused.status == 65)
    #expect(refused.errors.contains("b.index/ was made with the model clip"), "\(refused.errors)")
    #expect(
      refused.errors.contains(
        "give --model \(clip)/ to go on with it, or another folder with --to"),
      "\(refused.errors)")
    #expect(try Data(contentsOf: index.appending(path: "index.json")) == json)
    #expect(
      try run([pictures, "--model", clip, "--to", index.path]).output.contains("3 unchanged"))
    // In less precision it is the same model.
    let lower = try run([pictures, "--model", clip, "--dtype", "bfloat16", "--to", index.path])
    #expect(lower.output.contains("3 unchanged"), "\(lower.errors)")
    #expect(try run([pictures]).status == 0)
    let shipped = try run([pictures, "--model", clip])
    #expect(shipped.errors.contains("leave --model out to go on with it"), "\(shipped.errors)")
  }

  @Test func aLinkIsNotWrittenThroughAndAMissingFolderIsCalledOne() throws {
    let folder = try TemporaryFolder()
    let pictures = try pictures(1, in: folder).path
    let (real, link) = (folder.file("real"), folder.file("link"))
    try FileManager.default.createDirectory(at: real, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: real)
    for target in [link.path, link.path + "/"] {
      let refused = try run([pictures, "--to", target])
      #expect(refused.status == 73)
      #expect(
        refused.errors.contains("\(link.path): is a symbolic link to \(real.path);"),
        "\(refused.errors)")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: real.path) == [])
    let missing = try run([folder.file("nope").path])
    #expect(missing.status == 66)
    #expect(missing.errors.contains("\(folder.file("nope").path): no such folder"))
  }

  @Test func emptyPathsFilesAndFoldersOfSomethingElseAreRefused() throws {
    let folder = try TemporaryFolder()
    let pictures = try pictures(1, in: folder).path
    for arguments in [[""], [pictures, "--to", ""]] {
      let run = try run(arguments)
      #expect(run.status == 64 && run.errors.contains("is an empty path"), "\(run.errors)")
    }
    let file = folder.file("afile")
    try Data("x".utf8).write(to: file)
    let onFile = try run([pictures, "--to", file.path])
    #expect(onFile.status == 73)
    #expect(onFile.errors.contains("is a file, a folder should be written there"))
    let itself = try run([pictures, "--to", pictures])
    #expect(itself.status == 73 && itself.errors.contains("holds 0.png and is no index"))
    let one = try run([pictures])
    #expect(one.output.hasPrefix("1 picture, 1 embedded in"), "\(one.output)")
  }

  @Test func nothingReadableLeavesNothing() throws {
    let folder = try TemporaryFolder()
    let pictures = folder.file("allbad")
    try FileManager.default.createDirectory(at: pictures, withIntermediateDirectories: false)
    try Data("x".utf8).write(to: pictures.appending(path: "a.png"))
    #expect(try run([pictures.path]).status == 66)
    #expect(folder.names == ["allbad"])
  }

  @Test func anInterruptSaysWhereItStoppedAndTheNextRunGoesOn() throws {
    let folder = try TemporaryFolder()
    let pictures = try pictures(40, in: folder)
    // Copies would be embedded once: every file gets a byte of its own behind its picture.
    let names = try FileManager.default.contentsOfDirectory(atPath: pictures.path)
    for copy in 0..<20 {
      for name in names {
        let bytes = try Data(contentsOf: pictures.appending(path: name))
        try (bytes + Data("\(copy)".utf8)).write(
          to: pictures.appending(path: "\(copy)-\(name)"))
      }
    }
    let process = Process()
    process.executableURL = try ProgramTests.program()
    process.arguments = ["index", pictures.path, "--batch", "4"]
    let (output, errors) = (Pipe(), Pipe())
    (process.standardOutput, process.standardError) = (output, errors)
    try process.run()
    let table = folder.file("big.index/building/pictures.jsonl").path
    var status = stat()
    let end = Date(timeIntervalSinceNow: 60)
    while stat(table, &status) != 0 || status.st_size == 0, Date() < end { usleep(2000) }
    #expect(process.isRunning, "it ended before it could be interrupted")
    process.interrupt()
    let said = String(
      decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationReason == .exit && process.terminationStatus == 130)
    let words = /stopped embedding after ([1-9][0-9]*) of 840; run again to go on\n$/
    #expect(said.firstMatch(of: words) != nil, "\(said)")
    let again = try run([pictures.path])
    #expect(again.output.hasPrefix("840 pictures, "), "\(again.output)")
    #expect(again.output.contains(" unchanged"), "\(again.output)")
  }
}
