internal import Foundation
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

  /// What the control group has left, by either version of its files.
  static var controlGroup: Int? {
    let places = [
      ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"),
      (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes", "/sys/fs/cgroup/memory/memory.stat"
      ),
    ]
    for (limit, usage, statistics) in places {
      guard let limit = number(in: limit, after: ""), limit < 1 << 60,
        let used = number(in: usage, after: "")
      else { continue }
      // Files in the cache are counted as used, but can be dropped.
      let cached = number(in: statistics, after: "inactive_file") ?? 0
      return max(0, limit - used + cached)
    }
    return nil
  }

  /// What the limit on this process's addresses leaves.
  static var addressSpace: Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      let most = Int(exactly: limit.rlim_cur), most < 1 << 60
    else { return nil }
    let pages = number(in: "/proc/self/statm", after: "") ?? 0
    return max(0, most - pages * Int(sysconf(Int32(_SC_PAGESIZE))))
  }

  /// The first number behind `key` at the beginning of a line.
  private static func number(in path: String, after key: String) -> Int? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    for line in text.split(separator: "\n") where line.hasPrefix(key) {
      let rest = line.dropFirst(key.count).drop(while: \.isWhitespace)
      return Int(rest.prefix(while: \.isNumber))
    }
    return nil
  }
}
