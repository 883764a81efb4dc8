internal import Synchronization
public import Tensors
public import Tracing

/// What happens to weights between the file and the model.
public struct WeightHandling: Sendable {
  /// The precision of products' weights, by the first part of their address; others stay as stored.
  public var precisions: [String: Precision] = [:]
  /// The type that every number is rounded to which is stored in a wider one, tables, norms and
  /// biases too, by the first part of their address: what a file converted as a whole would hold.
  public var rounding: [String: ElementType] = [:]
  /// Whether weights of another type are converted; if not, the log says what would be.
  public var converts = true
  /// Whether what reads float64 keeps it, rather than the rounded numbers that it is given.
  public var keepsFloat64 = false
  /// Whether nothing is read: zeros that take no memory stand for all weights.
  public var declaresOnly = false
  /// Where every weight that is handed out is written down.
  public var log: WeightLog?
  /// Called after each conversion with the bytes it read; `false` stops the load.
  public var onConversion: @Sendable (_ bytes: Int) -> Bool = { _ in true }

  /// Weights as they are stored.
  public init() {}
}

/// A weight that was handed out.
public struct WeightRecord: Sendable {
  /// Where it is in the model.
  public let address: Address
  /// Its name in the file.
  public let name: String
  /// Whether it is the weight of a matrix product, rather than a table, a bias or a scale.
  public let isProduct: Bool
  /// Whether the file has it as `[inputs, outputs]`.
  public let isTransposed: Bool
  /// What the file has.
  public let stored: StoredTensor
  /// What the model was handed.
  public let held: StoredTensor
  /// How the model keeps it, or would.
  public let kept: Encoding
  /// In how many bytes.
  public let keptByteCount: Int
  /// Whether the model keeps a copy of its own, rather than the file's pages.
  public let isConverted: Bool
  /// Where it lies; without the log that this is in, which would keep itself alive.
  let tensors: TensorCollection

  /// The numbers themselves, also where `stored` only stands for them.
  public func numbers() throws(CheckpointError) -> StoredTensor {
    isWide ? try tensors.tensor(name) : stored
  }

  /// The file that it lies in; the folder's index where it is made of several tensors.
  public var source: String { tensors.place(name).map { tensors.source(of: $0) } ?? tensors.source }

  /// Whether the file has it in double precision.
  public var isWide: Bool { tensors[name]?.type == .float64 }

  /// Gives the memory back that the file's pages of it take.
  public func release() { tensors.release(name) }
}

/// The weights that were handed out, in order.
public final class WeightLog: Sendable {
  private let list = Mutex<[WeightRecord]>([])
  private let said = Mutex<[String]>([])

  /// An empty log.
  public init() {}

  /// What was handed out so far.
  public var records: [WeightRecord] { list.withLock { $0 } }

  /// What a person should know of the weights that were read.
  public var notes: [String] { said.withLock { $0 } }

  func add(_ record: WeightRecord) { list.withLock { $0.append(record) } }

  func note(_ words: [String]) { said.withLock { $0 += words } }
}
