import Foundation
import Runtime
import Terminal
import Testing

@testable import fovea

@Suite struct PromptCompletionTests {
  /// The labels offered at the end of a text.
  func labels(_ text: String) -> [String] {
    let completion = PromptCompletion(session: smallSession(), text: text, cursor: text.endIndex)
    return completion.completions?.candidates.map(\.label) ?? []
  }

  @Test func namesAreCommandsVariablesAndFunctions() {
    #expect(labels("vi") == ["vision", "vital"])
    #expect(labels("x = att") == ["attention"])
    #expect(labels("ATT") == ["attention"])
    #expect(labels("le").contains("len"))
    #expect(labels("").count > 10)
    #expect(labels("zzz").isEmpty)
  }

  @Test func aCallOffersItsParametersAndLeavesOutWhatIsGiven() {
    #expect(labels("attention(vision, ").prefix(2) == ["block=", "head="])
    #expect(labels("attention(vision, block=1, ").first == "head=")
    #expect(
      labels("attention(vision, block=1, h")
        == ["head=", "help"].filter { $0 == "head=" || labels("h").contains($0) })
    #expect(labels("attention vision bl") == ["block="])
    #expect(labels("attention(v") == ["vision", "vital"])
  }

  @Test func aVariablesMembersStandBehindItsDot() {
    #expect(labels("vital.sha") == ["shape"])
    #expect(labels("attention(vital.sha") == ["shape"])
    #expect(labels("nothing.").isEmpty)
  }

  @Test func quotesOfferWhatTheirParameterTakes() {
    #expect(labels("load(quantize=\"") == ["int8", "int4"])
    #expect(labels("load(\"shipped\", 'int8") == ["int8"])
    #expect(labels("load(\"shipped\", 'in") == ["int8", "int4"])
    #expect(labels("load(quantize=\"x").isEmpty)
  }

  @Test func signsOfPercentOfferMagics() {
    #expect(labels("%t") == ["%time", "%timeit"])
    #expect(labels("%%t") == ["%%time", "%%timeit"])
    #expect(labels("x = 1\n  %w") == ["%who", "%whos"])
    #expect(!labels("7 %t").contains("%time") && !labels("(\n%t").contains("%time"))
  }

  @Test func methodsHaveALineOfHelp() {
    let text = "vital."
    let found = PromptCompletion(
      session: smallSession(), text: text, cursor: text.endIndex
    ).completions?.candidates
    #expect(found?.first { $0.label == "softmax" }?.detail.hasPrefix("Exponentials") == true)
    #expect(found?.first { $0.label == "shape" }?.detail == "")
  }

  @Test func quotesOfferFilesAndCommentsNothing() throws {
    let folder = URL.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try Data().write(to: folder.appending(path: "cat one.png"))
    try FileManager.default.createDirectory(
      at: folder.appending(path: "cats"), withIntermediateDirectories: true)
    #expect(labels("image('\(folder.path)/c") == ["cat one.png", "cats/"])
    #expect(labels("image(\"\(folder.path)/cat o") == ["cat one.png"])
    #expect(labels("# vi").isEmpty)
  }

  @Test(
    arguments: [
      ("f(", "f", 0, nil), ("f(1, ", "f", 1, nil), ("f(1, b=", "f", 1, "b"),
      ("f(g(1, 2), ", "f", 1, nil), ("f(g(1, ", "g", 1, nil), ("f('a, (', ", "f", 1, nil),
      ("x = f(a, (1, 2), ", "f", 2, nil),
    ] as [(String, String, Int, String?)])
  func theInnermostOpenCallIsKnown(_ text: String, _ name: String, _ count: Int, _ keyword: String?)
  {
    let call = Place(text).call
    #expect(call?.name == name)
    #expect(call?.argumentCount == count)
    #expect(call?.keyword == keyword)
  }
}
