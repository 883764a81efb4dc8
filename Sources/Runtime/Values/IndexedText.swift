internal import Budget
internal import Synchronization

/// A text whose characters are found by their number without going through those before.
///
/// Characters are Unicode scalars, as Python counts. Swift keeps a text as UTF-8, where a character
/// takes one to four bytes, so that its number does not tell its place. What is asked for a length or
/// a character is therefore counted through once (`CharacterCounts`), and copies of a value share what
/// was counted. Short texts are gone through each time.
public struct IndexedText: Sendable {
  /// The text itself.
  public private(set) var string: String
  /// What was counted of it so far; nil for a short text.
  private var counted: Counted?

  private final class Counted: Sendable {
    let counts: Mutex<CharacterCounts>
    init(_ counts: CharacterCounts = CharacterCounts()) { self.counts = Mutex(counts) }
  }

  /// The text of a string.
  public init(_ string: String) {
    self.string = string
    counted = Self.isShort(string) ? nil : Counted()
  }

  private static func isShort(_ string: String) -> Bool {
    string.utf8.count <= CharacterCounts.blockSize
  }

  /// Adds a string at the end; what was counted stays, and only the new bytes will be counted.
  mutating func append(_ more: String) {
    string += more
    if counted == nil {
      counted = Self.isShort(string) ? nil : Counted()
    } else if !isKnownUniquelyReferenced(&counted), let shared = counted {
      counted = Counted(shared.counts.withLock { $0 })
    }
  }

  /// How many characters there are.
  ///
  /// - Throws: `CancellationError`, as all that follows.
  func count() throws -> Int { try withCounts { counts, _ in counts.characters } }

  /// Character `number`; it must be from 0 to below `count`.
  func character(_ number: Int) throws -> Unicode.Scalar {
    let offset = try withCounts { counts, bytes in counts.offset(of: number, in: bytes) }
    return string.unicodeScalars[place(offset)]
  }

  /// The characters of some numbers, which must all be from 0 to below `count`.
  ///
  /// - Throws: `MemoryShortage`.
  func part(_ numbers: RangeValue) throws -> String {
    guard numbers.count > 0 else { return "" }
    if numbers.step == 1 {
      let (start, end) = try withCounts { counts, bytes in
        (
          counts.offset(of: numbers.start, in: bytes),
          counts.offset(of: numbers.start + numbers.count, in: bytes)
        )
      }
      try MemoryGate.take(end - start, for: "a text of \(end - start) bytes")
      return String(string[place(start)..<place(end)])
    }
    try MemoryGate.take(numbers.count, of: 4, for: "a text of \(numbers.count) characters")
    var part = ""
    try withCounts { counts, bytes in
      Stop.parts(of: numbers.count, size: 1 << 14) { piece in
        for index in piece {
          part.unicodeScalars.append(
            string.unicodeScalars[place(counts.offset(of: numbers[index], in: bytes))])
        }
      }
    }
    try Stop.check()
    return part
  }

  private func place(_ offset: Int) -> String.Index {
    string.utf8.index(string.startIndex, offsetBy: offset)
  }

  /// Calls `body` with the counts of the whole text and its bytes.
  private func withCounts<R: Sendable>(
    _ body: (CharacterCounts, UnsafeBufferPointer<UInt8>) throws -> R
  ) throws -> R {
    var string = string
    return try string.withUTF8 { bytes in
      guard let counted else {
        var counts = CharacterCounts()
        try counts.extend(over: bytes)
        return try body(counts, bytes)
      }
      let counts = try counted.counts.withLock { counts in
        try counts.extend(over: bytes)
        return counts
      }
      return try body(counts, bytes)
    }
  }
}

/// How many characters begin before each block of a text's bytes.
///
/// The block of a character is found by bisection, and the character by going through the block.
private struct CharacterCounts: Sendable {
  /// Bytes of a block; a power of two.
  static let blockSize = 128
  /// The characters before each block that was begun.
  private var before: [Int] = []
  /// How many characters there are.
  private(set) var characters = 0
  /// How many bytes were counted.
  private var byteCount = 0

  /// Counts what is new in the bytes of a text that has grown.
  mutating func extend(over bytes: UnsafeBufferPointer<UInt8>) throws {
    while byteCount < bytes.count {
      if byteCount & 0xFFFF == 0 { try Stop.check() }
      let block = byteCount / Self.blockSize
      if block == before.count { before.append(characters) }
      let end = min(bytes.count, (block + 1) * Self.blockSize)
      characters += Self.characters(in: UnsafeBufferPointer(rebasing: bytes[byteCount..<end]))
      byteCount = end
    }
  }

  /// The byte at which character `number` begins; the end of the text for the one after the last.
  func offset(of number: Int, in bytes: UnsafeBufferPointer<UInt8>) -> Int {
    if characters == byteCount { return number }  // ASCII
    var (low, high) = (0, before.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if before[middle] <= number { low = middle } else { high = middle }
    }
    var (offset, missing) = (low * Self.blockSize, number - before[low])
    while offset < byteCount {
      if Self.beginsCharacter(bytes[offset]) {
        if missing == 0 { break }
        missing -= 1
      }
      offset += 1
    }
    return offset
  }

  /// The characters that begin in a block.
  private static func characters(in block: UnsafeBufferPointer<UInt8>) -> Int {
    let bytes = UnsafeRawBufferPointer(block)
    // Eight bytes at a time: each of a word adds 1 to a byte of the sum where it goes on with a
    // character, 16 at most in a block.
    var sum: UInt64 = 0
    let wordsEnd = bytes.count & ~7
    for offset in stride(from: 0, to: wordsEnd, by: 8) {
      let word = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      sum &+= (word >> 7) & ~(word >> 6) & 0x0101_0101_0101_0101
    }
    let goingOn = Int((sum &* 0x0101_0101_0101_0101) >> 56)
    return wordsEnd - goingOn + bytes[wordsEnd...].count { beginsCharacter($0) }
  }

  /// Whether a byte is the first of a character, and does not go on with one: 10xxxxxx.
  private static func beginsCharacter(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }
}
