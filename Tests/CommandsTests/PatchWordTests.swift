import Commands
import Files
import Foundation
import Language
import Runtime
import Synchronization
import TestSupport
import Testing

/// Patches and boxes, pictures of tensors, loops over traces.
@Suite struct PatchWordTests {
  @Test func aPictureOfPixelsOrPatchesIsWhatTheModelSees() throws {
    let workshop = try Workshop()
    let text = """
      s = scene(7)
      pixels = preprocess(s)
      seen = image(pixels)
      [(preprocess(seen) == pixels).all(), (image(patchify(pixels)).pixels == seen.pixels).all(),
       (image(s.pixels).pixels == s.pixels).all(), image(s).name == s.name]
      """
    #expect(try workshop.texts(text) == ["True", "True", "True", "True"])
  }

  @Test func numbersThatNoPictureHasAreCutAndSaid() throws {
    let written = Mutex("")
    let session = Session(
      commands: Commands.all, output: { text in written.withLock { $0 += text } })
    let result = session.run(
      .init(name: "cell", text: "x = preprocess(scene(7))\nx = where(x > 1, 1e9, x)\nimage(x);"))
    #expect(result.succeeded)
    #expect(
      written.withLock { $0 }.contains("are no colour of a picture, and cut at black and white"))
  }

  @Test(arguments: [
    ("image(zeros(2, 2))", "image: path must be pixels [3, Y, X], patches ["),
    ("image(3)", "image: path must be a path or a tensor, not 3"),
    ("patches_under((0, 0, 0, 9), scene(1))", "must have its left before its right"),
    ("patches_under((900, 900, 950, 950), scene(1))", "must meet what the model sees"),
    ("patches_under((1, 2, 3), scene(1))", "box must be four numbers"),
    ("box_of([100], scene(1))", "patches must be from 0 to 99, not 100"),
    ("box_of([], scene(1))", "patches must be at least one patch"),
    ("box_of(zeros(3) > 0, scene(1))", "must be a mask of shape [100] or [10, 10]"),
    ("box_of(zeros(100), scene(1))", "must be positions of patches or a mask of them"),
    ("run(scene(1)).trace.items(\"*.patern\")", "the trace has no place '*.patern'"),
    ("run(scene(1)).trace[\"*.pattern\"]", "places of the trace fit '*.pattern'"),
  ]) func whatDoesNotFitIsSaid(text: String, message: String) throws {
    let failure = try #require(try Workshop().run(text).failure)
    #expect(failure.message.contains(message), "\(failure.message)")
  }

  @Test func aChoiceOfPlacesThatChoosesNoneIsSaid() throws {
    for (call, isSaid) in [
      ("run(s, keep=\"vision.blocs.*\")", true), ("run(s, keep=\"\")", false),
      ("run(s, keep=\"*.pattern\")", false), ("embed(patchify(preprocess(s)), keep=\"x\")", true),
      ("decode(project(query(v)), keep=\"x\")", true),
    ] {
      let written = Mutex("")
      let session = Session(
        commands: Commands.all, output: { text in written.withLock { $0 += text } })
      let text = "s = scene(7)\nv = encode(embed(patchify(preprocess(s))))\nr = \(call)"
      #expect(session.run(.init(name: "cell", text: text)).succeeded)
      #expect(
        written.withLock { $0 }.contains("fits no place that ran") == isSaid, "\(call)")
    }
  }

  @Test func boxesHaveNoDustOfTheirArithmetic() throws {
    let text = """
      m = load("small-clip")
      a = image(ones(3, 126, 200))
      n = patchify(preprocess(a)).shape[0]
      [x for i in range(n) for x in box_of([i], a) if x != round(x, 6)]
      """
    #expect(try Workshop().texts(text) == [])
  }

  @Test func theBoxOfTheObjectsPatchesHoldsTheObject() throws {
    let text = """
      s = scene(12, objects=3)
      found = []
      for object in s.objects:
          left, top, right, bottom = object["box"]
          places = patches_under(object["box"], s)
          box = box_of(places, s)
          inside = box[0] <= left and box[1] <= top and box[2] >= right and box[3] >= bottom
          found.append(inside and len(places) > 1 and len(patches_under(box, s, share=1)) >= len(places))
      found
      """
    let found = try Workshop().texts(text)
    #expect(found.count == 3 && Set(found) == ["True"])
  }

  @Test func aMaskOverTheGridIsABox() throws {
    let workshop = try Workshop()
    let text = """
      numbers = tensor(list(range(100)))
      [[round(side, 6) for side in box_of(patches, scene(1))]
       for patches in [numbers == 11, (numbers == 11).reshape(10, 10), [11], 11]]
      """
    // A scene of 224 pixels, seen in 10 by 10 patches.
    #expect(Set(try workshop.texts(text)) == ["[22.4, 22.4, 44.8, 44.8]"])
  }

  @Test func aTraceIsGoneThroughByName() throws {
    let workshop = try Workshop()
    let text = """
      trace = run(scene(1), max_new_tokens=1).trace
      names = [name for name, t in trace.items("vision.blocks.*.pattern")]
      assert names == trace.keys("vision.blocks.*.pattern")
      assert len(trace) == len(trace.items()) and [name for name in trace] == trace.keys()
      assert trace.values(names[0])[0].shape == trace[names[0]].shape
      names
      """
    let names = try workshop.texts(text)
    #expect(names.first == "vision.blocks.0.attention.pattern")
    #expect(names.allSatisfy { $0.hasSuffix(".attention.pattern") } && names.count > 1)
  }

  @Test func aMisspeltModelOrFileIsSuggestedAndKeepsItsStatus() throws {
    let workshop = try Workshop()
    try FileManager.default.copyItem(
      at: Fixtures.goldens.appending(path: "picture.png"),
      to: workshop.folder.appending(path: "cat.png"))
    for (text, hint) in [
      ("load(\"sceens\")", "did you mean 'scenes'?"),
      ("run(\"cta.png\")", "did you mean 'cat.png'?"),
      ("image(\"./cat.pgn\")", "did you mean './cat.png'?"),
    ] {
      let failure = try #require(workshop.run(text).failure)
      #expect(failure.hint == hint, "\(failure)")
      #expect((failure.underlying as? any HasExitCode)?.exitCode == ExitCode.missingInput)
    }
    #expect(workshop.run("image(\"nothing-alike\")").failure?.hint == nil)
  }

  @Test func theWordsOfOrderKeepPositionsAndMasks() throws {
    let text = """
      x = tensor([3, 1, 2])
      [sort(argsort(x)).dtype, concat([x > 1, x > 2]).dtype, topk(x, 1)[1].dtype,
       stack([x.argmax(), 2]).dtype]
      """
    #expect(try Workshop().texts(text) == ["int64", "bool", "int64", "float32"])
  }
}
