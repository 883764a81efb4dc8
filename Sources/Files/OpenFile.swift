internal import Budget
internal import Glibc

/// Which file of the system something is.
struct FileIdentity: Equatable {
  let device: dev_t
  let number: ino_t
}

/// A regular file opened for reading, with its length: the door that every file's bytes come through.
struct OpenFile {
  let descriptor: Int32
  let count: Int
  let identity: FileIdentity

  /// Opens `path`, or what it leads to where it is a link; whoever does has to close `descriptor`.
  init(_ path: String) throws(FileFailure) {
    try self.init(path, links: 0)
  }

  /// - Parameter links: how many links written out as text led here.
  private init(_ path: String, links: Int) throws(FileFailure) {
    let found = try OpenFile(plain: path)
    guard found.count > 0, found.count <= WrittenLink.limit else {
      self = found
      return
    }
    let target: String?
    do {
      let bytes = try readBytes(found.descriptor, at: 0, count: found.count, path: path)
      target = WrittenLink.target(of: path, holding: bytes)
    } catch {
      close(found.descriptor)
      throw error
    }
    guard let target else {
      self = found
      return
    }
    close(found.descriptor)
    guard links < 8 else { throw FileFailure(path, .linkLoop) }
    do { self = try OpenFile(target, links: links + 1) } catch {
      switch error.kind {
      case .missing, .missingFolder: throw FileFailure(path, .brokenLink(to: target))
      case .linkLoop: throw FileFailure(path, .linkLoop)
      default: throw error
      }
    }
  }

  private init(plain path: String) throws(FileFailure) {
    guard !path.utf8.contains(0) else { throw FileFailure(path, .missing) }
    // O_NONBLOCK: a pipe nobody writes to must be refused, not waited for.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      if code == ENOENT, let target = linkTarget(path) {
        throw FileFailure(path, .brokenLink(to: target))
      }
      throw FileFailure(path, errno: code, while: .read)
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw FileFailure(path, errno: code, while: .read)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw FileFailure(path, SpecialFile(mode: status.st_mode).map { .notRegular($0) } ?? .folder)
    }
    if GitPointer.couldBe(byteCount: Int(status.st_size)), Self.holdsPointer(descriptor) {
      close(descriptor)
      throw FileFailure(path, .gitPointer)
    }
    (self.descriptor, count) = (descriptor, Int(status.st_size))
    identity = FileIdentity(device: status.st_dev, number: status.st_ino)
  }

  private static func holdsPointer(_ descriptor: Int32) -> Bool {
    var start = [UInt8](repeating: 0, count: GitPointer.byteLimit)
    let got = pread(descriptor, &start, start.count, 0)
    return got > 0 && GitPointer.begins(start.prefix(got))
  }
}

/// Reads exactly `count` bytes from `offset` on.
func readBytes(
  _ descriptor: Int32, at offset: Int, count: Int, path: String
) throws(FileFailure) -> [UInt8] {
  var code: Int32 = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
    done = 0
    while done < count, !Stop.isRequested {
      let got = pread(
        descriptor, buffer.baseAddress.map { $0 + done }, min(count - done, 1 << 24),
        off_t(offset + done))
      if got > 0 {
        done += got
      } else if got < 0, errno == EINTR {
        continue
      } else {
        if got < 0 { code = errno }
        break
      }
    }
  }
  guard code == 0 else { throw FileFailure(path, errno: code, while: .read) }
  guard bytes.count == count else {
    if Stop.isRequested { throw FileFailure(path, .stopped, while: .read) }
    throw FileFailure(path, .shortened(expected: offset + count, found: offset + bytes.count))
  }
  return bytes
}

/// Where a symbolic link points; nil for anything else.
package func linkTarget(_ path: String) -> String? {
  var target = [CChar](repeating: 0, count: Int(PATH_MAX))
  let length = readlink(path, &target, target.count)
  guard length > 0 else { return nil }
  return String(decoding: target.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
}
