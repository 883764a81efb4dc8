internal import Budget
public import Tensors

/// The run was stopped by the person who started it.
public struct Cancelled: Error, CustomStringConvertible {
  /// A run was stopped.
  public init() {}
  /// One word, for a message.
  public var description: String { "stopped" }
}

/// The numbers kept from one run, and the changes made on the way.
///
/// A value: each run owns its own trace, so two runs at once cannot disturb each other.
public struct Trace: Sendable {
  /// One tensor that passed a tap.
  public struct Record: Sendable {
    /// The tap's full address, such as `vision.blocks.3.attention.pattern`.
    public let address: Address
    /// The tap it passed.
    public let tap: Tap
    /// Its numbers, after any edit.
    public let tensor: Tensor
    /// The weight of the product that gave it; nil where it is no product's result.
    public let weight: StoredTensor?
  }

  /// Changes the tensor that passes an address.
  public typealias Edit = @Sendable (Tensor) -> Tensor

  /// What was kept, in the order it happened.
  public private(set) var records: [Record] = []
  /// Changes to make on the way, by the tap's full address.
  public var edits: [Address: Edit]
  /// What a person changes, by the tap's full address: after the edits, and, unlike those, also in
  /// the passes of tokens that follow.
  public var alterations: [Address: [Alteration]] = [:]
  /// The position in the sequence of the first token that passes.
  public var firstToken = 0
  /// Which of several pictures passes, counted from 0: its places are numbered by it.
  public var picture = 0
  /// Changes everything that passes, before the edits; nil for nothing.
  public var everywhere: Edit?
  /// Told of everything that passes, after its edits; layers then make all that could be kept.
  public var observer: (@Sendable (Record) -> Void)?
  /// Asked between blocks; a run stops where it answers true.
  public var isCancelled: @Sendable () -> Bool = { false }
  /// Told before each step of a run: what kind it is, such as `language.blocks`, how many of the kind were run
  /// before it, and how many there are.
  public var onStep: (@Sendable (_ kind: Address, _ number: Int, _ count: Int) -> Void)?
  private let keeps: @Sendable (Address) -> Bool
  private var places: [Address: Int] = [:]

  /// Starts an empty trace that keeps what passes the addresses `keeps` chooses.
  public init(
    edits: [Address: Edit] = [:], keeping keeps: @escaping @Sendable (Address) -> Bool
  ) {
    (self.edits, self.keeps) = (edits, keeps)
  }

  /// A trace that keeps everything.
  public static var everything: Trace { Trace { _ in true } }
  /// A trace that keeps nothing: the fastest run.
  public static var nothing: Trace { Trace { _ in false } }

  /// A trace that keeps nothing, for what follows this one's run: it alters what this one does, and
  /// stops when this one does.
  public var keepingNothing: Trace {
    var trace = Trace.nothing
    (trace.alterations, trace.isCancelled, trace.onStep) = (alterations, isCancelled, onStep)
    return trace
  }

  /// Whether what passes a tap is kept: a layer need not make what nobody keeps or changes.
  public func keeps(_ tap: Tap, at address: Address) -> Bool {
    observer != nil || keeps(full(tap, address))
  }

  private func full(_ tap: Tap, _ address: Address) -> Address {
    (address / tap.name).ofPicture(picture)
  }

  /// Whether what passes a tap may be changed.
  public func changes(_ tap: Tap, at address: Address) -> Bool {
    let full = full(tap, address)
    return everywhere != nil || edits[full] != nil || alterations[full] != nil
  }

  /// Hands `tensor` on, edited if an edit is set there, and keeps it if it was chosen.
  ///
  /// - Precondition: `tensor` has the axes that `tap` declares, and an edit keeps the shape.
  public mutating func pass(
    _ tensor: Tensor, _ tap: Tap, at address: Address, weight: StoredTensor? = nil
  ) -> Tensor {
    let full = full(tap, address)
    let passed = everywhere?(tensor) ?? tensor
    var result = edits[full]?(passed) ?? passed
    for alter in alterations[full] ?? [] {
      result = alter(result, axes: tap.axes, first: firstToken)
    }
    precondition(
      tensor.rank == tap.axes.count && result.shape == tensor.shape,
      "\(full): \(tensor.shape) became \(result.shape), declared as \(tap.axes)")
    observer?(Record(address: full, tap: tap, tensor: result, weight: weight))
    if keeps(full) {
      // A tap that passes again, as in each step of decoding, replaces what it had: the trace shows
      // the latest pass. Whoever wants every step keeps a trace a step.
      if let place = places[full] {
        records[place] = Record(address: full, tap: tap, tensor: result, weight: weight)
      } else {
        places[full] = records.count
        records.append(Record(address: full, tap: tap, tensor: result, weight: weight))
      }
    }
    return result
  }

  /// This trace with what a later one kept after it; of a place in both, the later counts.
  public func followed(by later: Trace) -> Trace {
    var joined = later
    joined.records = records.filter { later.places[$0.address] == nil } + later.records
    joined.places = [:]
    for (place, record) in joined.records.enumerated() { joined.places[record.address] = place }
    return joined
  }

  /// Stops the run here if that was asked for.
  public func checkCancellation() throws(Cancelled) {
    if isCancelled() || Stop.isRequested { throw Cancelled() }
  }

  /// The tensor that passed `address`, if it was kept.
  public subscript(_ address: Address) -> Tensor? { places[address].map { records[$0].tensor } }

  /// The record of `address`, if it was kept.
  public func record(_ address: Address) -> Record? { places[address].map { records[$0] } }
}
