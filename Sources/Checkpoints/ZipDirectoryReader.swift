internal import Files

/// The pass over a zip archive's directory, each entry held against the member that it names.
struct ZipDirectoryReader {
  private(set) var members: [ZipArchive.Member] = []
  private(set) var names: [String] = []
  private(set) var table = KeyTable()
  private let file: MappedFile
  private let directory: Range<Int>
  private let count: Int
  /// Where each member's own header begins.
  private var starts: [Int] = []

  private static let directoryLimit = 100_000_000
  private static let memberLimit = 1_000_000
  private static let endSize = 22

  /// Finds the directory.
  init(_ file: MappedFile) throws(CheckpointError) {
    self.file = file
    guard let end = try Self.findEnd(file) else {
      throw .malformed(
        path: file.path, offset: nil, rule: .zipDirectory,
        detail: "the archive has no directory at its end: it was cut off, fetch it again")
    }
    (directory, count) = (end.directory, end.count)
  }

  private static func findEnd(
    _ file: MappedFile
  ) throws(CheckpointError) -> (directory: Range<Int>, count: Int)? {
    let path = file.path
    func wrong(_ offset: Int, _ detail: String) -> CheckpointError {
      .malformed(path: path, offset: offset, rule: .zipDirectory, detail: detail)
    }
    // A comment of up to 65,535 bytes may follow.
    let tailStart = max(0, file.count - endSize - 0xFFFF)
    let tail = ByteFields(try Self.bytes(file, tailStart..<file.count))
    var place = tail.count - endSize
    while place >= 0 {
      if tail.number(place, 4) == 0x0605_4B50,
        place + endSize + tail.number(place + 20, 2) == tail.count
      {
        break
      }
      place -= 1
    }
    guard place >= 0 else { return nil }
    var (count, size, start) = (
      tail.number(place + 10, 2), tail.number(place + 12, 4), tail.number(place + 16, 4)
    )
    guard tail.number(place + 4, 2) == 0 || tail.number(place + 4, 2) == 0xFFFF else {
      throw wrong(tailStart + place, "an archive of several files is not read")
    }
    var limit = tailStart + place
    let locator = tailStart + place - 20
    if locator >= 0 {
      let fields = ByteFields(try Self.bytes(file, locator..<locator + 20))
      if fields.number(0, 4) == 0x0706_4B50 {
        guard let record = fields.wide(8), record <= locator - 56 else {
          throw wrong(locator, "the 64-bit record of the directory lies outside the file")
        }
        let wide = ByteFields(try Self.bytes(file, record..<record + 56))
        guard wide.number(0, 4) == 0x0606_4B50, let wideCount = wide.wide(32),
          let wideSize = wide.wide(40), let wideStart = wide.wide(48)
        else { throw wrong(record, "there is no 64-bit record of the directory here") }
        (count, size, start, limit) = (wideCount, wideSize, wideStart, record)
      }
    }
    guard start <= limit, size <= limit - start else {
      throw wrong(
        tailStart + place, "a directory of \(size) bytes at byte \(start) reaches beyond its end")
    }
    guard size <= directoryLimit, count <= memberLimit, count <= size / 46 else {
      throw wrong(
        tailStart + place,
        "\(count) members in a directory of \(size) bytes; at most \(memberLimit) are read")
    }
    return (start..<start + size, count)
  }

  private static func bytes(
    _ file: MappedFile, _ range: Range<Int>
  ) throws(CheckpointError) -> [UInt8] {
    do { return try file.bytes(range) } catch { throw .file(error) }
  }

  /// Reads every entry.
  mutating func read() throws(CheckpointError) {
    let fields = ByteFields(try Self.bytes(file, directory))
    var place = 0
    for _ in 0..<count {
      guard place + 46 <= fields.count, fields.number(place, 4) == 0x0201_4B50 else {
        throw wrong(directory.lowerBound + place, "an entry of the directory should be here")
      }
      let (nameSize, extraSize) = (fields.number(place + 28, 2), fields.number(place + 30, 2))
      let end = place + 46 + nameSize + extraSize + fields.number(place + 32, 2)
      guard end <= fields.count else {
        throw wrong(directory.lowerBound + place, "an entry reaches beyond the directory")
      }
      try add(fields, place, nameSize: nameSize, extraSize: extraSize)
      place = end
    }
    try checkOverlaps()
  }

