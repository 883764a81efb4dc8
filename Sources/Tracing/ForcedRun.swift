internal import Synchronization
public import Tensors

/// Runs a model once on what a run started from, passing everything through the trace.
public typealias Replay = @Sendable (inout Trace) throws -> Void

/// A run in which every step is fed with another run's numbers.
///
/// At each cut the model's own result is set aside and the given one is handed on. So what the model
/// computed at a cut is what the steps since the cuts before it make of the given numbers, and its
/// distance from the given result is the error of these steps alone: nothing accumulates.
public struct ForcedRun: Sendable {
  /// A place that the run passed.
  public struct Place: Sendable {
    /// The tap's full address.
    public let address: Address
    /// The tap it passed.
    public let tap: Tap
  }

  /// The cuts that the run passed, in its order.
  public let places: [Place]
  /// What the model made of the given numbers, by place, as far as it was kept.
  public let computed: [Address: Tensor]

  /// Runs `replay` with `given` numbers at the cuts that `isCut` chooses among them.
  ///
  /// Where the model's result has another shape than the given one, it goes on with its own.
  ///
  /// - Parameter see: gets each of the model's results; those are kept for which it answers true.
  public init(
    _ replay: Replay, given: [Address: Tensor], at isCut: (Address) -> Bool = { _ in true },
    isCancelled: @escaping @Sendable () -> Bool = { false },
    see: @escaping @Sendable (Address, Tensor) -> Bool = { _, _ in true }
  ) throws {
    let results = Results()
    var edits: [Address: Trace.Edit] = [:]
    for (address, tensor) in given where isCut(address) {
      edits[address] = { computed in
        // Where both are the same, one copy will do.
        let result = computed == tensor ? tensor : computed
        results.set(see(address, result) ? result : nil, at: address)
        return computed.shape == tensor.shape ? tensor : computed
      }
    }
    let cuts = Set(edits.keys)
    var trace = Trace(edits: edits) { cuts.contains($0) }
    // What follows the last cut is nobody's business.
    trace.isCancelled = { isCancelled() || results.count == cuts.count }
    do { try replay(&trace) } catch let stop as Cancelled {
      if isCancelled() { throw stop }
    }
    places = trace.records.map { Place(address: $0.address, tap: $0.tap) }
    computed = results.all
  }

  /// What edits saw; they are values without a place of their own.
  private final class Results: Sendable {
    private let tensors = Mutex<[Address: Tensor?]>([:])

    func set(_ tensor: Tensor?, at address: Address) {
      tensors.withLock { $0[address] = .some(tensor) }
    }
    var all: [Address: Tensor] { tensors.withLock { $0.compactMapValues { $0 } } }
    var count: Int { tensors.withLock { $0.count } }
  }
}

extension Address {
  /// The block or the part outside blocks that a tap belongs to, such as `vision.blocks.3` or
  /// `vision.embedding`.
  public var part: Address {
    let parts = parts
    if let blocks = parts.firstIndex(of: "blocks"), blocks + 1 < parts.count {
      return Address(parts[...(blocks + 1)].joined(separator: "."))
    }
    return Address(parts.dropLast().prefix(2).joined(separator: "."))
  }
}
