import Foundation
import TestSupport
import Testing

@testable import Hubs

@Suite struct CacheFolderTests {
  private func folders(_ environment: [String: String]) -> [String] {
    CacheFolders.all(in: { environment[$0] }).map { $0.url.barePath }
  }

  /// As huggingface_hub 2.4 and modelscope_hub 0.5 have it with the same variables.
  @Test func theVariablesAreReadInTheOrderOfTheHubsPrograms() {
    let home = ["HOME": "/home/a"]
    #expect(folders(home) == ["/home/a/.cache/huggingface/hub", "/home/a/.cache/modelscope"])
    #expect(folders(home.merging(["XDG_CACHE_HOME": "/x"]) { $1 })[0] == "/x/huggingface/hub")
    #expect(
      folders(home.merging(["XDG_CACHE_HOME": "/x", "HF_HOME": "~/h"]) { $1 })[0] == "/home/a/h/hub"
    )
    let all = home.merging(["HF_HOME": "/h", "HUGGINGFACE_HUB_CACHE": "/old"]) { $1 }
    #expect(folders(all)[0] == "/old")
    #expect(
      folders(all.merging(["HF_HUB_CACHE": "$HOME/${SUB}/c", "SUB": "s"]) { $1 })[0]
        == "/home/a/s/c")
    #expect(folders(all.merging(["HF_HUB_CACHE": ""]) { $1 })[0] == "/old")
    #expect(
      folders(
        home.merging([
          "HF_HUB_CACHE": "/c", "TRANSFORMERS_CACHE": "/t", "SENTENCE_TRANSFORMERS_HOME": "/c",
          "MODELSCOPE_CACHE": "/m",
        ]) { $1 }) == ["/c", "/t", "/m"])
  }

  @Test func aModelIsTakenFromTheFirstCacheThatHasItWhole() throws {
    let fixture = try HubFixture()
    fixture.environment["HF_HOME"] = "~/home"
    fixture.environment["TRANSFORMERS_CACHE"] = "~/old"
    try fixture.snapshot("old")
    #expect(fixture.found("someone/tiny").hasPrefix("old/"))
    try fixture.snapshot("home/hub")
    #expect(fixture.found("someone/tiny").hasPrefix("home/hub/"))
    try fixture.write("home/hub/models--someone--tiny/refs/main", "junk")
    #expect(fixture.found("someone/tiny").hasPrefix("old/"))
  }

  @Test func whatIsNowhereSaysWhereWasLookedAndWhatWouldBringIt() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    let home = fixture.folder.url.path
    let sentence = fixture.found("openai/clip-vit-base-patch32")
    #expect(
      sentence == "openai/clip-vit-base-patch32: no such folder, and no model of that name was "
        + "downloaded; looked in \(home)/.cache/huggingface/hub, \(home)/.cache/modelscope; "
        + "`hf download openai/clip-vit-base-patch32` or "
        + "`modelscope download --model openai/clip-vit-base-patch32` would bring it")
    #expect(fixture.found("Someone/Tiny").contains("did you mean 'someone/tiny'?"))
    #expect(!fixture.found("https://huggingface.co/a/b").contains("modelscope"))
    #expect(fixture.found("https://www.modelscope.cn/models/a/b").contains("--model a/b`"))
    fixture.environment["HF_HUB_OFFLINE"] = "on"
    #expect(fixture.found("a/b@it's").hasSuffix("but HF_HUB_OFFLINE is set"))
    #expect(fixture.found("a/b@it's").contains("`hf download a/b --revision 'it'\\''s'`"))
  }

  @Test(arguments: [
    "", "/etc", "./a", "../a", "a/b/c", "~/a", "a--b", "a..b", ".a/b", "a/-b", "a b", "a.git",
    "run.safetensors", "x/pytorch_model.bin", "a@", "ä/b", String(repeating: "x", count: 97),
  ])
  func aTextThatIsNoNameOfAModelIsNone(_ text: String) {
    #expect(ModelReference(text) == nil)
  }

  @Test func listingTellsWhatIsWholeAndWhatIsNot() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    try fixture.snapshot(commit: HubFixture.other, reference: "v1")
    try fixture.write(".cache/huggingface/hub/models--gpt2/refs/main", "junk")
    try fixture.write(".cache/huggingface/hub/datasets--a--b/refs/main")
    try fixture.write(".cache/huggingface/hub/CACHEDIR.TAG")
    let (models, broken) = fixture.caches.listing()
    #expect(models.map(\.name) == ["someone/tiny", "someone/tiny@v1"])
    #expect(models.allSatisfy { $0.fault == nil })
    #expect(broken.map(\.id.description) == ["gpt2"])
    #expect(fixture.caches.ids.map(\.description) == ["gpt2", "someone/tiny"])
  }
}