  private mutating func add(
    _ fields: ByteFields, _ place: Int, nameSize: Int, extraSize: Int
  ) throws(CheckpointError) {
    let offset = directory.lowerBound + place
    let rawName = fields.slice(place + 46, nameSize)
    let name = String(decoding: rawName, as: UTF8.self)
    let shown = "'\(name.withVisibleControls)'"
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard !name.hasPrefix("/"), !parts.contains(".."), !name.utf8.contains(0) else {
      throw wrong(offset, "member \(shown) names a place outside the archive", .zipMember)
    }
    guard fields.number(place + 8, 2) & 0x2041 == 0 else {
      throw wrong(offset, "member \(shown) is encrypted", .zipMember)
    }
    let method = fields.number(place + 10, 2)
    guard method == 0 || method == 8 else {
      throw wrong(
        offset, "member \(shown) is packed by method \(method); stored and deflated are read",
        .zipMember)
    }
    guard
      let (packed, unpacked, header) = sizes(
        fields, place, extra: place + 46 + nameSize, extraSize: extraSize)
    else { throw wrong(offset, "member \(shown) has no 64-bit sizes", .zipMember) }
    if name.hasSuffix("/"), unpacked == 0 { return }
    let start = try dataStart(
      header, name: rawName, method: method, shown: shown, entry: offset)
    guard packed <= directory.lowerBound - start else {
      throw wrong(
        offset, "member \(shown) of \(packed) bytes reaches into the directory", .zipMember)
    }
    // Deflate packs 1,032 bytes into one at most.
    guard method == 8 ? unpacked / 1032 <= packed : unpacked == packed else {
      throw wrong(
        offset, "member \(shown) says \(unpacked) bytes, but \(packed) are there", .zipMember)
    }
    guard table.insert(name, into: &names) == nil else {
      throw wrong(offset, "a second member is called \(shown)", .zipMember)
    }
    starts.append(header)
    members.append(
      ZipArchive.Member(
        name: name, isDeflated: method == 8, byteCount: unpacked,
        checksum: UInt32(fields.number(place + 16, 4)), place: start..<start + packed))
  }

  /// Sizes and place of a member, from the 64-bit field where the entry has no room for them.
  private func sizes(
    _ fields: ByteFields, _ place: Int, extra: Int, extraSize: Int
  ) -> (packed: Int, unpacked: Int, header: Int)? {
    var numbers = [
      fields.number(place + 24, 4), fields.number(place + 20, 4), fields.number(place + 42, 4),
    ]
    var field = extra
    while numbers.contains(0xFFFF_FFFF), field + 4 <= extra + extraSize {
      let size = fields.number(field + 2, 2)
      guard field + 4 + size <= extra + extraSize else { return nil }
      if fields.number(field, 2) == 1 {
        var next = field + 4
        for index in 0..<3 where numbers[index] == 0xFFFF_FFFF {
          guard next + 8 <= field + 4 + size, let wide = fields.wide(next) else { return nil }
          numbers[index] = wide
          next += 8
        }
        break
      }
      field += 4 + size
    }
    return (numbers[1], numbers[0], numbers[2])
  }

  /// Where a member's bytes begin, behind a header of its own that says the same as the directory.
  private func dataStart(
    _ header: Int, name: ArraySlice<UInt8>, method: Int, shown: String, entry: Int
  ) throws(CheckpointError) -> Int {
    guard header <= directory.lowerBound - 30 else {
      throw wrong(
        entry, "member \(shown) begins at byte \(header), outside the members", .zipMember)
    }
    let start: Int? = file.withUnsafeBytes { all in
      let fields = ByteFields(Array(all[header..<header + 30]))
      let end = header + 30 + fields.number(26, 2)
      guard fields.number(0, 4) == 0x0403_4B50, fields.number(8, 2) == method,
        fields.number(26, 2) == name.count, end <= directory.lowerBound,
        all[header + 30..<end].elementsEqual(name)
      else { return nil }
      return end + fields.number(28, 2)
    }
    guard let start, start <= directory.lowerBound else {
      throw wrong(header, "the header of member \(shown) and the directory differ", .zipMember)
    }
    return start
  }

  /// Members lie one behind the other: bytes that count twice are how small archives unpack to
  /// large ones.
  private func checkOverlaps() throws(CheckpointError) {
    let order = members.indices.sorted { (starts[$0], $0) < (starts[$1], $1) }
    for (first, second) in zip(order, order.dropFirst())
    where starts[second] < members[first].place.upperBound {
      throw wrong(
        starts[second],
        """
        members '\(members[first].name.withVisibleControls)' and \
        '\(members[second].name.withVisibleControls)' share bytes
        """, .zipMember)
    }
  }

  private func wrong(
    _ offset: Int, _ detail: String, _ rule: FormatRule = .zipDirectory
  ) -> CheckpointError {
    .malformed(
      path: file.path, offset: offset, rule: rule, detail: detail)
  }
}

/// Little-endian numbers in bytes, at any place.
struct ByteFields {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var count: Int { bytes.count }

  /// The number of `size` bytes, at most 4, at `place`.
  ///
  /// - Precondition: they are there.
  func number(_ place: Int, _ size: Int) -> Int {
    (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
  }

  /// The number of 8 bytes at `place`; nil where it is beyond `Int.max`.
  func wide(_ place: Int) -> Int? {
    let number = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[place + $1]) << (8 * UInt64($1)) }
    return Int(exactly: number)
  }

  func slice(_ place: Int, _ count: Int) -> ArraySlice<UInt8> { bytes[place..<place + count] }
}
