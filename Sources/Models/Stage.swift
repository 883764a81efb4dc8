public import Images
internal import Layers
public import Tensors
public import Tracing

/// What goes into a stage.
public enum StageInput: Sendable {
  /// A picture.
  case image(Image)
  /// The result of the stage before.
  case tensor(Tensor)
  /// The result of the stage before, and the text that goes with it.
  case prompted(Tensor, String)
  /// A text alone.
  case text(String)
}

/// One step of a model on the way from a picture to an answer, as a value.
///
/// The list of stages is what stopping and resuming, the stage graph, comparisons and lessons read.
public struct Stage: Sendable {
  /// Whose way a stage lies on.
  public enum Branch: Sendable {
    /// From a picture on.
    case picture
    /// From a text alone on, where a model reads pictures and texts apart.
    case text
  }

  /// What to type.
  public let name: String
  /// What the stage does, in one sentence.
  public let summary: String
  /// What goes in, such as `[P, 768]`, with this model's numbers.
  public let input: String
  /// What comes out, with this model's numbers.
  public let output: String
  /// Whose way it lies on.
  public let branch: Branch
  /// Runs the stage, passing its numbers through the trace.
  public let run: @Sendable (StageInput, inout Trace) throws -> Tensor

  init(
    _ name: String, _ summary: String, from input: String, to output: String,
    branch: Branch = .picture,
    run: @escaping @Sendable (StageInput, inout Trace) throws -> Tensor
  ) {
    (self.name, self.summary, self.input, self.output) = (name, summary, input, output)
    (self.branch, self.run) = (branch, run)
  }
}

extension StageInput {
  /// The picture, for the stage that takes one.
  func picture(for stage: String) throws(ModelError) -> Image {
    guard case .image(let image) = self else {
      throw .wrongShape(stage: stage, found: numbers?.shape ?? [], expected: "a picture")
    }
    return image
  }

  /// The numbers, if they have `shape`, in which nil fits any length but 0.
  func tensor(_ shape: [Int?], for stage: String) throws(ModelError) -> Tensor {
    let expected = "[" + shape.map { $0.map(String.init) ?? "*" }.joined(separator: ", ") + "]"
    guard let numbers, numbers.rank == shape.count,
      zip(numbers.shape, shape).allSatisfy({ $0 == $1 ?? max($0, 1) })
    else { throw .wrongShape(stage: stage, found: numbers?.shape ?? [], expected: expected) }
    return numbers
  }

  /// The text that came along; none is empty.
  var text: String {
    switch self {
    case .prompted(_, let text), .text(let text): text
    case .image, .tensor: ""
    }
  }

  private var numbers: Tensor? {
    switch self {
    case .image, .text: nil
    case .tensor(let tensor), .prompted(let tensor, _): tensor
    }
  }
}

extension VisionTransformer {
  /// `embed` for patches that somebody hands over, `[P, 3·p·p]`.
  ///
  /// - Throws: `ModelError.wrongShape` for any other shape.
  func embed(given patches: Tensor, trace: inout Trace) throws(ModelError) -> Tensor {
    let shape = [sizes.tokenCount - 1, 3 * sizes.patchSize * sizes.patchSize]
    return embed(try StageInput.tensor(patches).tensor(shape, for: "embed"), trace: &trace)
  }

  /// `encode` for tokens that somebody hands over, `[T, D]`.
  ///
  /// - Throws: `ModelError.wrongShape` for any other shape; `Cancelled`.
  func encode(given tokens: Tensor, trace: inout Trace) throws -> Tensor {
    let shape = [sizes.tokenCount, sizes.width]
    return try encode(try StageInput.tensor(tokens).tensor(shape, for: "encode"), trace: &trace)
  }
}
