public import Foundation

/// What this process has mapped.
public enum Mappings {
  /// How many ranges of a file are mapped.
  public static func count(of file: URL) throws -> Int {
    // Files of /proc have no size, and what is read at once may end in the middle.
    let handle = try FileHandle(forReadingFrom: URL(filePath: "/proc/self/maps"))
    var all = Data()
    while let some = try handle.read(upToCount: 1 << 16), !some.isEmpty { all += some }
    let path = file.resolvingSymlinksInPath().path
    return String(decoding: all, as: UTF8.self).split(separator: "\n").count { $0.hasSuffix(path) }
  }
}
