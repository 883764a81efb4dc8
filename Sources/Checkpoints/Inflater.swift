internal import CZlib

/// Unpacks deflated bytes, through zlib.
enum Inflater {
  /// Why packed bytes are not what they should be.
  enum Failure: Error {
    /// They are no deflated data, or end in the middle.
    case damaged
    /// They unpack to more than was said.
    case longer
    /// There is no memory for it.
    case noMemory
  }

  /// The first `count` bytes that `packed` unpacks to, fewer where it ends before.
  ///
  /// - Parameter isWhole: whether `packed` must end there.
  static func inflate(
    _ packed: UnsafeRawBufferPointer, count: Int, isWhole: Bool
  ) throws(Failure) -> [UInt8] {
    var stream = z_stream()
    // Negative: bare deflate, as zip archives hold it.
    guard
      inflateInit2_(
        &stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw .noMemory }
    defer { inflateEnd(&stream) }
    var failure: Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: max(1, count)) { out, done in
      (done, failure) = run(&stream, packed, into: out, count: count, isWhole: isWhole)
    }
    if let failure { throw failure }
    return bytes
  }

  private static func run(
    _ stream: inout z_stream, _ packed: UnsafeRawBufferPointer,
    into out: UnsafeMutableBufferPointer<UInt8>, count: Int, isWhole: Bool
  ) -> (count: Int, failure: Failure?) {
    // zlib counts in 32 bits.
    let piece = 1 << 30
    var (taken, done) = (0, 0)
    var spare: UInt8 = 0
    while true {
      let input = min(piece, packed.count - taken)
      let room = min(piece, count - done)
      stream.next_in = packed.baseAddress.map {
        UnsafeMutableRawPointer(mutating: $0 + taken).assumingMemoryBound(to: UInt8.self)
      }
      stream.avail_in = UInt32(input)
      // Where all has come, one byte more tells whether the data goes on.
      let isFull = room == 0
      let code = withUnsafeMutablePointer(to: &spare) { spare in
        stream.next_out = isFull ? spare : out.baseAddress.map { $0 + done }
        stream.avail_out = isFull ? 1 : UInt32(room)
        return CZlib.inflate(&stream, Z_NO_FLUSH)
      }
      taken += input - Int(stream.avail_in)
      if isFull {
        if stream.avail_out == 0 { return (done, isWhole ? .longer : nil) }
      } else {
        done += room - Int(stream.avail_out)
      }
      if code == Z_STREAM_END { return (done, nil) }
      if !isWhole, done == count { return (done, nil) }
      // No progress is possible where the packed bytes have run out.
      guard code == Z_OK, taken < packed.count || stream.avail_out == 0 else {
        return (done, .damaged)
      }
    }
  }

  /// The checksum that zip archives keep of unpacked bytes.
  static func checksum(_ bytes: [UInt8]) -> UInt32 {
    bytes.withUnsafeBufferPointer { bytes in
      UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress, bytes.count))
    }
  }
}
