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
    let input = input.mapPictures { _ in .standIn(0) }
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

/// Where a picture's numbers pass before the first layer.
enum PicturePlaces {
  /// `[3, Y, X]`.
  static let pixels = Tap(
    "output", .channel, .row, .column, says: "The picture, resized and centred around 0.")
  /// `[P, 3·p·p]`.
  static let patches = Tap("output", .token, .channel, says: "One row of pixels a patch.")
}

extension SeeingModel {
  /// The pixels of the picture that is on its way, or their stand-in.
  func pixels(of slots: Slots) throws -> Tensor {
    let (size, pictures) = (patches.imageSize, slots.input.pictures)
    guard takesSeveralPictures || pictures.count <= 1 else {
      throw ModelError.missingPart(
        wanted: "look at \(pictures.count) pictures at once", has: "it is \(kind); give one")
    }
    return switch pictures.isEmpty ? nil : pictures[slots.picture] {
    case .image(let image): try preprocess(image)
    case .pixels(let pixels): pixels
    case .standIn(let number): Tensor(repeating: number, shape: [3, size, size])
    case nil: Tensor(repeating: 0, shape: [3, size, size])
    }
  }

  /// What a token of the vision tower, or a patch before it, stands for.
  func pictureToken(_ index: Int, at address: Address) -> String {
    let isPatch =
      address.parts.first == "picture" || address.description == "vision.embedding.patch.output"
    guard let patch = isPatch ? index : patches.patch(ofToken: index) else { return "class token" }
    let place = patches.place(of: patch)
    return "patch \(place.row),\(place.column)"
  }
}
