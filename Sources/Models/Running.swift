internal import Images
internal import Layers
public import Tensors
internal import Tokenizers
public import Tracing

extension FamilyModel {
  /// One pass through all stages that the input goes through, without writing an answer; everything
  /// goes through the trace, from the pixels on.
  ///
  /// Without a picture the pixels are a stand-in, for whoever puts other numbers in their place.
  public func pass(_ input: Input, trace: inout Trace) throws {
    var slots = Slots(input)
    try stages.of(input).steps.walk(&slots, trace: &trace)
  }

  /// What `pass` is going to pass, told by running it for its shapes; the picture is not looked at.
  ///
  /// - Throws: what reading the words throws.
  public func outline(_ input: Input) throws -> Outline {
    let hasOneGrid = seeing?.hasOneGrid ?? true
    let input = input.mapPictures { picture in
      switch picture {
      case .image(let image): .standIn(0, of: image.size)
      case .view(let image, let number): .standIn(0, of: image.size, view: number)
      case .pixels where hasOneGrid: .standIn(0)
      case .pixels, .standIn: picture
      }
    }
    return try Outline { try pass(input, trace: &$0) }
  }

  /// Everything from the input to what a stage gives.
  ///
  /// - Throws: `ModelError.missingPart` where there is no such stage; what the steps throw.
  public func run(
    _ input: Input, through stage: String, trace: inout Trace
  ) throws -> Tensor {
    let way = stages.upTo(stage).needed(by: input)
    guard let last = way.last else {
      throw ModelError.missingPart(wanted: stage, has: "it is \(kind)")
    }
    var slots = Slots(input)
    try way.steps.walk(&slots, trace: &trace)
    return slots.take(last.gives)
  }

  /// The name of the stage that a place belongs to; empty where no stage passes it.
  public func stage(of address: Address) -> String { stages.stage(of: address)?.name ?? "" }

  /// Runs a stage alone, on numbers that somebody hands over.
  ///
  /// - Throws: `ModelError.missingPart` where there is no such stage, `wrongShape`; `Cancelled`.
  public func run(
    stage name: String, on given: Tensor?, of input: Input = Input(), trace: inout Trace
  ) throws -> Tensor {
    guard let stage = stages.first(where: { $0.name == name }) else {
      throw ModelError.missingPart(wanted: name, has: "it is \(kind)")
    }
    return try stage.run(given, of: input, trace: &trace)
  }
}

/// One of the pictures that a model is given of a picture: the whole of it, or a part where it is split.
public struct PictureView: Sendable {
  /// Which of the input's pictures, counted from 0.
  public let pictureIndex: Int
  /// Which view of it, counted from 0; the last is the whole.
  public let number: Int
  /// The picture.
  public let picture: Input.Picture
}

/// Where a picture's numbers pass before the first layer.
enum PicturePlaces {
  /// `[3, Y, X]`.
  static let pixels = Tap(
    "output", .channel, .row, .column, says: "The picture, resized and centred around 0.")
  /// `[P, 3·p·p]`.
  static let patches = Tap("output", .token, .channel, says: "One row of pixels a patch.")
}

extension SeeingModel {
  /// How many pictures the model is given of each.
  public var viewCount: Int { preprocessing.viewCount }

  /// Whether all pictures are cut into the same patches.
  public var hasOneGrid: Bool {
    if case .longestEdge = preprocessing.target { false } else { true }
  }

  /// What is looked at, one after the other: the pictures of an input, of one that is split its views.
  ///
  /// The address of what passes for the view at an index is `Address.ofPicture` of that index.
  public func views(of input: Input) -> [PictureView] {
    input.pictures.enumerated().flatMap { index, picture in
      (0..<picture.viewCount(each: viewCount)).map { number in
        let own: Int =
          switch picture {
          case .view(_, let own), .standIn(_, _, let own?): own
          case .image, .standIn(_, .some, nil): number
          case .pixels, .standIn: viewCount - 1
          }
        return PictureView(pictureIndex: index, number: own, picture: picture)
      }
    }
  }

