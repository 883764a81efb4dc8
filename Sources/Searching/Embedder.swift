public import Images
public import Tensors

/// What turns pictures into points of a space, and what tells one such space from another.
public struct Embedder: Sendable {
  /// The model.
  public let model: ModelName
  /// Channels of the space, `D`.
  public let width: Int
  /// `[K, D]`: where a fixed text and a fixed picture land, rows of length 1.
  public let probe: Tensor
  /// A picture at the size that the model takes; done beside the model, on every core.
  public let shrink: @Sendable (Image) throws -> Image
  /// Shrunken pictures to `[N, D]`, of any length; stops where the function that it is given, which
  /// it asks between blocks, says that it is cancelled.
  public let embed: @Sendable ([Image], _ isCancelled: () -> Bool) throws -> Tensor

  /// Describes a model.
  ///
  /// - Precondition: `probe` is a matrix.
  public init(
    name: String, folder: String, probe: Tensor,
    shrink: @escaping @Sendable (Image) throws -> Image,
    embed: @escaping @Sendable ([Image], _ isCancelled: () -> Bool) throws -> Tensor
  ) {
    precondition(probe.rank == 2, "a probe of shape \(probe.shape)")
    (model, width) = (ModelName(name: name, folder: folder), probe.shape[1])
    self.probe = probe.unitRows()
    (self.shrink, self.embed) = (shrink, embed)
  }
}
