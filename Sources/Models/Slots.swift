public import Tensors

/// The name of what a step of a run writes and later ones read.
public struct Slot: Hashable, Sendable {
  /// What messages call it.
  public let name: String

  init(_ name: String) { self.name = name }

  /// `[3, Y, X]`: a picture as the model takes it.
  public static let pixels = Slot("pixels")
  /// `[P, 3·p·p]`: a row of pixels a patch.
  public static let patches = Slot("patches")
  /// `[T, D]`: the vision tower's tokens, after as many blocks as have run.
  public static let tokens = Slot("tokens")
  /// `[Q, D]`: learned queries, after as many blocks as have run.
  public static let queries = Slot("queries")
  /// `[Q, E]`: what stands for a picture among the words.
  public static let softPrompt = Slot("soft prompt")
  /// `[T, E]`: what a language model reads.
  public static let sequence = Slot("sequence")
  /// `[1, V]`: a number a token of the vocabulary.
  public static let logits = Slot("logits")
  /// `[1, L]`: a number a class.
  public static let classes = Slot("classes")
  /// `[1, E]`: a picture in a space that it shares with texts.
  public static let embedding = Slot("embedding")
  /// `[T, D]`: the text tower's tokens, after as many blocks as have run.
  public static let textTokens = Slot("text tokens")
  /// `[T, T]`: which tokens of the text see which.
  static let textMask = Slot("text mask")
  /// `[1, E]`: a text in a space that it shares with pictures.
  public static let textEmbedding = Slot("text embedding")
}

/// The state of a run between two steps: what it started from, and what has been written so far.
///
/// A value: whoever keeps one can go on from there as often as wanted.
public struct Slots: Sendable {
  /// What the run started from.
  public let input: Input
  /// Which of several pictures is on its way, or of their views, counted from 0; 0 for what belongs to none.
  var picture = 0
  private var tensors: [[Slot: Tensor]] = [[:]]  // one a picture
  /// What a decoder knows of a sequence while it goes through its blocks.
  var pass: Decoder.Pass?
  /// Keys and values of what a decoder has read.
  var reading: Decoder.State?

  /// The state at the beginning.
  public init(_ input: Input) { self.input = input }

  /// What was written under a name, if it was.
  public subscript(slot: Slot) -> Tensor? {
    get { picture < tensors.count ? tensors[picture][slot] : nil }
    set {
      while tensors.count <= picture { tensors.append([:]) }
      tensors[picture][slot] = newValue
    }
  }

  /// What was written under a name for each picture, or each view, in order.
  package func ofAllPictures(_ slot: Slot) -> [Tensor] { tensors.compactMap { $0[slot] } }

  /// What was written under a name.
  ///
  /// - Precondition: a step before has written it.
  func take(_ slot: Slot) -> Tensor {
    guard let tensor = self[slot] else {
      preconditionFailure("no step has written '\(slot.name)'")
    }
    return tensor
  }
}
