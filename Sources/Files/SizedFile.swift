internal import FoundationEssentials
internal import Glibc

/// A new file whose length is known, filled in any order and from several threads.
///
/// Room for it is taken when it is made, so that a disk too small is known before work is done.
package final class SizedFile: Sendable {
  /// How many bytes it has.
  package let count: Int
  private let descriptor: Int32
  /// What errors call it.
  private let name: String

  /// Makes the file `path`; `name` is what errors call it.
  package init(_ path: String, count: Int, name: String) throws(FileFailure) {
    (self.count, self.name) = (count, name)
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileFailure(name, errno: errno, while: .write) }
    // Some file systems cannot promise room; there a full disk shows while writing.
    let code = count > 0 ? posix_fallocate(descriptor, 0, off_t(count)) : 0
    if code != 0, code != EOPNOTSUPP, code != EINVAL {
      throw FileFailure(name, errno: code, while: .write)
    }
  }

  deinit { close(descriptor) }

  /// Writes `bytes` from `offset` on.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(FileFailure) {
    try WholeWrites.write(bytes, to: descriptor, at: offset, name: name)
  }

  /// Writes `bytes` from `offset` on.
  package func write(_ bytes: [UInt8], at offset: Int) throws(FileFailure) {
    try bytes.withUnsafeBufferPointer { (bytes) throws(FileFailure) in
      try write(UnsafeRawBufferPointer(bytes), at: offset)
    }
  }

  /// Brings everything to the disk.
  package func finish() throws(FileFailure) {
    guard fsync(descriptor) == 0 else { throw FileFailure(name, errno: errno, while: .write) }
  }
}
