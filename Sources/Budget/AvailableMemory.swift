internal import CKernels
internal import Glibc

/// How much memory this process may still take.
public enum AvailableMemory {
  /// The least of what the system has left, what its control group allows, and its own limit.
  ///
  /// Pages of mapped files count as left: the system can drop them.
  public static var byteCount: Int {
    [system, controlGroup, addressSpace].compactMap { $0 }.min() ?? .max
  }

  /// What the system says can be taken without swapping.
  static var system: Int? {
    number(in: "/proc/meminfo", after: "MemAvailable:").map { $0 * 1024 }
  }

  /// What the control group and those around it have left, by either version of their files.
  static var controlGroup: Int? {
    controlGroup(root: "/sys/fs/cgroup", membership: contents(of: "/proc/self/cgroup") ?? "")
  }

  /// The least that the groups of a process have left.
  ///
  /// - Parameter membership: a line a hierarchy, `number:controllers:path`; the second version has
  ///   number 0 and no controllers.
  static func controlGroup(root: String, membership: String) -> Int? {
    var least: Int?
    for line in membership.split(separator: "\n") {
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let isFirst = fields[1].split(separator: ",").contains("memory")
      guard isFirst || fields[0] == "0" else { continue }
      let (limit, usage) =
        isFirst
        ? ("memory.limit_in_bytes", "memory.usage_in_bytes") : ("memory.max", "memory.current")
      var parts = fields[2].split(separator: "/")
      // Inside a container the path may be that outside: then only the root is there.
      while true {
        let folder = ([root] + (isFirst ? ["memory"] : []) + parts.map(String.init))
          .joined(separator: "/")
        if let left = left(in: folder, limit: limit, usage: usage) {
          least = min(least ?? .max, left)
        }
        if parts.isEmpty { break }
        parts.removeLast()
      }
    }
    return least
  }

  /// What one group has left; nil where it has no limit.
  private static func left(in folder: String, limit: String, usage: String) -> Int? {
    guard let limit = number(in: "\(folder)/\(limit)", after: ""), limit < 1 << 60,
      let used = number(in: "\(folder)/\(usage)", after: "")
    else { return nil }
    // Files in the cache are counted as used, but can be dropped.
    let cached = ["inactive_file ", "active_file "].compactMap {
      number(in: "\(folder)/memory.stat", after: $0)
    }
    return max(0, limit - used + cached.reduce(0, +))
  }

  /// What the limit on this process's addresses leaves.
  static var addressSpace: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      let most = Int(exactly: limit.rlim_cur), most < 1 << 60
    else { return nil }
    let pages = number(in: "/proc/self/statm", after: "") ?? 0
    return max(0, most - pages * pageSize)
  }

  /// Makes the allocator take memory in small steps where the process's addresses are limited; called
  /// once, before threads are started.
  ///
  /// glibc reserves 128 MB of addresses for a thread's small things, and where they cannot be had an
  /// allocation fails although what is counted as left would be enough for it.
  public static func takeInSmallSteps() {
    if addressSpace != nil { ck_share_one_arena() }
  }

  /// The bytes that this process holds and that no file stands behind.
  static var own: Int {
    let fields = (contents(of: "/proc/self/statm") ?? "").split(separator: " ")
    guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else {
      return 0
    }
    return max(0, resident - shared) * pageSize
  }

  private static let pageSize = Int(sysconf(Int32(_SC_PAGESIZE)))

  /// The first number behind `key` at the beginning of a line.
  private static func number(in path: String, after key: String) -> Int? {
    guard let text = contents(of: path) else { return nil }
    for line in text.utf8.split(separator: UInt8(ascii: "\n")) where line.starts(with: key.utf8) {
      let digits = line.dropFirst(key.utf8.count).drop { $0 == 0x20 || $0 == 0x09 }
        .prefix { (0x30...0x39).contains($0) }
      return Int(Substring(digits))
    }
    return nil
  }

  /// The beginning of a file of the system, which is all that is asked for of any of them.
  private static func contents(of path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = read(file, &bytes, bytes.count)
    return count >= 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
