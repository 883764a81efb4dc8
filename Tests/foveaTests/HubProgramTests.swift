import Commands
import Files
import Foundation
import Runtime
import Terminal
import TestSupport
import Testing

@testable import fovea

/// Models that lie in caches, as the program finds them.
@Suite struct HubProgramTests {
  private let home: TemporaryFolder
  private let program = ProgramTests()
  private let commit = "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"
  private let picture = Fixtures.goldens.appending(path: "picture.png").path

  /// A home folder whose cache has the golden CLIP as `someone/tiny-clip`, without links, as where a
  /// file system has none.
  init() throws {
    home = try TemporaryFolder()
    let model = home.file("hub/models--someone--tiny-clip")
    let snapshots = model.appending(path: "snapshots")
    for made in [snapshots, model.appending(path: "refs")] {
      try FileManager.default.createDirectory(at: made, withIntermediateDirectories: true)
    }
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "clip"), to: snapshots.appending(path: commit))
    try WholeFile.write(commit, to: model.appending(path: "refs/main"))
  }

  private func run(_ arguments: [String]) throws -> ProgramTests.Run {
    try program.run(
      arguments, environment: ["HOME": home.url.path, "HF_HUB_CACHE": "~/hub"])
  }

  @Test func oneNameWillDoWhereverAModelIsRead() throws {
    let id = "someone/tiny-clip"
    let description = try run(["-c", "load(\"\(id)\"); print(describe())"])
    #expect(description.output.hasPrefix("\(id): CLIP"), "\(description.errors)")
    #expect(
      description.output.contains(
        "revision    main, commit 3d74acf9a28c of \(id), from Hugging Face"))
    let shape = "print(embed_text(\"a cat\").shape)"
    for arguments in [
      ["-c", "load(\"~/hub/models--someone--tiny-clip\"); \(shape)"],
      ["-c", "load(\"\(id)\", revision=\"3d74a\"); \(shape)"],
      ["--model", "\(id)@main", "-c", shape], ["--model", id, "--revision", commit, "-c", shape],
      ["--model", "~/hub/models--someone--tiny-clip", "--dtype", "half", "-c", shape],
    ] {
      let run = try run(arguments)
      #expect(run.status == 0 && run.output == "(1, 12)\n", "\(arguments): \(run.errors)")
    }
    let ids = try run(["tokenize", "--model", id, "a cat"])
    #expect(ids.status == 0 && ids.output.contains("<|endoftext|>"))
    // A tokenizer needs no weights.
    let snapshot = home.file("hub/models--someone--tiny-clip/snapshots/\(commit)")
    let weights = snapshot.appending(path: "model.safetensors")
    try FileManager.default.removeItem(at: snapshot.appending(path: "trace.safetensors"))
    let aside = home.file("aside.safetensors")
    try FileManager.default.moveItem(at: weights, to: aside)
    #expect(try run(["tokenize", "--model", id, "a cat"]).output == ids.output)
    let empty = try run(["--model", id, "-c", shape])
    #expect(empty.status == 66 && empty.errors.contains("`hf download \(id)` brings them"))
    try FileManager.default.moveItem(at: aside, to: weights)
    let compared = try run(["compare", id, "fp16", "--image", picture])
    #expect(compared.status == 0, "\(compared.errors)")
    let converted = home.file("converted").path
    let conversion = try run(["convert", id, converted, "--dtype", "bf16"])
    #expect(conversion.status == 0, "\(conversion.errors)")
    #expect(try run(["--model", converted, "-c", shape]).status == 0)
  }

  @Test func whatIsThereIsListed() throws {
    try WholeFile.write("junk", to: made("hub/models--gpt2/refs/main"))
    try WholeFile.write(
      #"{"model_type": "bloom"}"#, to: made("hub/models--a--b/snapshots/\(commit)/config.json"))
    let run = try run([
      "-c", "for row in models().rows: print(row[0], row[1], row[3], row[4], sep=\"|\")",
    ])
    #expect(run.status == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(lines.first == "scenes|BLIP-2|float16|in use")
    #expect(lines.contains("someone/tiny-clip|CLIP|float16|downloaded: main, commit 3d74acf9a28c"))
    #expect(lines.contains { $0.hasPrefix("a/b|bloom||cannot be read: ") })
    #expect(
      lines.contains { $0.hasPrefix("gpt2|||cannot be read: ") && $0.contains("holds 'junk'") })
    let shown = try self.run(["-c", "models()"]).output.split(separator: "\n")
    #expect(shown.contains { $0.contains("a/b ") && $0.contains(" cannot be read ") })
    let reason = try #require(lines.first { $0.hasPrefix("a/b|") }).split(separator: "|").last
    #expect(shown.contains { $0 == "a/b: \(reason ?? "")" }, "\(shown)")
  }

  @Test func aFolderOfThatNameGoesBeforeTheId() throws {
    let folder = try TemporaryFolder()
    let run = try program.run(
      ["-c", "load(\"someone/tiny-clip\")"], folder: folder.url,
      environment: ["HOME": home.url.path, "HF_HUB_CACHE": "~/hub"])
    #expect(run.status == 0)
    try FileManager.default.createDirectory(
      at: folder.file("someone/tiny-clip"), withIntermediateDirectories: true)
    let second = try program.run(
      ["-c", "load(\"someone/tiny-clip\")"], folder: folder.url,
      environment: ["HOME": home.url.path, "HF_HUB_CACHE": "~/hub"])
    #expect(second.status == 66 && second.errors.contains("has no config.json"))
  }

  @Test(
    arguments: [
      (["--model", "no/where", "-c", "1"], 66, "`hf download no/where`"),
      (["-c", "load(\"no/where\")"], 66, "`hf download no/where`"),
      (["convert", "no/where", "x", "--dtype", "fp16"], 66, "`hf download no/where`"),
      (["compare", "no/where", "fp16", "--image", "x.png"], 66, "`hf download no/where`"),
      (["compare", "no/where", "fp16"], 66, "`hf download no/where`"),
      (["bench", "--model", "no/where"], 66, "`hf download no/where`"),
      (["index", "x", "--model", "no/where"], 66, "`hf download no/where`"),
      (["--model", "/no/where", "-c", "1"], 66, "/no/where: no such folder"),
      (["--model", "scenes", "--revision", "main", "-c", "1"], 64, "--revision is for published"),
      (["-c", "load(\"scenes\", revision=\"main\")"], 1, "revision is for published models"),
      (["-c", "load(\"scenes\", dtype=\"fp8\")"], 1, "must be one of float32, float16"),
    ] as [([String], Int32, String)])
  func whatIsNotThereIsOneSentenceAtEveryDoor(
    _ arguments: [String], _ status: Int32, _ words: String
  ) throws {
    let run = try run(arguments)
    #expect(run.status == status && run.errors.contains(words), "\(run.status) \(run.errors)")
  }

  @Test func tabOffersModelsWhereOneIsLoaded() {
    let session = Session(commands: Commands.all)
    for text in ["load(\"small-c", "load(path=\"small-c"] {
      let completion = PromptCompletion(session: session, text: text, cursor: text.endIndex)
      #expect(completion.completions?.candidates.map(\.label) == ["small-clip"])
    }
  }

  private func made(_ path: String) throws -> URL {
    let file = home.file(path)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    return file
  }
}
