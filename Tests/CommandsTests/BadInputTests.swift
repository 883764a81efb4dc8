import Commands
import Foundation
import Language
import Runtime
import TestSupport
import Testing

/// A session with a small model, and variables that hold what each stage gives.
private func workshop(model: String = "blip2") throws -> Workshop {
  let workshop = try Workshop()
  workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: model)
  _ = try workshop.value("s = scene(7)\npixels = preprocess(s)\npixels")
  _ = try workshop.value("vision = encode(embed(patchify(pixels)))\nvision")
  if model == "clip" || model == "vit" {
    for name in ["queries", "soft", "sequence", "answer", "r"] {
      _ = workshop.run("\(name) = None")
    }
    return workshop
  }
  _ = try workshop.value("queries = query(vision)\nqueries")
  if model == "blip2" {
    _ = try workshop.value("soft = project(queries)\nsequence = assemble(soft, \"a\")\nsequence")
    _ = try workshop.value("answer = decode(sequence, max_new_tokens=3)\nanswer")
    _ = try workshop.value("r = run(s, \"a\", max_new_tokens=3)\nr")
  }
  return workshop
}

/// The sentence that a text must fail with: one line, not empty.
@discardableResult private func failure(
  of text: String, in workshop: Workshop, naming words: [String] = [],
  sourceLocation: SourceLocation = #_sourceLocation
) -> RuntimeFailure? {
  let result = workshop.run(text)
  guard let failure = result.failure else {
    Issue.record("\(text) should fail", sourceLocation: sourceLocation)
    return nil
  }
  expectSentence(failure, text, sourceLocation: sourceLocation)
  for word in words {
    #expect(
      failure.message.contains(word), "\(text): \(failure.message)", sourceLocation: sourceLocation)
  }
  #expect(workshop.run("1 + 1").shown == "2", sourceLocation: sourceLocation)
  return failure
}

private func expectSentence(
  _ failure: RuntimeFailure, _ text: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    !failure.message.isEmpty && !failure.message.contains("\n"), "\(text): \(failure.message)",
    sourceLocation: sourceLocation)
  #expect(failure.hint?.contains("\n") != true, sourceLocation: sourceLocation)
  // The words of an enumeration's case are no sentence.
  #expect(
    !failure.message.contains("Error(") && !failure.message.contains("Optional("),
    "\(text): \(failure.message)", sourceLocation: sourceLocation)
}

@Suite struct BadArgumentTests {
  /// What a parameter that has to be given takes, by command and parameter, then by parameter.
  static let good = [
    "apply_chat_template.messages": "[{\"role\": \"user\", \"content\": \"a\"}]",
    "image.path": "\"picture.png\"", "save.path": "\"value.txt\"", "save.value": "\"x\"",
    "seed": "7", "pixels": "pixels", "patches": "patchify(pixels)",
    "tokens": "embed(patchify(pixels))", "vision": "vision", "queries": "queries", "soft": "soft",
    "text": "\"a\"", "sequence": "sequence", "source": "r", "decode.source": "sequence",
    "rollout.source": "vision", "texts": "[\"a\"]", "first": "r", "second": "r", "value": "vision",
    "matrix": "pixels[0]", "map": "rollout(vision)", "answer": "answer", "tensor": "pixels",
    "position_similarity.source": "vision", "images": "s", "project_text.tokens": "read(\"a\")",
    "index.path": "\"picture.png\"", "query": "\"a red circle\"",
    "box": "(9, 9, 50, 50)", "image": "s", "x": "pixels", "k": "2", "path": "\"picture.png\"",
    "a": "(9, 9, 50, 50)", "b": "(9, 9, 60, 60)", "parts": "[{\"text\": \"a\"}]",
    "decode_tokens.tokens": "[1, 2]", "gaze.answer": "chat(s, \"a\", max_new_tokens=2)",
    "concat.tensors": "[pixels, pixels]", "stack.tensors": "[pixels, pixels]",
    "run": "r", "changes": "change.zero(\"vision.norm.output\")", "model": "load(\"scenes\")",
    "place": "\"vision.norm.output\"", "by": "2", "vector": "zeros([24])",
    "similarity.first": "s", "similarity.second": "\"a\"",
  ]

