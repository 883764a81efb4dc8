import Files
import Foundation
import TestSupport
import Testing

@testable import Budget

@Suite struct AvailableMemoryTests {
  @Test func theMemoryThatCanBeHadIsPlausible() {
    #expect(AvailableMemory.byteCount > 50_000_000)
    #expect(AvailableMemory.byteCount < 1 << 50)
    #expect((1_000_000..<(1 << 40)).contains(AvailableMemory.own))
  }

  @Test func aControlGroupsLimitsAreFoundInItsOwnFolderAndAbove() throws {
    let folder = try TemporaryFolder()
    let root = folder.file("cgroup")
    let inner = root.appending(path: "outer/inner")
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    func write(_ text: String, _ path: String) throws {
      try WholeFile.write(text, to: root.appending(path: path))
    }
    try write("max\n", "outer/inner/memory.max")
    try write("100\n", "outer/inner/memory.current")
    try write("5000\n", "outer/memory.max")
    try write("3000\n", "outer/memory.current")
    try write("anon 900\ninactive_file 200\nactive_file 100\n", "outer/memory.stat")
    let membership = "4:cpu,cpuacct:/x\n0::/outer/inner\n"
    #expect(AvailableMemory.controlGroup(root: root.path, membership: membership) == 2300)
    try write("600\n", "outer/inner/memory.max")
    #expect(AvailableMemory.controlGroup(root: root.path, membership: membership) == 500)
    #expect(AvailableMemory.controlGroup(root: root.path, membership: "0::/\n") == nil)
    // The first version has a hierarchy of its own for memory.
    let old = root.appending(path: "memory/group")
    try FileManager.default.createDirectory(at: old, withIntermediateDirectories: true)
    try write("1000\n", "memory/group/memory.limit_in_bytes")
    try write("400\n", "memory/group/memory.usage_in_bytes")
    #expect(AvailableMemory.controlGroup(root: root.path, membership: "9:memory:/group\n") == 600)
  }
}
