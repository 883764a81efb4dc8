public import FoundationEssentials
internal import Glibc

/// A file that grows at its end; what was appended stays when the process ends in the middle.
///
/// Appending is all or nothing: where the disk is full, the file keeps the length it had.
public struct GrowingFile: ~Copyable {
  private let path: String
  private let descriptor: Int32
  /// How many bytes are in it.
  public private(set) var count: Int

  /// Opens the file, and makes it where it is missing.
  public init(_ url: URL) throws(FileFailure) {
    path = url.path(percentEncoded: false)
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw FileFailure(path, errno: errno, while: .write) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw FileFailure(path, errno: code, while: .write)
    }
    count = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Appends bytes.
  public mutating func append(_ bytes: [UInt8]) throws(FileFailure) {
    try bytes.withUnsafeBufferPointer { (buffer) throws(FileFailure) in
      try append(UnsafeRawBufferPointer(buffer))
    }
  }

  /// Appends numbers as they lie in memory, little-endian.
  public mutating func append(_ numbers: [Float]) throws(FileFailure) {
    try numbers.withUnsafeBufferPointer { (buffer) throws(FileFailure) in
      try append(UnsafeRawBufferPointer(buffer))
    }
  }

  private mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
    do {
      try WholeWrites.write(bytes, to: descriptor, at: count, name: path)
    } catch {
      ftruncate(descriptor, off_t(count))
      throw error
    }
    count += bytes.count
  }

  /// Cuts the file to `length` bytes if it is longer.
  public mutating func cut(to length: Int) throws(FileFailure) {
    guard length < count else { return }
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      throw FileFailure(path, errno: errno, while: .write)
    }
    count = length
  }

  /// Waits until everything is on the disk.
  public func settle() throws(FileFailure) {
    guard fdatasync(descriptor) == 0 else { throw FileFailure(path, errno: errno, while: .write) }
  }

  /// Claims the file for this process; false where another process has claimed it, or has removed it
  /// since it was opened.
  ///
  /// The claim ends with the value or the process.
  public func claim() -> Bool {
    var status = stat()
    return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && fstat(descriptor, &status) == 0
      && status.st_nlink > 0
  }
}
