import Foundation
import TestSupport
import Testing

@testable import Files

struct WholeFileTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  func kind(_ body: () throws -> Void) -> FileFailure.Kind? {
    do {
      try body()
      return nil
    } catch let failure as FileFailure {
      return failure.kind
    } catch {
      Issue.record("threw \(error)")
      return nil
    }
  }

  @Test func whatIsWrittenIsReadBackAndNothingElseIsLeft() throws {
    let file = folder.file("a.txt")
    try WholeFile.write("first", to: file)
    try WholeFile.write([UInt8](repeating: 7, count: 1_000_003), to: file)
    #expect(try WholeFile.read(file) == [UInt8](repeating: 7, count: 1_000_003))
    #expect(folder.names == ["a.txt"])
    try WholeFile.write([], to: file)
    #expect(try WholeFile.read(file) == [])
  }

  @Test func aBodyThatThrowsLeavesTheOldFile() throws {
    struct Stop: Error {}
    let file = folder.file("a.txt")
    try WholeFile.write("old", to: file)
    #expect(throws: Stop.self) {
      try WholeFile.write(to: file) { writer in
        try writer.write([UInt8](repeating: 1, count: 1 << 20))
        throw Stop()
      }
    }
    #expect(try WholeFile.readText(file) == "old")
    #expect(folder.names == ["a.txt"])
  }

  @Test func aReplacedFileKeepsItsPermissions() throws {
    let file = folder.file("run.sh")
    try WholeFile.write("old", to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o750], ofItemAtPath: file.path)
    try WholeFile.write("new", to: file)
    let mode = try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions]
    #expect(mode as? Int == 0o750)
  }

  @Test func theLongestNameCanBeWritten() throws {
    let file = folder.file(String(repeating: "n", count: 251) + ".txt")
    try WholeFile.write("x", to: file)
    #expect(try WholeFile.readText(file) == "x")
  }

  @Test func aFullDiskIsOneFailureWithItsCode() throws {
    let full = open("/dev/full", O_WRONLY)
    defer { close(full) }
    do {
      try WholeFile.write("x", to: URL(filePath: "/dev/fd/\(full)"))
      Issue.record("nothing failed")
    } catch {
      #expect(error.kind == .diskFull && error.exitCode == 74)
      #expect(error.description.contains("/dev/fd/\(full)"))
    }
  }

  @Test func aDeviceAPipeAndASocketAreNotWrittenTo() throws {
    #expect(
      kind { try WholeFile.write("x", to: URL(filePath: "/dev/full")) } == .notRegular(.device))
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(kind { try WholeFile.write("x", to: pipe) } == .notRegular(.pipe))
    #expect(kind { try WholeFile.checkWriting(to: pipe) } == .notRegular(.pipe))
    let socket = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let place = folder.file("s").path
    guard place.utf8.count < 100 else { return }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(place.utf8)) }
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(bound == 0)
    let failure = #expect(throws: FileFailure.self) {
      try WholeFile.write("x", to: URL(filePath: place))
    }
    #expect(failure?.kind == .notRegular(.socket) && failure?.exitCode == 73)
    let socketFile = URL(filePath: place)
    #expect(kind { _ = try WholeFile.read(socketFile) } == .notRegular(.socket))
    #expect(kind { _ = try WholeFile.readToEnd(socketFile, limit: 9) } == .notRegular(.socket))
    #expect(FileFailure(place, .notRegular(.socket)).description.contains("is a socket, a regular"))
    try WholeFile.write("x", to: URL(filePath: "/dev/null"))
  }

  @Test func theProcessesOwnStreamsGoOnWhereTheyAre() throws {
    let file = open(folder.file("log").path, O_WRONLY | O_CREAT, 0o600)
    defer { close(file) }
    #expect(write(file, "ab", 2) == 2)
    try WholeFile.write("cd", to: URL(filePath: "/dev/fd/\(file)"))
    #expect(write(file, "ef", 2) == 2)
    #expect(try WholeFile.readText(folder.file("log")) == "abcdef")
    let closed = URL(filePath: "/dev/fd/987")
    #expect(throws: FileFailure.self) { try WholeFile.write("x", to: closed) }
  }

  @Test func aFileHasNoNameBeforeItIsWhole() throws {
    try WholeFile.write("old", to: folder.file("a.txt"))
    try WholeFile.write(to: folder.file("a.txt")) { file in
      try file.write(String(repeating: "x", count: 1 << 20))
      #expect(folder.names == ["a.txt"])
      #expect(try WholeFile.readText(folder.file("a.txt")) == "old")
    }
    try WholeFile.write(to: folder.file("new.txt")) { file in
      try file.write("x")
      #expect(folder.names == ["a.txt"])
    }
    #expect(folder.names == ["a.txt", "new.txt"])
    try WholeFile.checkWriting(to: folder.file("b.txt"))
    #expect(folder.names == ["a.txt", "new.txt"])
  }

  @Test func whatHasNoLengthIsReadToItsEndAndNoFurther() throws {
    try WholeFile.write("12345", to: folder.file("five"))
    #expect(try WholeFile.readToEnd(folder.file("five"), limit: 5) == Array("12345".utf8))
    #expect(
      kind { _ = try WholeFile.readToEnd(folder.file("five"), limit: 4) } == .tooLong(limit: 4))
    let zeros = URL(filePath: "/dev/zero")
    #expect(
      kind { _ = try WholeFile.readToEnd(zeros, limit: 1 << 20) } == .tooLong(limit: 1 << 20))
    #expect(kind { _ = try WholeFile.readToEnd(folder.url, limit: 9) } == .folder)
    let pointer = folder.file("script.fovea")
    try Data("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n".utf8).write(
      to: pointer)
    #expect(kind { _ = try WholeFile.readToEnd(pointer, limit: 1 << 20) } == .gitPointer)
  }

  @Test func theHomeFolderIsWhatTheEnvironmentSays() throws {
    // The system's answer is only for where HOME is not set; a test process has it.
    let home = try #require(getenv("HOME").map { String(cString: $0) })
    #expect("~".withHomeFolder == home && "~/a/~b".withHomeFolder == home + "/a/~b")
    #expect(URL(typed: "~/x").path == home + "/x")
    #expect("~root/x".withHomeFolder == "/root/x")
    for same in ["", "a/~", "./~", "~nobody-has-this-name/x", "/~"] {
      #expect(same.withHomeFolder == same)
    }
  }

  @Test func wrongPlacesAreNamed() throws {
    #expect(
      kind { try WholeFile.write("x", to: folder.file("no/such/folder.txt")) } == .missingFolder)
    #expect(kind { try WholeFile.write("x", to: folder.url) } == .folder)
    #expect(kind { _ = try WholeFile.read(folder.url) } == .folder)
    #expect(kind { _ = try WholeFile.read(folder.file("none")) } == .missing)
    #expect(kind { _ = try WholeFile.read(URL(filePath: "/dev/zero")) } == .notRegular(.device))
    try WholeFile.write("12345", to: folder.file("five"))
    #expect(
      kind { _ = try WholeFile.read(folder.file("five"), limit: 4) }
        == .tooLarge(bytes: 5, limit: 4))
    #expect(kind { _ = try WholeFile.read(folder.file("five/x")) } == .missingFolder)
  }

  @Test func aLinkIsNotWrittenThroughAndNotReplaced() throws {
    let (target, link) = (folder.file("target"), folder.file("link"))
    try WholeFile.write("old", to: target)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    #expect(kind { try WholeFile.write("new", to: link) } == .symbolicLink(to: target.path))
    #expect(try WholeFile.readText(link) == "old")
    let circle = folder.file("circle")
    try FileManager.default.createSymbolicLink(at: circle, withDestinationURL: circle)
    #expect(kind { _ = try WholeFile.read(circle) } == .linkLoop)
  }

  @Test func aLinkToNothingIsNamed() throws {
    let link = folder.file("link")
    try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "gone")
    #expect(kind { _ = try WholeFile.read(link) } == .brokenLink(to: "gone"))
  }

  @Test func whatADeadProcessLeftIsRemovedAndNothingElse() throws {
    let names = [
      ".a.txt.999999999.1a2b.tmp", ".a.txt.\(getpid()).1a2b.tmp", ".a.txt.999999999.xyz.tmp",
      ".b.txt.999999999.1a2b.tmp", ".a.txt.tmp",
    ]
    for name in names + [".a.txt.999999998.1a2b.tmp"] {
      try WholeFile.write("x", to: folder.file(name))
      let old = Date(timeIntervalSinceNow: name.contains("999999998") ? 0 : -3600)
      try FileManager.default.setAttributes(
        [.modificationDate: old], ofItemAtPath: folder.file(name).path)
    }
    try WholeFile.write("y", to: folder.file("a.txt"))
    #expect(
      folder.names == (names.dropFirst() + [".a.txt.999999998.1a2b.tmp", "a.txt"]).sorted())
  }

  @Test func whatADeadProcessOfThisMachineLeftIsRemovedAtOnceUnlessSomebodyHasItOpen() throws {
    let (left, held) = (
      ".a.txt.999999999.\(TemporaryName.machine)0000001a.tmp",
      ".a.txt.999999999.\(TemporaryName.machine)0000001b.tmp"
    )
    for name in [left, held] { try WholeFile.write("x", to: folder.file(name)) }
    let descriptor = open(folder.file(held).path, O_RDONLY)
    defer { close(descriptor) }
    #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
    try WholeFile.write("y", to: folder.file("a.txt"))
    #expect(folder.names == [held, "a.txt"])
  }

  @Test func aPipeIsRefusedWithoutWaiting() throws {
    let pipe = folder.file("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    #expect(kind { _ = try WholeFile.read(pipe) } == .notRegular(.pipe))
  }

  @Test(.enabled(if: getuid() != 0)) func aFolderWithoutPermissionIsNamed() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.url.path)
    #expect(kind { try WholeFile.write("x", to: folder.file("a")) } == .permission)
    try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder.url.path)
  }

  @Test func textMustBeUTF8AndLosesItsByteOrderMark() throws {
    let file = folder.file("a.txt")
    try WholeFile.write([0xEF, 0xBB, 0xBF, 0x61], to: file)
    #expect(try WholeFile.readText(file) == "a")
    try WholeFile.write([0x61, 0xFF], to: file)
    #expect(kind { _ = try WholeFile.readText(file) } == .notText(offset: 1))
  }

  @Test func brokenJSONIsNamedWithLineAndColumn() throws {
    let file = folder.file("config.json")
    try WholeFile.write("{\n  \"a\": 1,\n}", to: file)
    do {
      let json = try JSON(file: file)
      Issue.record("accepted as \(json)")
    } catch {
      #expect(
        error.description == "\(file.path):3:1: expected a member's name in quotes, found '}'")
      #expect(error.exitCode == 65)
    }
  }

  @Test func aMappedFileShowsItsBytes() throws {
    let file = folder.file("a")
    try WholeFile.write(Array(0...255), to: file)
    let mapped = try MappedFile(file)
    #expect(mapped.count == 256)
    #expect(try mapped.bytes(250..<256) == [250, 251, 252, 253, 254, 255])
    // Replacing the file leaves the mapping whole; shortening it in place is noticed.
    try WholeFile.write("x", to: file)
    #expect(try mapped.bytes(0..<1) == [0])
    #expect(mapped.withUnsafeBytes { $0[255] } == 255)
    let empty = folder.file("empty")
    try WholeFile.write([], to: empty)
    #expect(try MappedFile(empty).count == 0)
  }

  @Test func aFileThatShrankIsAFailureNotACrash() throws {
    let file = folder.file("a")
    try WholeFile.write([UInt8](repeating: 1, count: 10_000), to: file)
    let mapped = try MappedFile(file)
    #expect(truncate(file.path, 100) == 0)
    #expect(
      kind { _ = try mapped.bytes(0..<10_000) } == .shortened(expected: 10_000, found: 100))
  }

  @Test func mappingsTakeNoDescriptorAndAreGoneWithTheirOwner() throws {
    let file = folder.file("a")
    try WholeFile.write([UInt8](repeating: 1, count: 10_000), to: file)
    func descriptors() throws -> Int {
      try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))
          == file.path
      }
    }
    do {
      let held = try (0..<50).map { _ in try MappedFile(file) }
      #expect(try Mappings.count(of: file) >= 1)
      #expect(try descriptors() == 0)
      withExtendedLifetime(held) {}
    }
    #expect(try Mappings.count(of: file) == 0)
  }

  @Test func anAddressTellsWhichFileIsMappedThere() throws {
    let file = folder.file("a\u{1B}b")
    try WholeFile.write([UInt8](repeating: 1, count: 10_000), to: file)
    func name(_ address: UInt) -> String? {
      MappedRanges.path(at: address).map { String(cString: $0) }
    }
    var address: UInt = 0
    do {
      let mapped = try MappedFile(file)
      address = UInt(bitPattern: mapped.baseAddress)
      let shown = file.path.withVisibleControls
      #expect(name(address) == shown && name(address + 9_999) == shown)
      // The rest of its last page belongs to it, what follows does not.
      #expect(name(address + 12_287) == shown)
      #expect(name(address - 1) != shown && name(address + 12_288) != shown)
      withExtendedLifetime(mapped) {}
    }
    #expect(name(address) != file.path.withVisibleControls)
  }

  @Test func aGitPointerIsNoFile() throws {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n"
    try WholeFile.write(pointer, to: folder.file("a"))
    #expect(kind { _ = try WholeFile.read(folder.file("a")) } == .gitPointer)
    #expect(kind { _ = try MappedFile(folder.file("a")) } == .gitPointer)
    // A text about pointers is longer than one may be.
    let text = pointer + String(repeating: "x", count: 1_000)
    try WholeFile.write(text, to: folder.file("b"))
    #expect(try WholeFile.readText(folder.file("b")) == text)
  }

  @Test func controlCharactersOfANameAreShown() {
    #expect("a\u{1b}[2Jb".withVisibleControls == "a⟨U+001B⟩[2Jb")
    #expect("x\u{202e}y\u{0}".withVisibleControls == "x⟨U+202E⟩y⟨U+0000⟩")
    #expect("é 漢 😀".withVisibleControls == "é 漢 😀")
    #expect(
      FileFailure("a\nb", .missing).description == "a⟨U+000A⟩b: no such file; check the path")
  }
}

