/// Where the elements of a tensor lie in a file: at a start, a stride for each axis.
struct TensorLayout: Sendable {
  /// Where the first element lies in the file.
  let start: Int
  let shape: [Int]
  /// In bytes.
  let strides: [Int]
  /// Bytes an element.
  let elementSize: Int
  /// How many bytes the elements take, one after another.
  let byteCount: Int
  /// Whether they lie so already.
  let isContiguous: Bool
  /// The bytes that the tensor is a view of.
  let storage: Range<Int>

  /// A view of a storage whose bytes lie at `storage`; nil where it reaches beyond them.
  init?(_ view: TorchView, elementSize: Int, storage: Range<Int>) {
    let room = storage.count / elementSize
    var count = 1
    var last = view.offset
    var step = 1
    var isContiguous = true
    var isEmpty = false
    for (length, stride) in zip(view.shape, view.strides).reversed() {
      if length == 0 { isEmpty = true }
      // An axis of length 0 counts as 1: strides of the others must not overflow either.
      let (product, overflow) = count.multipliedReportingOverflow(by: max(1, length))
      let (reach, overflow2) = max(0, length - 1).multipliedReportingOverflow(by: stride)
      let (end, overflow3) = last.addingReportingOverflow(reach)
      guard !overflow, !overflow2, !overflow3 else { return nil }
      if length > 1, stride != step { isContiguous = false }
      (count, last) = (product, end)
      step = product
    }
    guard isEmpty ? view.offset <= room : last < room,
      !count.multipliedReportingOverflow(by: elementSize).overflow
    else { return nil }
    let start = storage.lowerBound + view.offset * elementSize
    (self.start, shape, self.elementSize, self.storage) = (start, view.shape, elementSize, storage)
    strides = zip(view.shape, view.strides).map { $0 > 1 && !isEmpty ? $1 * elementSize : 0 }
    byteCount = isEmpty ? 0 : count * elementSize
    self.isContiguous = isContiguous || isEmpty
  }

  /// Rows of an array whose first axis varies fastest, at `start`.
  init(fortran shape: [Int], elementSize: Int, start: Int) {
    var strides: [Int] = []
    var step = elementSize
    for length in shape {
      strides.append(length > 1 ? step : 0)
      step *= length
    }
    (self.start, self.shape, self.strides, self.elementSize) = (start, shape, strides, elementSize)
    byteCount = step
    isContiguous = shape.count { $0 > 1 } < 2 || step == 0
    storage = start..<start + step
  }

  /// Writes the elements one after another, the last axis fastest, from the file that starts at
  /// `base`.
  func gather(from base: UnsafeRawPointer, into out: UnsafeMutableRawPointer) {
    guard byteCount > 0 else { return }
    switch elementSize {
    case 1: gather(base, out, UInt8.self)
    case 2: gather(base, out, UInt16.self)
    case 4: gather(base, out, UInt32.self)
    default: gather(base, out, UInt64.self)
    }
  }

  private func gather<Element: FixedWidthInteger>(
    _ base: UnsafeRawPointer, _ out: UnsafeMutableRawPointer, _: Element.Type
  ) {
    let inner = shape.last ?? 1
    let innerStride = strides.last ?? 0
    let outer = shape.dropLast()
    var index = [Int](repeating: 0, count: outer.count)
    var row = start
    var done = 0
    while done < byteCount {
      for place in 0..<inner {
        let element = base.loadUnaligned(
          fromByteOffset: row + place * innerStride, as: Element.self)
        out.storeBytes(of: element, toByteOffset: done, as: Element.self)
        done += elementSize
      }
      var axis = outer.count - 1
      while axis >= 0 {
        index[axis] += 1
        row += strides[axis]
        if index[axis] < outer[axis] { break }
        row -= strides[axis] * outer[axis]
        index[axis] = 0
        axis -= 1
      }
    }
  }
}
