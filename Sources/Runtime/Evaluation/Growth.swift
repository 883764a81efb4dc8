internal import Budget
internal import Tensors

extension Session {
  /// Counts a value that a line has made towards the question how much memory is left; what is large
  /// was asked for before it was made.
  ///
  /// - Throws: `MemoryShortage` where the many small ones have taken what there was.
  func count(_ value: Value) throws {
    let size: Int
    switch value {
    case .none, .bool, .integer, .float, .range, .slice, .ellipsis, .function, .command: return
    case .text(let text):
      let bytes = text.string.utf8.count
      size = bytes < 16 ? 0 : bytes + 32
    case .list(let list): size = min(list.count, 64) * MemoryLayout<Value>.stride + 160
    case .tuple(let values): size = min(values.count, 64) * MemoryLayout<Value>.stride + 32
    case .dictionary: size = 1024
    case .tensor(let tensor, _): size = min(tensor.count, 1024) * 4 + 512
    // A picture or what a stage gives: what it holds is not known here.
    case .object: size = 1 << 20
    }
    if size > 0 { try memory.take(size, for: "what this line makes") }
  }
}

extension Tensor {
  /// Asks for the memory of a tensor of some shape before it is made, and of so many more of its size
  /// that are held on the way.
  ///
  /// - Throws: `MemoryShortage`.
  static func askForRoom(_ shape: [Int], copies: Int = 1) throws {
    var bytes = 4 * copies
    for length in shape {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: length)
      bytes = overflow ? .max : product
    }
    try MemoryGate.take(bytes, for: "a tensor of shape \(shape)")
  }
}

extension [Value] {
  /// Asks for the memory that the next `more` values take: nothing where there is room for them, else
  /// that of a larger array beside this one.
  ///
  /// - Throws: `MemoryShortage`.
  func askForRoom(for more: Int = 1) throws {
    guard count + more > capacity else { return }
    try MemoryGate.take(
      Swift.max(2 * capacity, count + more), of: MemoryLayout<Value>.stride,
      for: "a list of \(count + more) elements")
  }

  /// Builds an array with room for so many values, whose memory was asked for.
  ///
  /// - Throws: what `body` throws; what it had added is let go of then.
  static func built(
    _ capacity: Int = 0, _ body: (inout [Value]) throws -> Void
  ) throws -> [Value] {
    var values: [Value] = []
    values.reserveCapacity(capacity)
    do {
      try body(&values)
    } catch {
      Dismantling.free(&values)
      throw error
    }
    return values
  }

  /// Makes so many values, whose memory was asked for; `body` gets the number of each.
  ///
  /// - Throws: what `body` throws; `CancellationError`.
  static func made(_ count: Int, _ body: (Int) throws -> Value) throws -> [Value] {
    try built(count) { values in
      for number in 0..<count {
        if number & 0xFFF == 0 { try Stop.check() }
        values.append(try body(number))
      }
    }
  }

  /// Adds values, whose memory was asked for.
  ///
  /// - Throws: `CancellationError`; some are added then.
  mutating func append(inParts more: some RandomAccessCollection<Value>) throws {
    Stop.parts(of: more.count, size: 1 << 16) { part in
      self += more.dropFirst(part.lowerBound).prefix(part.count)
    }
    try Stop.check()
  }

  /// Asks for the memory of so many values in an array of their own.
  ///
  /// - Throws: `MemoryShortage`.
  static func askForRoom(of count: Int) throws {
    try MemoryGate.take(
      count, of: MemoryLayout<Value>.stride, for: "a list of \(count) elements")
  }
}