  /// The commands that need a model with one space for pictures and texts.
  static let joint = [
    "embed_image", "embed_text", "read", "project_text", "similarity", "classify", "word_map",
  ]

  /// Values of every kind, most of them of the wrong one.
  static let values = [
    "None", "True", "3", "-1", "9223372036854775807", "1.5", "1e308", "float(\"nan\")",
    "float(\"inf\")", "\"x\"", "\"\"", "\"../../x\"", "[]", "[1, \"x\", None]", "[[1], [2, 3]]",
    "{}", "{\"a\": 1}", "range(3)", "zeros(2, 3)", "zeros(0, 24)", "zeros(0, 16)", "zeros(0)",
    "tensor(3.5)", "zeros(1, 1, 1, 1, 1)", "tensor([[float(\"nan\")]])", "pixels * float(\"nan\")",
    "vision * float(\"nan\")", "vision * float(\"inf\")", "s", "vision", "queries", "vision.trace",
    "encode", "lambda x: x", "load", "models()", "r", "answer", "rollout(vision)", "grid(s)",
    "tokenize(\"a\")",
  ]

  @Test(arguments: Commands.all.map(\.name))
  func anyArgumentGivesAValueOrASentence(name: String) throws {
    let isMatch = name == "match"
    let isJoint = Self.joint.contains(name)
    let command = try #require(Commands.all.first { $0.name == name })
    let workshop = try workshop(model: isMatch ? "blip2-itm" : isJoint ? "clip" : "blip2")
    if isMatch {
      for name in ["soft", "sequence", "answer", "r"] { _ = workshop.run("\(name) = None") }
    }
    var (values, failures) = (0, 0)
    for parameter in command.parameters {
      for value in Self.values {
        let others = command.parameters.filter { $0.isNeeded && $0.name != parameter.name }
        let arguments = try others.map { other in
          let good = try #require(
            Self.good["\(name).\(other.name)"] ?? Self.good[other.name],
            "\(name): what is a good \(other.name)?")
          return "\(other.name)=\(good)"
        }
        // A long answer is not what is tested.
        if parameter.name == "max_new_tokens", value.count > 10 { continue }
        let call =
          "\(name)("
          + (arguments + ["\(parameter.name)=\(value)"]).joined(separator: ", ") + ")"
        let result = workshop.run(call)
        if let failure = result.failure {
          failures += 1
          expectSentence(failure, call)
        } else {
          values += 1
          #expect(result.succeeded, "\(call)")
          // What came out can be shown as well.
          _ = result.value?.displayed
        }
      }
    }
    #expect(command.parameters.isEmpty || failures > 0 || values > 0)
    #expect(workshop.run("1 + 1").shown == "2")
  }

  @Test(arguments: Commands.all.map(\.name)) func theWrongNumberOfArgumentsIsASentence(
    name: String
  ) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    let workshop = try Workshop()
    let many = [String](repeating: "1", count: command.parameters.count + 1)
    failure(of: "\(name)(\(many.joined(separator: ", ")))", in: workshop, naming: [name])
    // Where any name will do, what is needed is missed.
    let takesAll = command.parameters.contains(where: \.takesOthers)
    failure(
      of: "\(name)(no_such_argument=1)", in: workshop,
      naming: [name, takesAll ? "missing" : "no_such_argument"])
    if let first = command.parameters.first, first.isNeeded {
      failure(of: "\(name)()", in: workshop, naming: [name, first.name, "missing"])
      failure(of: "\(name)(1, \(first.name)=1)", in: workshop, naming: [first.name, "twice"])
    }
  }

  @Test func aBlockOutOfRangeIsToldHowManyThereAre() throws {
    let workshop = try Workshop()
    _ = try workshop.value("vision = encode(embed(patchify(preprocess(scene(7)))))\nvision")
    let block = try #require(failure(of: "attention(vision, block=12)", in: workshop))
    #expect(block.message == "attention: block must be a whole number from 0 to 5, not 12")
    #expect(block.notes == ["this model has 6 vision blocks; block 5 is the last"])
    let head = try #require(failure(of: "attention(vision, head=99)", in: workshop))
    #expect(head.message.hasPrefix("attention: head must be a whole number from 0 to "))
    #expect(head.message.hasSuffix(", not 99"))
    failure(of: "attention(vision, block=-1)", in: workshop, naming: ["block", "-1"])
    failure(
      of: "attention(vision, kind=\"crss\")", in: workshop, naming: ["kind", "cross", "crss"])
    failure(of: "attention(vision, kind=\"language\")", in: workshop, naming: ["language"])
  }

  @Test func mapsOfAnotherShapeAreRefused() throws {
    let workshop = try workshop()
    for map in ["zeros(3, 3)", "zeros(4, 4, 4)", "tensor(1.0)", "zeros(0)", "zeros(18)"] {
      failure(of: "overlay(\(map), s)", in: workshop, naming: ["map", "4 × 4"])
    }
    _ = try workshop.value("overlay(zeros(4, 4) * float(\"nan\"), s)")
    _ = try workshop.value("overlay(zeros(4, 4), s)")
    _ = try workshop.value("overlay(zeros(17), s)")
    failure(of: "overlay(rollout(vision), s, query=17)", in: workshop, naming: ["query", "16"])
    failure(of: "grid(s, highlight=[16])", in: workshop, naming: ["highlight", "15", "16"])
  }

  @Test func aModelWithoutNumbersIsShownAsSuch() throws {
    let workshop = try workshop()
    _ = try workshop.value("x = queries * float(\"nan\")\nx")
    #expect(try workshop.value("project(x)").displayed.contains("NaN"))
    #expect(try workshop.value("describe(project(x))").displayed.contains("96 NaN"))
    for call in [
      "decode(project(x))", "decode(project(x), num_beams=3)", "decode(project(x), do_sample=True)",
      "next_token(assemble(project(x), \"a\"))", "decode(project(x)).steps",
      "token_strip(decode(project(x)))", "heatmap(x)", "histogram(x)",
      "rollout(encode(vision * float(\"nan\")))", "compare(x, x)", "compare(x, queries)",
    ] { _ = try workshop.value("y = \(call)\nshow(y)\ny") }
  }

  @Test func aPromptLongerThanTheContextIsRefused() throws {
    let workshop = try workshop()
    for call in ["run(s, \"circle \" * 100)", "decode(soft, \"circle \" * 100)"] {
      failure(of: call, in: workshop, naming: ["64", "prompt"])
    }
    failure(of: "run(s, \"<image>\")", in: workshop, naming: ["<image>"])
    _ = try workshop.value("decode(soft, max_new_tokens=100000, min_new_tokens=100000)")
    _ = try workshop.value("decode(soft, max_new_tokens=100000, num_beams=5)")
    failure(
      of: "decode(soft, min_new_tokens=5, max_new_tokens=4)", in: workshop,
      naming: ["min_new_tokens", "4"])
    failure(of: "decode(soft, num_beams=2, do_sample=True)", in: workshop, naming: ["num_beams"])
  }

  @Test func aModelWithoutThePartSaysWhatItHas() throws {
    let generation = try workshop()
    failure(of: "match(s, \"a\")", in: generation, naming: ["match", "generation"])
    let retrieval = try workshop(model: "blip2-itm")
    for call in ["project(queries)", "next_token(queries)", "decode(queries)", "assemble(queries)"]
    {
      failure(of: call, in: retrieval)
    }
    _ = try retrieval.value("run(s)")
    failure(of: "match(s, [])", in: retrieval, naming: ["at least one"])
    failure(
      of: "match(s, \"circle \" * 60)", in: retrieval, naming: ["40"])
  }
}

