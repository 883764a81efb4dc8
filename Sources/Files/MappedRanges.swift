internal import Glibc
internal import Synchronization

/// Where files are mapped and what they are called, for the last words of a process whose file lost
/// a page that it was looking at.
///
/// A signal handler may read it at any moment: a fixed table of atomic words, nothing allocated,
/// nothing locked. Files beyond its size are mapped all the same and are not known by name.
public enum MappedRanges {
  private struct Slot: ~Copyable {
    /// The first address; 0 in a free slot.
    let start = Atomic<UInt>(0)
    let count = Atomic<UInt>(0)
    /// The address of the path's bytes, which end with a 0.
    let path = Atomic<UInt>(0)
  }

  private static let capacity = 4096
  /// Never freed; slots are claimed and given back by atomic exchanges.
  nonisolated(unsafe) private static let slots: UnsafeMutablePointer<Slot> = {
    let slots = UnsafeMutablePointer<Slot>.allocate(capacity: capacity)
    for place in 0..<capacity { (slots + place).initialize(to: Slot()) }
    return slots
  }()

  /// Makes the table, before a handler can want it.
  public static func prepare() { _ = slots }

  static func add(_ start: UnsafeRawPointer, count: Int, path: String) {
    guard let name = strdup(path.withVisibleControls) else { return }
    for place in 0..<capacity {
      let slot = slots + place
      let (isMine, _) = slot.pointee.path.compareExchange(
        expected: 0, desired: UInt(bitPattern: name), ordering: .acquiringAndReleasing)
      guard isMine else { continue }
      slot.pointee.count.store(UInt(count), ordering: .relaxed)
      slot.pointee.start.store(UInt(bitPattern: start), ordering: .releasing)
      return
    }
    free(name)
  }

  static func remove(_ start: UnsafeRawPointer) {
    for place in 0..<capacity {
      let slot = slots + place
      guard slot.pointee.start.load(ordering: .acquiring) == UInt(bitPattern: start) else {
        continue
      }
      slot.pointee.start.store(0, ordering: .releasing)
      let name = slot.pointee.path.exchange(0, ordering: .acquiringAndReleasing)
      free(UnsafeMutableRawPointer(bitPattern: name))
      return
    }
  }

  /// The path of the file that is mapped at `address`, with control characters visible, as bytes that
  /// end with a 0; nil where no file is.
  ///
  /// Safe in a signal handler.
  public static func path(at address: UInt) -> UnsafePointer<CChar>? {
    for place in 0..<capacity {
      let slot = slots + place
      let start = slot.pointee.start.load(ordering: .acquiring)
      // The last page is mapped as a whole.
      let end = (start &+ slot.pointee.count.load(ordering: .relaxed) &- 1) | 0xFFF
      if start != 0, address >= start, address <= end {
        return UnsafePointer(bitPattern: slot.pointee.path.load(ordering: .acquiring))
      }
    }
    return nil
  }
}
