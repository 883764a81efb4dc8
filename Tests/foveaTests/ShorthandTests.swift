import Runtime
import Tensors
import Testing

@testable import fovea

/// A session with a few declarations, and variables to refer to.
func smallSession() -> Session {
  let session = Session(commands: [
    Command(
      "attention", group: "Looking", "Shows where each query looks.",
      .any("source", "What to look into."), .integer("block", default: 0, "Counted from 0."),
      .integer("head", default: 0, "Counted from 0."), returns: "a map"
    ) { _, _, block, _ in .integer(block) },
    Command(
      "image", group: "Pictures", "Reads a picture.", .path("path", "The file."),
      returns: "an Image"
    ) { _, path in .text("\(path)") },
    Command(
      "load", group: "Session", "Reads a model.", .path("source", "Its folder."),
      .choice("quantize", of: ["int8", "int4"], "Its precision."), returns: "a Model"
    ) { _, _, precision in .text(precision) },
    Command("models", group: "Session", "Lists models.", returns: "a table") { _ in .none },
  ])
  session["vision"] = .integer(1)
  session["vital"] = .tensor(.init(repeating: 0, shape: [2, 3]))
  return session
}

@Suite struct ShorthandTests {
  @Test(arguments: [
    ("attention vision block=3", "attention(vision, block=3)"),
    ("attention vision 3 head=2", "attention(vision, 3, head=2)"),
    ("attention vision[0, 1:2] head=2", "attention(vision[0, 1:2], head=2)"),
    ("image ~/cats/one.png", "image(\"~/cats/one.png\")"),
    ("image 'with blank.png'", "image('with blank.png')"),
    ("image a\\b", "image(\"a\\\\b\")"),
    ("models", "models()"),
    ("help", "help()"),
    ("help attention", "help(\"attention\")"),
    ("x = attention vision block=3", "x = attention(vision, block=3)"),
    ("x = image ~/one.png;", "x = image(\"~/one.png\");"),
  ])
  func wordsBecomeTheCallTheyStandFor(_ typed: String, _ full: String) {
    #expect(smallSession().expandedShorthand(typed) == full)
  }

  @Test(arguments: [
    "attention(vision, block=3)", "attention = 3", "attention + 1", "attention", "unknown vision",
    "1 + 1", "", "x == attention vision", "attention vision\nmodels", "x = vision", "x = 3",
    "x.y = attention vision", "x = y = attention vision",
  ])
  func whatParsesOrIsNoCommandStays(_ typed: String) {
    #expect(smallSession().expandedShorthand(typed) == nil)
  }

  @Test func blocksIndentAndReturnsGoBack() {
    #expect(PromptLoop.indentation(after: "def f():") == "    ")
    #expect(PromptLoop.indentation(after: "def f():\n    x = 1") == "    ")
    #expect(PromptLoop.indentation(after: "def f():\n    return 1") == "")
    #expect(PromptLoop.indentation(after: "f(1,") == "")
  }
}
