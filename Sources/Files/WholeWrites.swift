internal import Glibc

/// Writing whole, whatever the kernel cuts it into.
enum WholeWrites {
  /// Writes all bytes, at the descriptor's own place or from `offset` on.
  ///
  /// - Parameter name: what an error calls the file.
  static func write(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil, name: String
  ) throws(FileFailure) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest)
      let written =
        offset.map {
          pwrite(descriptor, part.baseAddress, part.count, off_t($0 + bytes.count - part.count))
        } ?? Glibc.write(descriptor, part.baseAddress, part.count)
      if written > 0 {
        rest = rest.dropFirst(written)
      } else if written < 0, errno != EINTR {
        throw FileFailure(name, errno: errno, while: .write)
      }
    }
  }
}
