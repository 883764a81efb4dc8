public import FoundationEssentials
internal import Glibc

/// A file whose bytes are read from the disk when they are looked at, and not before.
///
/// The file must keep its length while it is mapped: a page that is gone when it is looked at ends
/// the process, whose last words name the file (`MappedRanges`). Files written by `WholeFile` are
/// replaced, never shortened, so their mappings stay whole. Of the process's descriptors it takes
/// none.
public final class MappedFile: Sendable {
  /// Where the file is.
  public let url: URL
  /// The path as it was given.
  public var path: String { url.path(percentEncoded: false) }
  /// How many bytes it had when it was opened.
  public let count: Int
  /// The mapped pages; nil where there is no byte.
  ///
  /// Read-only, hence safe to share.
  nonisolated(unsafe) private let start: UnsafeMutableRawPointer?
  /// Which file it is, whatever its path names later.
  private let identity: FileIdentity

  /// Maps a regular file of any size.
  public init(_ url: URL) throws(FileFailure) {
    self.url = url
    let path = url.path(percentEncoded: false)
    let opened = try OpenFile(path)
    defer { close(opened.descriptor) }
    (count, identity) = (opened.count, opened.identity)
    guard opened.count > 0 else {
      start = nil
      return
    }
    let pages = mmap(nil, opened.count, PROT_READ, MAP_PRIVATE, opened.descriptor, 0)
    guard let pages, pages != MAP_FAILED else {
      let code = errno
      guard code != ENOMEM else {
        throw FileFailure(path, .noAddressSpace(bytes: opened.count))
      }
      throw FileFailure(path, errno: code, while: .read)
    }
    start = pages
    MappedRanges.add(UnsafeRawPointer(pages), count: count, path: path)
  }

  deinit {
    guard let start else { return }
    MappedRanges.remove(UnsafeRawPointer(start))
    munmap(start, count)
  }

  /// Calls `body` with all bytes; the pointer is valid inside it only.
  package func withUnsafeBytes<R, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> R
  ) throws(Failure) -> R {
    try body(UnsafeRawBufferPointer(start: start, count: count))
  }

  /// Where the bytes start, for whoever holds this object as long as the pointer; nil if empty.
  package var baseAddress: UnsafeRawPointer? { UnsafeRawPointer(start) }

  /// Gives back the memory of the pages that lie in `range` as a whole; their bytes are read from the
  /// disk when they are looked at again.
  package func release(_ range: Range<Int>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let first = (range.lowerBound + page - 1) / page * page
    let last = range.upperBound / page * page
    if let start, first < last, last <= count {
      madvise(start + first, last - first, MADV_DONTNEED)
    }
  }

  /// A copy of some bytes, read rather than mapped, so that a file that shrinks is a failure.
  ///
  /// - Precondition: `range` lies inside `0..<count`.
  public func bytes(_ range: Range<Int>) throws(FileFailure) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "\(range) of \(count) bytes")
    if let opened = try? OpenFile(path) {
      defer { close(opened.descriptor) }
      if opened.identity == identity {
        return try readBytes(
          opened.descriptor, at: range.lowerBound, count: range.count, path: path)
      }
    }
    // The path names another file by now, or none: what is mapped is out of everybody's reach.
    return withUnsafeBytes { Array($0[range]) }
  }
}
