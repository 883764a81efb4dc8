internal import Checkpoints
public import Tensors
public import Tracing

/// A weight of a model that was read.
public struct Weight: Sendable {
  /// Where it is in the model.
  public let address: Address
  /// Its published name.
  public let name: String
  /// The file that it lies in.
  public let file: String
  /// The numbers that the model computes with, in the file or in memory of their own.
  public let tensor: StoredTensor

  static func byAddress(_ records: [WeightRecord]) -> [Address: Weight] {
    var weights: [Address: Weight] = [:]
    for record in records {
      // A head that is the table of embeddings is read from the one place that the file has.
      let isTied = [Decoder.tableAddress, Decoder.headAddress].contains(record.address)
      let address =
        isTied ? record.isProduct ? Decoder.headAddress : Decoder.tableAddress : record.address
      weights[address] = Weight(
        address: address, name: record.name, file: record.source, tensor: record.held)
    }
    return weights
  }
}
