internal import Glibc

/// A symbolic link of a hub's cache that a copy wrote out as text.
///
/// The files of a snapshot are links such as `../../blobs/0f3e…`. Git without links, some archives and
/// some network drives keep a link as a small file that holds where it led; no model's own file holds
/// that and nothing else.
enum WrittenLink {
  /// Longer than any such text.
  static let limit = 200

  /// Where the file at `path` leads that holds `bytes`; nil where they are no such link.
  static func target(of path: String, holding bytes: [UInt8]) -> String? {
    var rest = bytes[...]
    if rest.last == UInt8(ascii: "\n") { rest.removeLast() }
    let up = Array("../".utf8)
    guard rest.starts(with: up) else { return nil }
    while rest.starts(with: up) { rest = rest.dropFirst(up.count) }
    let blobs = Array("blobs/".utf8)
    guard rest.starts(with: blobs) else { return nil }
    var name = rest.dropFirst(blobs.count)
    // Blobs that several models share lie in folders by the first two digits.
    if name.count > 3, name[name.startIndex + 2] == UInt8(ascii: "/") {
      name.remove(at: name.startIndex + 2)
      name.removeFirst(2)
    }
    // A blob is named by its hash: SHA-1 or SHA-256.
    guard [40, 64].contains(name.count),
      name.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    let folder = path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[...$0]) } ?? ""
    let end = bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]
    return folder + String(decoding: end, as: UTF8.self)
  }
}
