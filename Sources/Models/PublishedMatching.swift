public import Tensors
public import Tracing

/// Published names back to addresses: which tensor of a file is which place of a run.
public struct PublishedMatching: Sendable {
  /// A tensor that has the name of a place, but not its shape.
  public struct Misfit: Sendable, Equatable {
    /// The tensor's name.
    public let name: String
    /// The place that it names.
    public let address: Address
    /// Its shape, and the place's.
    public let found, expected: [Int]
  }

  /// The numbers of the file, by place, in the place's axes.
  public let values: [Address: Tensor]
  /// Names that no place of the run has.
  public let strangers: [String]
  /// Tensors whose shape does not fit.
  public let misfits: [Misfit]
  /// Places of the run that the file has no tensor for.
  public let absent: [Address]
  /// Every name that the file could have had, for suggestions.
  public let knownNames: [String]

  /// Finds a place for each of `names`, which are addresses or published module paths.
  ///
  /// - Parameters:
  ///   - input: what the entry's run started from.
  ///   - entry: which entry of a batch.
  ///   - entryCount: how many entries the batch has.
  ///   - read: gives the tensor called so; called once for each that is used.
  /// - Throws: what reading the prompt throws, and `read`.
  public init(
    _ names: [String], of model: any FamilyModel, input: Input, entry: Int = 0,
    of entryCount: Int = 1, read: (String) throws -> Tensor
  ) throws {
    let held = Set(names)
    func candidates(_ address: Address) -> [String] {
      // Pictures of one entry are a batch of their own.
      [address.description] + model.publishedPlaces(of: address.picture.place)
    }
    var (values, misfits): ([Address: Tensor], [Misfit]) = ([:], [])
    var used: Set<String> = []
    // The sizes tell the shapes: nothing is run.
    let places = try model.outline(input).places
    for place in places {
      let candidates = candidates(place.address)
      used.formUnion(candidates)
      let names = candidates.filter(held.contains)
      guard let name = names.first else { continue }
      let tensor = try read(name)
      let picture = place.address.picture.index
      let batch = Batch(entry: picture > 0 ? picture : entry, count: entryCount)
      if let fitting = try batch.fit(tensor, to: place.shape)
        ?? batch.fit(fused: names.map(read), to: place.shape)
      {
        values[place.address] = fitting
      } else {
        misfits.append(
          Misfit(
            name: name, address: place.address, found: tensor.shape, expected: place.shape))
      }
    }
    (self.values, self.misfits) = (values, misfits)
    let addresses = places.map(\.address)
    absent = addresses.filter { values[$0] == nil }
    strangers = names.filter { !used.contains($0) }
    knownNames = addresses.flatMap(candidates)
  }
}

/// One entry of a batch, in the published axes.
private struct Batch {
  let entry: Int
  let count: Int

  /// A tensor in the published axes as the place has it; nil where it does not fit.
  ///
  /// Axes of one entry, such as a batch of one, come and go; of a batch the entry counts, where it
  /// has one of its own; a convolution's channels, rows and columns become one row a patch; of a head's results for every
  /// token only the last counts.
  func fit(_ tensor: Tensor, to shape: [Int]) -> Tensor? {
    if tensor.shape == shape { return tensor }
    // The rows of all entries under each other.
    if count > 1, let rows = shape.first, tensor.rank == shape.count,
      tensor.shape[0] == count * rows, tensor.shape.dropFirst() == shape.dropFirst()
    {
      return tensor.rows(entry * rows..<(entry + 1) * rows)
    }
    let (long, wanted) = (tensor.shape.filter { $0 != 1 }, shape.filter { $0 != 1 })
    if long == wanted { return tensor.reshaped(to: shape) }
    if long.count == 3, wanted == [long[1] * long[2], long[0]] {
      return tensor.reshaped(to: [long[0], long[1] * long[2]]).transposed()
    }
    if long.count == 2, shape == [1, long[1]], tensor.rank == 3, tensor.shape[0] == 1 {
      return tensor.reshaped(to: long).rows(long[0] - 1..<long[0])
    }
    guard let batch = tensor.shape.first, batch > 1, tensor.rank >= shape.count else { return nil }
    let mine = min(entry, batch - 1)
    return fit(tensor.rows(mine..<mine + 1), to: shape)
  }

  /// Tensors of layers that are one layer here, side by side; nil where they do not fit.
  func fit(fused tensors: [Tensor], to shape: [Int]) -> Tensor? {
    guard tensors.count > 1, shape.count == 2, shape[1].isMultiple(of: tensors.count) else {
      return nil
    }
    let part = [shape[0], shape[1] / tensors.count]
    let parts = tensors.compactMap { fit($0, to: part)?.transposed() }
    guard parts.count == tensors.count else { return nil }
    return Tensor.concatenated(parts).transposed()
  }
}
