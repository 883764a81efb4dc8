internal import Files

/// Follows a pickle's instructions as far as a state dict needs them; calls nothing, makes nothing
/// but flat values, and is bounded in all of them by the length of the pickle.
///
/// A pickle is a program for a stack machine whose instructions can call anything that Python can
/// import. Here a name is a tag from a closed list (`PickleName`), a call is understood for what it
/// would have made, and everything else is refused with its place.
struct PickleMachine {
  /// Where and why a pickle is refused.
  struct Failure: Error {
    let offset: Int
    let rule: FormatRule
    let detail: String
  }

  /// Largest sizes that are followed.
  static let byteLimit = 1 << 26
  static let valueLimit = 4_000_000
  static let stackLimit = 100_000
  static let textLimit = 1 << 16

  private(set) var lists: [[PickleValue]] = []
  private(set) var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
  var storages: [TorchStorage] = []
  var views: [TorchView] = []
  /// Where the next instruction stands.
  private(set) var position: Int

  private let bytes: [UInt8]
  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var made = 0
  /// Where the instruction that is being followed stands.
  private var start = 0

  /// A machine at the byte `position` of `bytes`.
  init(_ bytes: [UInt8], at position: Int = 0) {
    (self.bytes, self.position) = (bytes, position)
  }

  /// Follows one pickle to its end, and gives what it makes.
  mutating func run() throws(Failure) -> PickleValue {
    (stack, marks, memo) = ([], [], [:])
    while true {
      start = position
      let byte = try byte()
      guard let opcode = PickleOpcode(rawValue: byte) else {
        let number = "0x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        throw fail(
          .pickleSyntax,
          PickleOpcode.refusedName(byte).map {
            "instruction \($0) (\(number)) is not one that a state dict needs; nothing was run"
          } ?? "there is no pickle instruction \(number); the file is damaged")
      }
      if opcode == .stop { return try pop() }
      try follow(opcode)
      guard stack.count <= Self.stackLimit, marks.count <= Self.stackLimit else {
        throw fail(
          .pickleLimit, "values nested more than \(Self.stackLimit) deep; no state dict is so")
      }
      guard memo.count <= Self.valueLimit else { throw tooMany() }
    }
  }

  private mutating func follow(_ opcode: PickleOpcode) throws(Failure) {
    switch opcode {
    case .protocolNumber:
      let number = try byte()
      guard number <= 5 else { throw fail(.pickleSyntax, "pickle protocol \(number), at most 5") }
    case .frame: _ = try take(8)
    case .stop: break
    case .mark: marks.append(stack.count)
    case .none: try push(.none)
    case .newTrue: try push(.bool(true))
    case .newFalse: try push(.bool(false))
    case .integer1: try push(.integer(Int(try byte())))
    case .integer2: try push(.integer(Int(try number(2))))
    case .integer4: try push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case .long1: try pushLong()
    case .float:
      _ = try take(8)
      try push(.other)
    case .text4, .string4: try pushText(Int(try number(4)))
    case .shortText, .shortString: try pushText(Int(try byte()))
    case .emptyList, .emptyDictionary, .emptyTuple, .emptySet, .tuple, .tuple1, .tuple2, .tuple3:
      try makeContainer(opcode)
    case .append: try append([try pop()])
    case .appends: try append(try popMarked())
    case .addItems:
      _ = try popMarked()
      guard case .other = try top() else { throw fail(.pickleSyntax, "ADDITEMS to no set") }
    case .setItem:
      let value = try pop()
      try set([try pop(), value])
    case .setItems: try set(try popMarked())
    case .put1: memo[Int(try byte())] = try top()
    case .put4: memo[Int(try number(4))] = try top()
    case .memoize: memo[memo.count] = try top()
    case .get1: try recall(Int(try byte()))
    case .get4: try recall(Int(try number(4)))
    case .global: try pushName(module: try line(), name: try line())
    case .stackGlobal:
      guard case .text(let name) = try pop(), case .text(let module) = try pop() else {
        throw fail(.pickleSyntax, "STACK_GLOBAL without the texts of a name")
      }
      try pushName(module: module, name: name)
    case .persistent: try push(try storage(try pop()))
    case .reduce:
      let arguments = try pop()
      guard case .name(let callee) = try pop() else {
        throw fail(.pickleName, "REDUCE of something that is no name; nothing was run")
      }
      try push(try result(of: callee, try tuple(arguments, "the arguments")))
    case .build:
      _ = try pop()
      switch try top() {
      // What is set on a dictionary or a tensor are attributes such as _metadata.
      case .dictionary, .tensor: break
      case let target:
        throw fail(.pickleName, "BUILD sets the state of \(target.words); nothing was run")
      }
    }
  }

  private mutating func makeContainer(_ opcode: PickleOpcode) throws(Failure) {
    switch opcode {
    case .emptyList: try push(.list(store([])))
    case .emptyDictionary: try push(newDictionary([]))
    case .emptySet: try push(.other)
    case .tuple: try push(.tuple(store(try popMarked())))
    default:
      let count =
        opcode == .emptyTuple ? 0 : Int(opcode.rawValue - PickleOpcode.tuple1.rawValue) + 1
      var values: [PickleValue] = []
      for _ in 0..<count { values.append(try pop()) }
      try push(.tuple(store(values.reversed())))
    }
  }

  // MARK: Values

  private mutating func store(_ values: [PickleValue]) -> Int {
    lists.append(values)
    return lists.count - 1
  }

  /// A dictionary of entries.
  mutating func newDictionary(_ entries: [(key: PickleValue, value: PickleValue)]) -> PickleValue {
    dictionaries.append(entries)
    return .dictionary(dictionaries.count - 1)
  }

  private mutating func append(_ values: [PickleValue]) throws(Failure) {
    switch try top() {
    case .list(let place): lists[place] += values
    case .other: break
    case let target: throw fail(.pickleSyntax, "APPEND to \(target.words), which is no list")
    }
  }

  private mutating func set(_ values: [PickleValue]) throws(Failure) {
    guard case .dictionary(let place) = try top() else {
      throw fail(.pickleSyntax, "SETITEM in \(try top().words), which is no dictionary")
    }
    guard values.count.isMultiple(of: 2) else {
      throw fail(.pickleSyntax, "SETITEMS with a key that has no value")
    }
    for index in stride(from: 0, to: values.count, by: 2) {
      dictionaries[place].append((values[index], values[index + 1]))
    }
  }

  /// The values of a tuple; `what` names it in a failure.
  func tuple(_ value: PickleValue, _ what: String) throws(Failure) -> [PickleValue] {
    guard case .tuple(let place) = value else {
      throw fail(.pickleSyntax, "\(what) are \(value.words), expected a tuple")
    }
    return lists[place]
  }

  private mutating func push(_ value: PickleValue) throws(Failure) {
    made += 1
    guard made <= Self.valueLimit else { throw tooMany() }
    stack.append(value)
  }

  private func top() throws(Failure) -> PickleValue {
    guard stack.count > marks.last ?? 0, let value = stack.last else { throw empty() }
    return value
  }

  private mutating func pop() throws(Failure) -> PickleValue {
    let value = try top()
    stack.removeLast()
    return value
  }

  private mutating func popMarked() throws(Failure) -> [PickleValue] {
    guard let mark = marks.popLast() else {
      throw fail(.pickleSyntax, "an instruction looks for a mark that was not set")
    }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func recall(_ place: Int) throws(Failure) {
    guard let value = memo[place] else {
      throw fail(.pickleSyntax, "asks for value \(place), which was not kept")
    }
    try push(value)
  }

  private mutating func pushName(module: String, name: String) throws(Failure) {
    guard let known = PickleName(module: module, name: name) else {
      let isModule = module.hasPrefix("torch.nn.modules") || module.hasPrefix("transformers")
      throw fail(
        .pickleName,
        "it names '\("\(module).\(name)".withVisibleControls)', which no state dict needs"
          + (isModule ? ": this is a pickled module" : "")
          + "; nothing was run. Where you trust the file, save its state_dict() alone with PyTorch")
    }
    try push(.name(known))
  }

  // MARK: Bytes

  private mutating func pushLong() throws(Failure) {
    let count = Int(try byte())
    let digits = try take(count)
    // Longer ones, such as seeds, are no sizes of anything.
    guard count <= 8 else { return try push(.other) }
    var bits = UInt64(0)
    for (place, digit) in digits.enumerated() { bits |= UInt64(digit) << (8 * UInt64(place)) }
    if count > 0, count < 8, digits.last ?? 0 >= 0x80 { bits |= .max << (8 * UInt64(count)) }
    try push(.integer(Int(truncatingIfNeeded: bits)))
  }

  private mutating func pushText(_ count: Int) throws(Failure) {
    guard count <= Self.textLimit else {
      throw fail(
        .pickleLimit, "a text of \(count) bytes, at most \(Self.textLimit) are read")
    }
    try push(.text(String(decoding: try take(count), as: UTF8.self)))
  }

  private mutating func byte() throws(Failure) -> UInt8 {
    guard position < bytes.count else { throw ended() }
    position += 1
    return bytes[position - 1]
  }

  private mutating func number(_ size: Int) throws(Failure) -> UInt32 {
    try take(size).reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  private mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw ended() }
    position += count
    return bytes[position - count..<position]
  }

  private mutating func line() throws(Failure) -> String {
    guard
      let end = bytes[position...].prefix(1024).firstIndex(of: UInt8(ascii: "\n"))
    else { throw fail(.pickleSyntax, "a name without end") }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  private func tooMany() -> Failure {
    fail(.pickleLimit, "more than \(Self.valueLimit) values; no state dict has as many")
  }

  private func empty() -> Failure {
    fail(.pickleSyntax, "an instruction needs a value, and the stack is empty")
  }

  private func ended() -> Failure {
    fail(.pickleSyntax, "the pickle ends without STOP: it was cut off, fetch it again")
  }

  /// A failure of the instruction that is being followed.
  func fail(_ rule: FormatRule, _ detail: String) -> Failure {
    Failure(offset: start, rule: rule, detail: detail)
  }
}
