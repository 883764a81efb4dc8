/// Turns the bytes that a terminal sends into keys, however the bytes are cut into pieces.
///
/// Follows ECMA-48 (control sequences), xterm's and rxvt's key codes, and xterm's bracketed paste
/// (mode 2004).
public struct KeyDecoder: Sendable {
  private enum State { case ground, escape, sequence, shortSequence, paste }

  private var state = State.ground
  /// Bytes of an unfinished sequence, or of a paste.
  private var pending: [UInt8] = []
  /// Bytes of an unfinished UTF-8 scalar, and how many are still to come.
  private var scalar: [UInt8] = []
  private var missing = 0

  /// A decoder with nothing read.
  public init() {}

  /// Whether an Escape was read that could be a key or the beginning of a sequence: wait a little
  /// (25 ms serve even slow lines), then call ``flush()``.
  public var isUndecided: Bool { state == .escape || state == .sequence || state == .shortSequence }

  /// Takes bytes; returns the keys that they complete.
  public mutating func decode(_ bytes: some Sequence<UInt8>) -> [Key] {
    var keys: [Key] = []
    for byte in bytes { take(byte, &keys) }
    return keys
  }

  /// Nothing more came: a lone Escape was the Escape key, an unfinished sequence is dropped.
  public mutating func flush() -> [Key] {
    guard isUndecided else { return [] }
    let key: Key =
      switch state {
      case .escape: .escape
      case .shortSequence: .alt("O")
      default: pending.isEmpty ? .alt("[") : .unknown
      }
    state = .ground
    pending = []
    return [key]
  }

  private mutating func take(_ byte: UInt8, _ keys: inout [Key]) {
    switch state {
    case .ground: ground(byte, &keys)
    case .escape: escape(byte, &keys)
    case .sequence: sequence(byte, &keys)
    case .shortSequence:
      state = .ground
      keys.append(Self.named(final: byte, modifier: 1))
    case .paste: paste(byte, &keys)
    }
  }

  private mutating func ground(_ byte: UInt8, _ keys: inout [Key]) {
    if missing > 0 {
      if byte & 0xC0 == 0x80 {
        scalar.append(byte)
        missing -= 1
        if missing == 0 { finishScalar(&keys) }
        return
      }
      // The scalar was cut short: say so with U+FFFD and read this byte afresh.
      missing = 0
      finishScalar(&keys)
    }
    switch byte {
    case 0x1B: state = .escape
    case 0x0D, 0x0A: keys.append(.enter)
    case 0x09: keys.append(.tab)
    case 0x7F, 0x08: keys.append(.backspace)
    case 0x00..<0x20: keys.append(.control(Self.controlLetter(byte)))
    case 0x20..<0x7F: keys.append(.character(Character(Unicode.Scalar(byte))))
    case 0xC2...0xDF: begin(byte, more: 1)
    case 0xE0...0xEF: begin(byte, more: 2)
    case 0xF0...0xF4: begin(byte, more: 3)
    default: keys.append(.character("\u{FFFD}"))
    }
  }

  private mutating func begin(_ byte: UInt8, more: Int) {
    scalar = [byte]
    missing = more
  }

  private mutating func finishScalar(_ keys: inout [Key]) {
    for character in String(decoding: scalar, as: UTF8.self) { keys.append(.character(character)) }
    scalar = []
  }

  private mutating func escape(_ byte: UInt8, _ keys: inout [Key]) {
    state = .ground
    switch byte {
    case UInt8(ascii: "["):
      state = .sequence
      pending = []
    case UInt8(ascii: "O"): state = .shortSequence
    case 0x1B:
      keys.append(.escape)
      state = .escape
    case 0x0D, 0x0A: keys.append(.altEnter)
    case 0x7F, 0x08: keys.append(.deleteWordLeft)
    case 0x20..<0x7F: keys.append(.alt(Character(Unicode.Scalar(byte))))
    default:
      keys.append(.escape)
      ground(byte, &keys)
    }
  }

  private mutating func sequence(_ byte: UInt8, _ keys: inout [Key]) {
    switch byte {
    case 0x20..<0x40:
      // A sequence this long is noise; stop keeping it.
      if pending.count < 64 { pending.append(byte) }
    case 0x40..<0x7F:
      state = .ground
      let key = Self.key(parameters: pending, final: byte)
      pending = []
      if key == .paste("") { state = .paste } else { keys.append(key) }
    default:
      state = .ground
      pending = []
      keys.append(.unknown)
      ground(byte, &keys)
    }
  }

  private mutating func paste(_ byte: UInt8, _ keys: inout [Key]) {
    pending.append(byte)
    guard byte == UInt8(ascii: "~"),
      pending.suffix(Self.pasteEnd.count).elementsEqual(Self.pasteEnd)
    else { return }
    let text = String(decoding: pending.dropLast(Self.pasteEnd.count), as: UTF8.self)
    keys.append(.paste(text))
    pending = []
    state = .ground
  }

  private static let pasteEnd = Array("\u{1B}[201~".utf8)

  private static func controlLetter(_ byte: UInt8) -> Character {
    let symbol = Unicode.Scalar(byte + 0x40)
    return Character(Character(symbol).lowercased())
  }

  /// The key of `ESC [ parameters final`; an empty paste stands for the beginning of one.
  private static func key(parameters: [UInt8], final: UInt8) -> Key {
    let numbers = parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
      .map { Int(String(decoding: $0, as: UTF8.self)) }
    let first = numbers.first.flatMap { $0 } ?? 1
    let modifier = numbers.count > 1 ? numbers[1] ?? 1 : 1
    guard final == UInt8(ascii: "~") else { return named(final: final, modifier: modifier) }
    return switch first {
    case 1, 7: .home
    case 4, 8: .end
    case 3: modifier == 1 ? .delete : .deleteWordRight
    case 5: .pageUp
    case 6: .pageDown
    case 13: modifier == 1 ? .enter : .altEnter
    case 200: .paste("")
    default: .unknown
    }
  }

  /// The key of a final letter; `modifier` is xterm's: 1 plain, 3 Alt, 5 Control.
  private static func named(final: UInt8, modifier: Int) -> Key {
    let byWord = modifier == 3 || modifier == 5
    return switch final {
    case UInt8(ascii: "A"): .up
    case UInt8(ascii: "B"): .down
    case UInt8(ascii: "C"): byWord ? .wordRight : .right
    case UInt8(ascii: "D"): byWord ? .wordLeft : .left
    case UInt8(ascii: "H"): .home
    case UInt8(ascii: "F"): .end
    case UInt8(ascii: "M"): .enter
    case UInt8(ascii: "Z"): .shiftTab
    case UInt8(ascii: "c"): .wordRight
    case UInt8(ascii: "d"): .wordLeft
    default: .unknown
    }
  }
}
