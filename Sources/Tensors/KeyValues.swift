internal import CKernels

/// The keys and values of the tokens that one attention layer has seen, as attention reads them.
///
/// They lie in pages of 64 tokens, by key head, and are never moved: the next token is written behind
/// the last. A value: continuations that part share the full pages and copy the last one alone.
public struct KeyValues: Sendable {
  /// Tokens of a page.
  static let pageSize = 64

  /// How many heads the keys and values have.
  public let headCount: Int
  /// Channels a head.
  public let headWidth: Int
  /// The type that they are kept in.
  public let type: ElementType
  /// How many tokens there are.
  public private(set) var tokenCount = 0
  private var pages: [Page] = []

  /// A cache of no tokens.
  ///
  /// - Parameter type: float32, or bfloat16, to which keys and values are rounded.
  public init(headCount: Int, headWidth: Int, type: ElementType = .float32) {
    precondition(type != .float16, "keys and values are kept as float32 or bfloat16")
    (self.headCount, self.headWidth, self.type) = (headCount, headWidth, type)
  }

  /// Bytes of the pages of so many tokens; the largest number where it would be more.
  public func byteCount(tokenCount: Int) -> Int {
    let pages = (max(0, tokenCount) + Self.pageSize - 1) / Self.pageSize
    let (product, overflow) = pageByteCount.multipliedReportingOverflow(by: pages)
    return overflow ? .max : product
  }

  private var keyStride: Int { ck_page_keys(headWidth, Self.pageSize) }
  private var valueStride: Int { ck_page_values(headWidth, Self.pageSize) }
  private var pageByteCount: Int { headCount * (keyStride + valueStride) * type.size }

  /// Adds the keys and values of some tokens, `[T, H·K]` each.
  ///
  /// - Precondition: both have as many rows, and the channels of all heads.
  public mutating func append(keys: Channels, values: Channels) {
    let count = keys.rows.count
    precondition(
      values.rows.count == count && keys.channels.count == headCount * headWidth
        && values.channels.count == headCount * headWidth,
      "\(keys.channels.count) channels for \(headCount) heads of \(headWidth)")
    if ShapesAlone.isOn {
      tokenCount += count
      return
    }
    var done = 0
    while done < count {
      let first = tokenCount % Self.pageSize
      if first == 0 {
        pages.append(Page(byteCount: pageByteCount))
      } else if !isKnownUniquelyReferenced(&pages[pages.count - 1]) {
        pages[pages.count - 1] = pages[pages.count - 1].copy()
      }
      let next = min(count - done, Self.pageSize - first)
      write(keys, values, from: done, count: next, to: pages[pages.count - 1], at: first)
      done += next
      tokenCount += next
    }
  }

  private func write(
    _ keys: Channels, _ values: Channels, from row: Int, count: Int, to page: Page, at first: Int
  ) {
    let (element, size) = (type == .float32 ? CK_FLOAT32 : CK_BFLOAT16, type.size)
    keys.tensor.elements.withUnsafeBufferPointer { k in
      values.tensor.elements.withUnsafeBufferPointer { v in
        guard let k = k.baseAddress, let v = v.baseAddress else { return }
        let shared = Shared(
          pointer: (
            k + keys.offset + row * keys.stride, v + values.offset + row * values.stride, page.start
          ))
        let (keyStride, valueStride) = (keyStride, valueStride)
        let (keyRows, valueRows) = (keys.stride, values.stride)
        let valueOffset = headCount * keyStride
        // One token's are written sooner than other threads would notice.
        let threads = count == 1 ? 1 : headCount
        Parallelism.forEach(threads) { part in
          let (k, v, page) = shared.pointer
          for head in count == 1 ? 0..<headCount : part..<part + 1 {
            ck_put_keys(
              k + head * headWidth, keyRows, headWidth, count, first, element,
              page + head * keyStride * size)
            ck_put_values(
              v + head * headWidth, valueRows, headWidth, count, first, element,
              page + (valueOffset + head * valueStride) * size)
          }
        }
      }
    }
  }

  /// Calls `body` with the pages as the kernels take them.
  func withPages<R>(_ body: (UnsafePointer<ck_page>?, Int) -> R) -> R {
    let valueOffset = headCount * keyStride * type.size
    let places = pages.enumerated().map { number, page in
      ck_page(
        keys: page.start, values: page.start + valueOffset, key_stride: keyStride,
        value_stride: valueStride,
        token_count: min(Self.pageSize, tokenCount - number * Self.pageSize))
    }
    return withExtendedLifetime(pages) {
      places.withUnsafeBufferPointer { body($0.baseAddress, $0.count) }
    }
  }

  /// All keys, `[T, H·K]`, a copy.
  public var keys: Tensor {
    gathered { token, head, channel in
      head * keyStride + token / 16 * 16 * headWidth + channel * 16 + token % 16
    }
  }

  /// All values, `[T, H·K]`, a copy.
  public var values: Tensor {
    let width = valueStride / Self.pageSize
    return gathered { token, head, channel in
      headCount * keyStride + head * valueStride + token * width + channel
    }
  }

  /// Reads every token's channels, which lie at `place` in its page.
  private func gathered(_ place: (_ token: Int, _ head: Int, _ channel: Int) -> Int) -> Tensor {
    let width = headCount * headWidth
    return Tensor.filled([tokenCount, width]) { out in
      for token in 0..<tokenCount {
        let page = pages[token / Self.pageSize]
        for channel in 0..<width {
          let place = place(token % Self.pageSize, channel / headWidth, channel % headWidth)
          out[token * width + channel] = page.number(place, type)
        }
      }
    }
  }
}

/// Room for the keys and values of some tokens, zeros where none were written.
///
/// It is written to only by the one cache that holds it alone.
private final class Page: Sendable {
  nonisolated(unsafe) let start: UnsafeMutableRawPointer
  private let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    start = .allocate(byteCount: max(64, byteCount), alignment: 64)
    start.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }

  func copy() -> Page {
    let copy = Page(byteCount: byteCount)
    copy.start.copyMemory(from: start, byteCount: byteCount)
    return copy
  }

  func number(_ place: Int, _ type: ElementType) -> Float {
    type == .float32
      ? start.load(fromByteOffset: place * 4, as: Float.self)
      : Float(
        bitPattern: UInt32(start.load(fromByteOffset: place * 2, as: UInt16.self)) << 16)
  }

  deinit { start.deallocate() }
}