  /// The size that a view has when the model is given it, nothing filled up.
  private func size(of view: PictureView) throws -> PixelSize {
    func prepared(_ size: PixelSize) throws -> PixelSize {
      try preprocessing.way(of: size, view: view.number).input
    }
    switch view.picture {
    case .image(let image), .view(let image, _): return try prepared(image.size)
    case .standIn(_, let size?, _) where !hasOneGrid: return try prepared(size)
    case .pixels(let pixels) where pixels.rank == 3:
      return PixelSize(width: pixels.shape[2], height: pixels.shape[1])
    case .standIn, .pixels: return patches.size
    }
  }

  /// How a view of an input is cut.
  ///
  /// - Parameter index: which of all views of its pictures, counted from 0.
  /// - Throws: for a picture that cannot be prepared.
  public func patches(of input: Input, at index: Int) throws -> PatchGrid {
    let views = views(of: input)
    guard !hasOneGrid, views.indices.contains(index) else { return patches }
    var filled: PixelSize?
    if input.fillsUp {
      let sizes = try views.map { try size(of: $0) }
      filled = PixelSize(
        width: sizes.map(\.width).max() ?? 0, height: sizes.map(\.height).max() ?? 0)
    }
    return PatchGrid(
      try size(of: views[index]), filledUpTo: filled, patchSize: patches.patchSize,
      leadingTokenCount: patches.leadingTokenCount)
  }

  /// How the view is cut that is on its way.
  ///
  /// - Throws: `ModelError.unknownGrid` where nobody knows its picture.
  func patches(of slots: Slots) throws -> PatchGrid {
    guard !hasOneGrid, slots.input.pictures.isEmpty else {
      return try patches(of: slots.input, at: slots.picture)
    }
    throw ModelError.unknownGrid(model: kind)
  }

  /// The pixels of the view that is on its way, or their stand-in.
  func pixels(of slots: Slots) throws -> Tensor {
    let views = views(of: slots.input)
    guard takesSeveralPictures || slots.input.pictures.count <= 1 else {
      throw ModelError.missingPart(
        wanted: "look at \(slots.input.pictures.count) pictures at once",
        has: "it is \(kind); give one")
    }
    let size = patches.size
    guard !views.isEmpty else { return Tensor(repeating: 0, shape: [3, size.height, size.width]) }
    let view = views[slots.picture]
    let pixels: Tensor
    switch view.picture {
    case .image(let image), .view(let image, _):
      pixels = try prepare(image, view: view.number).pixels
    case .pixels(let given): pixels = given
    case .standIn(let number, _, _):
      let size = try self.size(of: view)
      pixels = Tensor(repeating: number, shape: [3, size.height, size.width])
    }
    guard slots.input.fillsUp else { return pixels }
    return pixels.filledUp(to: try patches(of: slots).size)
  }

  /// What a token of the vision tower, or a patch before it, stands for.
  func pictureToken(_ index: Int, at address: Address, of input: Input = Input()) -> String {
    let (number, place) = address.picture
    let isPatch =
      place.parts.first == "picture" || place.description == "vision.embedding.patch.output"
    let grid = (try? patches(of: input, at: number)) ?? patches
    guard let patch = isPatch ? index : grid.patch(ofToken: index) else { return "class token" }
    let found = grid.place(of: patch)
    return grid.isSeen(patch) ? "patch \(found.row),\(found.column)" : "filling"
  }
}

extension Tensor {
  /// Pixels `[3, Y, X]` with zeros at the right and the bottom.
  fileprivate func filledUp(to size: PixelSize) -> Tensor {
    let (rows, columns) = (shape[1], shape[2])
    guard rows != size.height || columns != size.width else { return self }
    return unsafe Tensor.filled([3, size.height, size.width]) { out in
      unsafe out.update(repeating: 0, count: 3 * size.height * size.width)
      for line in 0..<3 * rows {
        let (channel, row) = (line / rows, line % rows)
        for column in 0..<columns {
          unsafe out[(channel * size.height + row) * size.width + column] =
            elements[line * columns + column]
        }
      }
    }
  }
}