struct FolderReplacementTests {
  @Test func twoFoldersChangePlacesInOneStep() throws {
    let folder = try TemporaryFolder()
    let target = folder.file("model")
    for content in ["old", "new"] {
      let replacement = try FolderReplacement(target) { $0 == ["config.json"] }
      try replacement.write(Array(content.utf8), as: "config.json")
      #expect(
        (try? WholeFile.readText(target.appending(path: "config.json")))
          == (content == "old" ? nil : "old"))
      try replacement.finish()
      #expect(try WholeFile.readText(target.appending(path: "config.json")) == content)
      #expect(folder.names == ["model"])
    }
  }

  @Test func whatAKilledProcessLeftIsRemovedWhenTheFolderIsWrittenNext() throws {
    let folder = try TemporaryFolder()
    let left = folder.file(".model.999999999.\(TemporaryName.machine)0000001a.tmp")
    try FileManager.default.createDirectory(at: left, withIntermediateDirectories: true)
    try WholeFile.write("x", to: left.appending(path: "model.safetensors"))
    try FolderReplacement(folder.file("model")).finish()
    #expect(folder.names == ["model"])
  }

  @Test func placesThatCannotBeReplacedAreNamed() throws {
    let folder = try TemporaryFolder()
    func kind(_ url: URL) -> FileFailure.Kind? {
      do throws(FileFailure) {
        let made = try FolderReplacement(url) { _ in true }
        _ = consume made
        return nil
      } catch { return error.kind }
    }
    #expect(kind(URL(filePath: "/")) == .occupied)
    #expect(kind(URL(filePath: ".")) == .currentFolder)
    #expect(kind(folder.file("no/such")) == .missingFolder)
    try WholeFile.write("x", to: folder.file("file"))
    #expect(kind(folder.file("file")) == .notFolder)
    #expect(kind(folder.file("file/x")) == .missingFolder)
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link").path, withDestinationPath: "elsewhere")
    #expect(kind(folder.file("link")) == .symbolicLink(to: "elsewhere"))
    #expect(kind(folder.file("new")) == nil)
    #expect(folder.names == ["file", "link"])
  }

  @Test func whatSteppedAsideComesBackWhenTheProcessEndedInBetween() throws {
    let folder = try TemporaryFolder()
    let target = folder.file("model")
    // As the end of a process leaves it between two renamings: the new folder and the old one, none
    // under its name.
    for name in [".model.\(getpid()).1a.tmp", ".model.\(getpid()).1a.tmp.old"] {
      try FileManager.default.createDirectory(
        at: folder.file(name), withIntermediateDirectories: true)
      try WholeFile.write(name, to: folder.file("\(name)/config.json"))
    }
    FolderReplacement.removeUnfinished(target)
    #expect(folder.names == ["model"])
    #expect(try WholeFile.readText(folder.file("model/config.json")).hasSuffix(".old"))
    // Where the new one has its place, the old one goes.
    let old = folder.file(".model.\(getpid()).1b.tmp.old")
    try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true)
    FolderReplacement.removeUnfinished(target)
    #expect(folder.names == ["model"])
  }
}