@Suite struct BadFileTests {
  /// A PNG whose header claims a size, and whose pixels break off at once.
  static func header(width: UInt32, height: UInt32) -> [UInt8] {
    func bytes(_ number: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }
    let content = Array("IHDR".utf8) + bytes(width) + bytes(height) + [8, 2, 0, 0, 0]
    var sum: UInt32 = 0xFFFF_FFFF
    for byte in content {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
    }
    return [137, 80, 78, 71, 13, 10, 26, 10] + bytes(13) + content + bytes(~sum)
      + bytes(1000) + Array("IDAT".utf8) + [0x78, 0x9C]
  }

  @Test func aFileThatIsNoPictureIsNamed() throws {
    let workshop = try Workshop()
    func write(_ bytes: [UInt8], _ name: String) throws {
      try Data(bytes).write(to: workshop.folder.appending(path: name))
    }
    try write([], "empty.png")
    try write(Array("not a picture\n".utf8), "text.png")
    try write(Self.header(width: 60_000, height: 10_000), "wide.png")
    try write(Self.header(width: 4_294_967_295, height: 4_294_967_295), "huge.png")
    try write(Self.header(width: 0, height: 10), "flat.png")
    try write(Self.header(width: 8, height: 8), "cut.png")
    try FileManager.default.createDirectory(
      at: workshop.folder.appending(path: "folder.png"), withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      at: workshop.folder.appending(path: "loop.png"),
      withDestinationURL: workshop.folder.appending(path: "loop.png"))
    for name in [
      "missing.png", "empty.png", "text.png", "wide.png", "huge.png", "flat.png", "cut.png",
      "folder.png", "loop.png", "no/such/folder.png",
    ] {
      failure(of: "image(\"\(name)\")", in: workshop, naming: [name])
      failure(of: "preprocess(\"\(name)\")", in: workshop, naming: [name])
    }
    failure(
      of: "image(\"wide.png\")", in: workshop, naming: ["60000 × 10000 pixels, 600,000,000 in all"])
    failure(of: "image(\"a\\0b.png\")", in: workshop)
    failure(of: "image(\"" + String(repeating: "x", count: 5000) + "\")", in: workshop)
  }

