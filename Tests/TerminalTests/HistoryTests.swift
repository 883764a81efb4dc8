import Foundation
import Testing

@testable import Terminal

@Suite struct HistoryTests {
  let entries = ["image('a')", "patchify(x)", "def f():\n    g()", "image('b')"]

  @Test func upWalksBackAndDownReturnsToTheDraft() {
    var typing = Typing(history: entries)
    #expect(typing.send(Sent.up) == "image('b')|")
    typing.send(Sent.up)
    #expect(typing.editor.content.text == "def f():\n    g()")
    // Up inside the entry's lines first.
    typing.send(Sent.up + Sent.up)
    #expect(typing.editor.content.text == "patchify(x)")
    #expect(typing.send(Sent.control("n") + Sent.control("n") + Sent.control("n")) == "|")
  }

  @Test func upFindsOnlyWhatBeginsAsTyped() {
    var typing = Typing(history: entries)
    #expect(typing.send("im" + Sent.up + Sent.up) == "image('a')|")
    typing.send(Sent.up)
    #expect(typing.outcomes.last == .refused)
    #expect(typing.send(Sent.down) == "image('b')|")
    #expect(typing.send(Sent.down) == "im|")
  }

  @Test func editingAnEntryFromHistoryBeginsANewWalk() {
    var typing = Typing(history: entries)
    typing.send(Sent.up + "\u{7F}\u{7F}\u{7F}\u{7F}")
    #expect(typing.send(Sent.up) == "image('b')|")
  }

  @Test func searchNarrowsGoesOlderAndComesBack() {
    var typing = Typing(history: entries)
    #expect(typing.send(Sent.control("r") + "im") == "image('b')|")
    #expect(typing.send(Sent.control("r")) == "image('a')|")
    #expect(typing.send(Sent.control("s")) == "image('b')|")
    #expect(typing.send("zzz") == "image('b')|")
    #expect(typing.outcomes.last == .refused)
    #expect(typing.send(Sent.control("g")) == "|")
    #expect(typing.send("keep" + Sent.control("r") + "PATCH" + Sent.control("g")) == "keep|")
  }

  @Test func enterInASearchRunsWhatItFound() {
    var typing = Typing(history: entries)
    typing.send(Sent.control("r") + "patch\r")
    #expect(typing.submitted == ["patchify(x)"])
  }

  @Test func escapeInASearchKeepsTheMatchForEditing() {
    var typing = Typing(history: entries)
    typing.send(Sent.control("r") + "patch" + Sent.escape)
    #expect(typing.send("!") == "patchify(x)!|")
  }

  @Test func repeatsMoveToTheEndAndBlanksAndSecretsAreNotKept() {
    var history = History(["a", "b", "a", "", "  ", " secret", "c"], limit: 3)
    #expect(history.entries == ["b", "a", "c"])
    let kept = [" token", "c", "b"].map { history.add($0) }
    #expect(kept == [false, false, true])
    #expect(history.entries == ["a", "c", "b"])
    history.add("d")
    #expect(history.entries == ["c", "b", "d"])
  }

  @Test func aFileKeepsEntriesWholeForTheirOwnerOnly() throws {
    let folder = URL.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: "state/fovea/history").path
    let file = HistoryFile(path: path)
    #expect(try file.read().entries.isEmpty)
    let kept = ["x = 1", "def f():\n    return '\\n'", "日本 \\", "a\\\\nb"]
    for entry in kept { try file.append(entry) }
    #expect(try file.read().entries == kept)
    let modes = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    #expect(modes == 0o600)
    let folderModes =
      try FileManager.default.attributesOfItem(atPath: folder.appending(path: "state").path)[
        .posixPermissions] as? Int
    #expect(folderModes == 0o700)
  }

  @Test func aLongFileIsWrittenAnewWithItsLastEntries() throws {
    let path = URL.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = HistoryFile(path: path)
    for count in 0..<25 { try file.append("entry \(count)") }
    #expect(try file.read(limit: 10).entries.first == "entry 15")
    let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 10)
  }

  @Test func aFolderWhereTheFileShouldBeIsAnErrorWithItsPath() throws {
    let path = URL.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: path) }
    let file = HistoryFile(path: path)
    #expect(
      throws: TerminalError.historyFile(path: path, tried: "read", reason: "it is not a file")
    ) { try file.read() }
    #expect(throws: TerminalError.self) { try file.append("x") }
  }

  @Test func theStandardPlaceFollowsTheEnvironment() {
    func path(_ variables: [String: String]) -> String? {
      HistoryFile.standard(in: Environment(variables))?.path
    }
    #expect(path(["HOME": "/h"]) == "/h/.local/state/fovea/history")
    #expect(path(["HOME": "/h", "XDG_STATE_HOME": "/s"]) == "/s/fovea/history")
    #expect(path(["HOME": "/h", "XDG_STATE_HOME": "s"]) == "/h/.local/state/fovea/history")
    #expect(path(["HOME": "/h", "FOVEA_HISTORY": "/f"]) == "/f")
    #expect(path(["HOME": "/h", "FOVEA_HISTORY": ""]) == nil)
    #expect(path([:]) == nil)
  }
}