@Suite struct ScopeFolderTests {
  @Test(arguments: [
    ("models/Qwen--Tiny-2.5/snapshots/master", nil), ("models/Qwen/Tiny-2___5", nil),
    ("hub/models/Qwen/Tiny-2___5", nil), ("Qwen/Tiny-2.5", nil), ("hub/Qwen/Tiny-2___5", nil),
    ("models/Qwen--Tiny-2.5/snapshots/v1", "MODELSCOPE_CACHE"),
    ("models/Qwen/Tiny-2.5", "MODELSCOPE_CACHE"),
  ])
  func everyLayoutIsReadAndListed(_ place: String, _ variable: String?) throws {
    let fixture = try HubFixture()
    let cache = variable == nil ? ".cache/modelscope" : "elsewhere"
    if let variable { fixture.environment[variable] = "~/elsewhere" }
    for name in ["config.json", "model.safetensors", ".msc", ".mdl"] {
      try fixture.write("\(cache)/\(place)/\(name)")
    }
    #expect(fixture.found("Qwen/Tiny-2.5") == "\(cache)/\(place)/")
    #expect(fixture.caches.ids.map(\.description) == ["Qwen/Tiny-2.5"])
    let listed = fixture.caches.listing().models
    #expect(listed.map(\.hub) == [.modelScope])
    if place.contains("snapshots") {
      let whole = fixture.folder.file("\(cache)/\(place)/../..")
      #expect(try CachedModel.among(snapshotsOf: whole, revision: nil) == listed[0])
    }
    let model = CachedModel(
      at: fixture.folder.file("\(cache)/\(place)"), in: fixture.caches.folders)
    #expect(model?.id.description == "Qwen/Tiny-2.5")
  }

  @Test func theRevisionOfAnOlderFolderIsTheOneItSays() throws {
    let fixture = try HubFixture()
    let place = ".cache/modelscope/hub/models/Qwen/Tiny"
    for name in ["config.json", "model.safetensors"] { try fixture.write("\(place)/\(name)") }
    try fixture.write("\(place)/.mv", "Revision:v1.0,CreatedAt:1700000000")
    #expect(fixture.found("Qwen/Tiny") == place + "/")
    #expect(fixture.found("Qwen/Tiny", revision: "v1.0") == place + "/")
    let other = fixture.found("Qwen/Tiny", revision: "v2")
    #expect(other.contains("there is v1.0"))
    #expect(other.contains("`modelscope download --model Qwen/Tiny --revision v2` would bring it"))
  }

  @Test func aBrokenOffDownloadIsSaid() throws {
    let fixture = try HubFixture()
    try fixture.write(".cache/modelscope/hub/models/._____temp/Qwen/Tiny/model.safetensors", "12")
    let older = fixture.found("Qwen/Tiny")
    #expect(older.contains("a download was broken off (hub/models/._____temp/Qwen/Tiny)"))
    let place = ".cache/modelscope/models/Qwen--Tiny/snapshots/master"
    try fixture.write("\(place)/config.json")
    try fixture.write("\(place)/model.safetensors.incomplete", "12")
    #expect(fixture.found("Qwen/Tiny").contains("its weights are not there"))
  }
}