  @Test func writingOutsideTheOutputFolderIsRefused() throws {
    let workshop = try Workshop()
    try FileManager.default.createDirectory(
      at: workshop.folder.appending(path: "fovea-out"), withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: workshop.folder.appending(path: "fovea-out/link"), withDestinationURL: workshop.folder)
    for path in [
      "/tmp/outside.txt", "../outside.txt", "a/../../outside.txt", "link/outside.txt",
      "~/outside.txt",
    ] {
      let failure = failure(of: "save(\"x\", \"\(path)\")", in: workshop, naming: ["output folder"])
      #expect(failure?.kind == .permission)
    }
    failure(of: "save(\"x\", \"folder/\")", in: workshop)
    failure(
      of: "save(scene(7), \"x.gif\")", in: workshop, naming: ["save", "path", ".png", ".gif"])
    for path in ["/dev/null", "noext", "a.b/x"] {
      failure(
        of: "save(ones([2, 2]), \"\(path)\")", in: workshop,
        naming: [".npy or .csv or .safetensors for a tensor, and has no extension"])
    }
    failure(of: "save(scene(7), \"x\")", in: workshop, naming: ["save", "path", ".png"])
    failure(of: "save(zeros(2), \"x.png\")", in: workshop, naming: ["save", "path", ".npy"])
    let left = try FileManager.default.subpathsOfDirectory(
      atPath: workshop.folder.appending(path: "fovea-out").path)
    #expect(left == ["link"])
    _ = try workshop.value("save(\"x\", \"inside/x.txt\")")
  }

  @Test func aFolderThatIsNoModelIsNamed() throws {
    let workshop = try Workshop()
    let folder = workshop.folder.appending(path: "pickle")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    failure(of: "load(\"pickle\")", in: workshop, naming: ["pickle", "config.json"])
    for file in try FileManager.default.contentsOfDirectory(
      atPath: Fixtures.goldens.appending(path: "blip2").path) where file.hasSuffix(".json")
    {
      try FileManager.default.copyItem(
        at: Fixtures.goldens.appending(path: "blip2/\(file)"), to: folder.appending(path: file))
    }
    failure(of: "load(\"pickle\")", in: workshop, naming: ["model.safetensors"])
    try Data([1, 2, 3]).write(to: folder.appending(path: "pytorch_model.bin"))
    failure(of: "load(\"pickle\")", in: workshop, naming: ["pytorch_model.bin", "safetensors"])
    failure(of: "load(\"missing\")", in: workshop, naming: ["missing", "no such folder"])
    failure(
      of: "load(\"pickle/config.json\")", in: workshop, naming: ["config.json", "is a file"])
    failure(of: "load(\"\")", in: workshop, naming: ["load", "path"])
    // The model in use stays the one it was.
    _ = try workshop.value("load(\"\(Fixtures.goldens.appending(path: "blip2").path)\")")
    failure(of: "load(\"missing\")", in: workshop)
    #expect(try workshop.value("preprocess(scene(7)).shape[1]").displayed == "48")
  }
}
