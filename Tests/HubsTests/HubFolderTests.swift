import Files
import Foundation
import TestSupport
import Testing

@testable import Hubs

@Suite struct HubFolderTests {
  private let hub = ".cache/huggingface/hub/models--someone--tiny"

  @Test func anIdLeadsToTheSnapshotThatItsBranchNames() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    let place = "\(hub)/snapshots/\(HubFixture.commit)/"
    #expect(fixture.found("someone/tiny") == place)
    #expect(fixture.found("someone/tiny", revision: "main") == place)
    #expect(fixture.found("someone/tiny@main") == place)
    #expect(fixture.found("models--someone--tiny") == place)
    #expect(fixture.found("models--someone--tiny@main") == place)
    #expect(fixture.found("models--someone--other").contains("someone/other"))
    #expect(fixture.found("models--") == "no reference")
    #expect(fixture.found("someone/tiny", revision: HubFixture.commit) == place)
    #expect(fixture.found("someone/tiny", revision: "3D74A") == place)
    #expect(fixture.found("hf://models/someone/tiny@main") == place)
    #expect(fixture.found("https://huggingface.co/someone/tiny/tree/main?x=1") == place)
    #expect(fixture.found("someone/tiny@main", revision: "v1").contains("two revisions"))
  }

  @Test func branchesTagsAndRequestsAreTakenFromRefsAlone() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    try fixture.snapshot(commit: HubFixture.other, reference: "refs/pr/1")
    let other = "\(hub)/snapshots/\(HubFixture.other)/"
    #expect(fixture.found("someone/tiny", revision: "refs/pr/1") == other)
    #expect(fixture.found("someone/tiny@3d74af") == other)
    #expect(fixture.found("someone/tiny@3d74a").contains("several commits that begin with 3d74a"))
    for bad in ["../../../x", "a//b", "/etc/passwd", ".", "a/.."] {
      #expect(fixture.found("someone/tiny", revision: bad).contains("is no revision"), "\(bad)")
    }
    let missing = fixture.found("someone/tiny", revision: "v9")
    #expect(missing.contains("has no revision 'v9'"))
    #expect(missing.contains("main, commit 3d74acf9a28c; refs/pr/1, commit 3d74afff0000"))
    #expect(missing.contains("`hf download someone/tiny --revision v9` would bring it"))
  }

  @Test func withoutItsRefsASingleSnapshotIsTakenAndOfSeveralNone() throws {
    let fixture = try HubFixture()
    try fixture.snapshot(reference: nil)
    #expect(fixture.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
    try fixture.snapshot(commit: HubFixture.other, reference: nil)
    #expect(fixture.found("someone/tiny").contains("has no revision 'main'"))
    // A tag alone says that the branch was never fetched.
    let tagged = try HubFixture()
    try tagged.snapshot(reference: "v1")
    #expect(
      tagged.found("someone/tiny").contains(
        "there is v1, commit 3d74acf9a28c, which 'someone/tiny@v1' names; `hf download"))
    // Of two tags of one commit none is the one that was asked for.
    try tagged.write("\(hub)/refs/v2", HubFixture.commit)
    #expect(tagged.found("someone/tiny@v2") == tagged.found("someone/tiny@v1"))
    let names = tagged.caches.listing().models.map(\.name)
    #expect(names == ["someone/tiny@3d74acf9a28c"])
    #expect(tagged.found(names[0]) == tagged.found("someone/tiny@v1"))
  }

  @Test func aSnapshotWithoutWeightsSaysWhatBringsThem() throws {
    let fixture = try HubFixture()
    try fixture.write("\(hub)/snapshots/\(HubFixture.commit)/config.json")
    try fixture.write("\(hub)/snapshots/\(HubFixture.commit)/tokenizer.json")
    try fixture.write("\(hub)/refs/main", HubFixture.commit)
    #expect(
      fixture.found("someone/tiny")
        .hasSuffix("\(HubFixture.commit): has no weights; `hf download someone/tiny` brings them"))
    // Weights of another program are told as what they are when the model is read.
    try fixture.write("\(hub)/snapshots/\(HubFixture.commit)/rust_model.ot")
    #expect(fixture.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
    // What reads small files alone may do without: no settings of a model, no weights missed.
    let small = try HubFixture()
    try small.write("\(hub)/snapshots/\(HubFixture.commit)/tokenizer.json")
    try small.write("\(hub)/refs/main", HubFixture.commit)
    #expect(small.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
  }

  @Test func aSnapshotNamedAfterItsBranchIsThatBranch() throws {
    let fixture = try HubFixture()
    try fixture.snapshot(commit: "main", reference: nil)
    try fixture.snapshot(commit: "v1", reference: nil)
    #expect(fixture.found("someone/tiny") == "\(hub)/snapshots/main/")
    #expect(fixture.found("someone/tiny@v1") == "\(hub)/snapshots/v1/")
    #expect(fixture.caches.listing().models.map(\.name) == ["someone/tiny", "someone/tiny@v1"])
  }

  @Test(arguments: ["", "main", "../../../../etc", "3d74acf", "x\u{1B}[2J", "<!DOCTYPE html>"])
  func aReferenceThatHoldsNoCommitIsAnError(_ junk: String) throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    try fixture.write("\(hub)/refs/main", junk)
    let found = fixture.found("someone/tiny")
    #expect(found.contains("\(hub)/refs/main: holds"))
    #expect(found.contains("a commit of 40 hexadecimal digits was expected"))
    #expect(!found.contains("\u{1B}"))
  }

  @Test func aLineEndBehindACommitDoesNoHarm() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    try fixture.write("\(hub)/refs/main", HubFixture.commit + "\n")
    #expect(fixture.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
  }

  @Test func whatADownloadDidNotFinishIsSaidByName() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    let snapshot = "\(hub)/snapshots/\(HubFixture.commit)"
    let blob = fixture.folder.file("\(hub)/blobs/\(String(repeating: "1", count: 40))")
    try FileManager.default.removeItem(at: blob)
    try fixture.write("\(hub)/blobs/abc.1a2b3c4d.incomplete", "12345")
    let dangling = fixture.found("someone/tiny")
    #expect(dangling.contains("is not complete: model.safetensors is a link to ../../blobs/1111"))
    #expect(
      dangling.contains("a download was broken off (blobs/abc.1a2b3c4d.incomplete (5 bytes))"))
    #expect(dangling.contains("`hf download someone/tiny` brings the rest"))

    try FileManager.default.removeItem(at: fixture.folder.file(snapshot + "/model.safetensors"))
    #expect(fixture.found("someone/tiny").contains("its weights are not there"))
    try fixture.write(
      snapshot + "/model.safetensors.index.json",
      #"{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}"#)
    try fixture.write(snapshot + "/model-1.safetensors")
    #expect(
      fixture.found("someone/tiny").contains(
        "model-2.safetensors, which model.safetensors.index.json names, is not there"))

    try FileManager.default.removeItem(at: fixture.folder.file(snapshot))
    let gone = fixture.found("someone/tiny")
    #expect(gone.contains("main is commit \(HubFixture.commit), of which there is no snapshot"))
  }

  @Test func whatNobodyReadsMayBeMissing() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    for name in ["tf_model.h5", "pytorch_model.bin", "README.md"] {
      try fixture.link("\(hub)/snapshots/\(HubFixture.commit)/\(name)", to: "../../blobs/none")
    }
    try fixture.write("\(hub)/blobs/abc.incomplete", "")
    #expect(fixture.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
  }

  @Test func linksThatACopyWroteOutAsTextAreFollowed() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    let file = fixture.folder.file("\(hub)/snapshots/\(HubFixture.commit)/config.json")
    try FileManager.default.removeItem(at: file)
    let blob = String(repeating: "0", count: 40)
    try Data("../../blobs/\(blob)".utf8).write(to: file)
    #expect(try WholeFile.readText(file) == "{}")
    #expect(fixture.found("someone/tiny").hasSuffix("\(HubFixture.commit)/"))
    try FileManager.default.removeItem(at: fixture.folder.file("\(hub)/blobs/\(blob)"))
    #expect(fixture.found("someone/tiny").contains("config.json is a link to"))
    // As a store that models share has it: a link to a link.
    let shared = String(repeating: "a", count: 64)
    try fixture.write(".cache/huggingface/hub/blobs/aa/\(shared)", "[1]")
    try fixture.write("\(hub)/blobs/\(blob)", "../../blobs/aa/\(shared)")
    #expect(try WholeFile.readText(file) == "[1]")
    try fixture.write("\(hub)/blobs/\(blob)", "../blobs/\(blob)")
    #expect(throws: FileFailure(fixture.folder.file("\(hub)/blobs/\(blob)").path, .linkLoop)) {
      try WholeFile.readText(fixture.folder.file("\(hub)/blobs/\(blob)"))
    }
    // What only looks like one is the file itself.
    for text in ["../../blobs/\(blob.dropLast())", "../blobs/\(blob) ", "blobs/\(blob)"] {
      try Data(text.utf8).write(to: file)
      #expect(try WholeFile.readText(file) == text)
    }
  }

  @Test func theFolderOfASnapshotTellsWhatItIs() throws {
    let fixture = try HubFixture()
    try fixture.snapshot()
    let url = fixture.folder.file("\(hub)/snapshots/\(HubFixture.commit)")
    let model = CachedModel(at: url, in: [])
    #expect(model?.id.description == "someone/tiny" && model?.name == "someone/tiny")
    #expect(model?.revisionText == "main, commit 3d74acf9a28c")
    #expect(CachedModel(at: fixture.folder.file(hub), in: []) == nil)
    #expect(try HubFolder(fixture.folder.file(hub))?.snapshot(nil).commit == HubFixture.commit)
    #expect(HubFolder(fixture.folder.file(".cache")) == nil)
    for inside in [hub, hub + "/snapshots", hub + "/refs", hub + "/blobs"] {
      let found = try CachedModel.among(snapshotsOf: fixture.folder.file(inside), revision: nil)
      #expect(found?.commit == HubFixture.commit, "\(inside)")
    }
    #expect(try CachedModel.among(snapshotsOf: url, revision: nil) == nil)
    #expect(throws: HubError.self) {
      try CachedModel.among(snapshotsOf: fixture.folder.file(hub), revision: "v2")
    }
  }
}
