import Budget
import Commands
import Files
import Foundation
import Models
import Runtime
import TestSupport
import Testing

@Suite struct MemoryCommandTests {
  private func workshop(_ model: String = "blip2", limit: Int? = nil) throws -> Workshop {
    let workshop = try Workshop()
    workshop.session[StartingModel.self] = Fixtures.goldens.appending(path: model)
    workshop.session.memory.limit = limit
    _ = try workshop.value("s = scene(7)\ns")
    return workshop
  }

  @Test(arguments: [
    "run(s, \"a circle\", max_new_tokens=2)", "embed(patches)", "encode(tokens)",
  ])
  func whatDoesNotFitIsRefusedAndTheSessionGoesOn(_ call: String) throws {
    let workshop = try workshop()
    _ = try workshop.value(
      "patches = patchify(preprocess(s))\ntokens = embed(patches)\nmemory(\"10KB\")")
    let failure = try #require(workshop.run(call).failure)
    #expect(failure.underlying is MemoryShortage, "\(failure)")
    for word in ["kept places", "10.0 KB can be had", "memory(\"any\")"] {
      #expect(failure.message.contains(word), "\(failure.message)")
    }
    #expect(workshop.run("memory(\"any\")\n\(call)").failure == nil)
    #expect(workshop.run("memory(\"free\")\n\(call)").failure == nil)
  }

  @Test func fewerPlacesTakeLess() throws {
    let workshop = try workshop()
    let all = try #require(try workshop.value("memory().run").integer)
    let patterns = try #require(try workshop.value("memory(keep=\"*.pattern\").run").integer)
    let none = try #require(try workshop.value("memory(keep=\"\").run").integer)
    #expect(none < patterns && patterns < all)
    let longer = "memory(prompt=\"a circle and another circle\", max_new_tokens=9).run"
    #expect(try #require(try workshop.value(longer).integer) > all)
    workshop.session.memory.limit = patterns
    let failure = try #require(workshop.run("run(s)").failure)
    #expect(failure.message.contains("keep=\"*.pattern\""), "\(failure.message)")
    #expect(workshop.run("run(s, keep=\"*.pattern\")").failure == nil)
  }

  @Test func beamsHaveACacheEach() throws {
    let workshop = try workshop()
    _ = try workshop.value(
      "soft = project(query(encode(embed(patchify(preprocess(s))))))\nmemory(\"60KB\")")
    let words = "decode(soft, num_beams=64, max_new_tokens=200, keep=\"\")"
    let failure = try #require(workshop.run(words).failure)
    #expect(failure.message.contains("(cache"), "\(failure.message)")
    #expect(workshop.run("decode(soft, max_new_tokens=2, keep=\"\")").failure == nil)
  }

  @Test func aLoadObeysTheLimitToo() throws {
    let workshop = try workshop(limit: 1000)
    let path = Fixtures.goldens.appending(path: "blip2").path
    let failure = try #require(workshop.run("load(\"\(path)\", quantize=\"int8\")").failure)
    #expect(failure.message.contains("converted weights"), "\(failure.message)")
  }

  @Test func aLimitThatIsNoneIsNamed() throws {
    let failure = try #require(try workshop().run("memory(\"lots\")").failure)
    #expect(failure.message.contains("\"4GB\""), "\(failure.message)")
  }

  @Test func aTraceForAFileIsRefusedWithTheOptionsOfTheCommandLine() throws {
    let folder = try TemporaryFolder()
    let picture = Fixtures.goldens.appending(path: "picture.png")
    for (model, texts) in [
      ("blip2", []), ("blip2-itm", ["a circle"]), ("clip", ["a circle"]), ("vit", []),
    ] {
      let choice = ModelChoice(folder: Fixtures.goldens.appending(path: model))
      func write(_ memory: Int?, keep: String = "*") throws -> Int {
        try TraceTool(choice, memory: memory).write(
          images: [picture], prompt: "", texts: texts, names: .fovea, keep: keep,
          to: folder.file("\(model).safetensors"))
      }
      let failure = #expect(throws: MemoryShortage.self) { try write(10_000) }
      #expect(failure?.description.contains("--memory any") == true)
      #expect(!FileManager.default.fileExists(atPath: folder.file("\(model).safetensors").path))
      let all = try write(.max)
      let patterns = try write(nil, keep: "*.pattern")
      #expect(patterns > 0 && patterns < all)
    }
  }
}
