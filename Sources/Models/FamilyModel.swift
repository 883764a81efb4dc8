public import Images
public import Tensors
public import Tokenizers
public import Tracing

/// A model of any family: what commands, traces and tools ask of it.
///
/// What only some models can do is asked for by ability: `seeing`, `writing`, `matching`,
/// `classifying` and `embedding` are the model itself where it can, and nil where it cannot.
public protocol FamilyModel: Sendable {
  /// The family's name, as people write it.
  var family: String { get }
  /// The paper that describes the family, for a line of text.
  var source: String { get }
  /// What this checkpoint is, such as `BLIP-2 without a language model`, for messages.
  var kind: String { get }
  /// The sizes of each part, for one line.
  var summary: String { get }
  /// The sizes of each part, a line each.
  var facts: [Fact] { get }

  /// What to know of its files: what is missing and assumed, what nobody knows; none for most.
  var notes: [String] { get }
  /// Text to token ids; nil where the model reads no text.
  var textTokenizer: (any Tokenizer)? { get }
  /// The parts that have blocks with attention, in the order of a run.
  var towers: [Tower] { get }
  /// The stages, in the order a picture goes through them, then those of a text alone.
  var stages: [Stage] { get }

  /// The module paths under which the published implementation has what passes an address; none
  /// where it has no such place.
  func publishedPlaces(of address: Address) -> [String]
  /// What index `index` of `axis` at a place stands for, such as `patch 3,4`; nil for a mere number.
  func name(of index: Int, on axis: Axis, at address: Address, input: Input) -> String?
  /// One run with everything kept, for a file.
  ///
  /// - Throws: `ModelError.missingPart` where the model cannot take what the request holds.
  func traced(_ request: TraceRequest) throws -> TracedRun

  /// The same model, which cuts a text that is too long and keeps its end token; itself where it reads
  /// no text alone.
  var cuttingLongTexts: any FamilyModel { get }

  /// The model as one that looks at pictures.
  var seeing: (any SeeingModel)? { get }
  /// The model as one that writes text.
  var writing: (any WritingModel)? { get }
  /// The model as one that converses.
  var chatting: (any ChatModel)? { get }
  /// The model as one that judges whether a text fits a picture.
  var matching: (any MatchingModel)? { get }
  /// The model as one that knows a list of classes.
  var classifying: (any ClassifyingModel)? { get }
  /// The model as one that puts pictures and texts in one space.
  var embedding: (any EmbeddingModel)? { get }
}

/// A model that looks at pictures.
public protocol SeeingModel: FamilyModel {
  /// How a picture becomes numbers, and where that is written.
  var pictureSettings: PictureSettings { get }
  /// How the vision tower cuts a picture; where that depends on the picture, the largest that it is made
  /// for.
  var patches: PatchGrid { get }
  /// Whether one input may hold several pictures.
  var takesSeveralPictures: Bool { get }
  /// `[T, D]`: what the vision tower adds to each token for where it is, the class token first.
  var positionEmbeddings: Tensor { get }
  /// The same model for pictures of another size, its position embeddings interpolated.
  ///
  /// - Parameter imageSize: width and height of the picture in pixels, a multiple of the patches'.
  /// - Throws: `ModelError.badSize` for a size that cannot be cut into whole patches.
  func resized(to imageSize: Int) throws -> any SeeingModel
  /// The same model for pictures that are split into views, or are not.
  ///
  /// - Throws: `ModelError.missingPart` for a model that was not made for views.
  func splitting(_ splits: Bool) throws -> any SeeingModel
}

/// One line about a model.
public struct Fact: Sendable, Equatable {
  /// What it is about, in a word.
  public let subject: String
  /// The line.
  public let text: String

  init(_ subject: String, _ text: String) { (self.subject, self.text) = (subject, text) }
}

/// A part of a model that has blocks with attention.
public struct Tower: Sendable, Hashable {
  /// The first part of its addresses.
  public let name: String
  /// How many blocks there are.
  public let blockCount: Int
  /// Heads of each attention.
  public let headCount: Int
  /// Channels of a token.
  public let width: Int
  /// The attention layers of its blocks.
  public let attentions: [AttentionPlace]

  init(
    _ name: String, blockCount: Int, headCount: Int, width: Int, attentions: [AttentionPlace]
  ) {
    (self.name, self.blockCount, self.headCount) = (name, blockCount, headCount)
    (self.width, self.attentions) = (width, attentions)
  }
}

/// Where a tower has attention, and between what.
public struct AttentionPlace: Sendable, Hashable {
  /// What the positions of an attention stand for.
  public enum Tokens: Sendable, Hashable {
    /// The class token, then the patches row by row.
    case patches
    /// Learned queries.
    case queries
    /// The patches row by row, then learned queries.
    case patchesAndQueries
    /// A text after so many vectors that stand for the picture.
    case text(after: Int)
  }

  /// What to type: `vision`, `queries`, `cross`, `language` or `text`.
  public let kind: String
  /// The address of the pattern, `#` for the block.
  public let template: String
  /// The blocks that have it.
  public let blocks: [Int]
  /// What looks, and what is looked at.
  public let queries, keys: Tokens

  init(_ kind: String, at template: String, blocks: [Int], queries: Tokens, keys: Tokens) {
    (self.kind, self.template, self.blocks) = (kind, template, blocks)
    (self.queries, self.keys) = (queries, keys)
  }

  /// The pattern's address in a block.
  public func address(block: Int) -> Address {
    Address(template.split(separator: "#").joined(separator: "\(block)"))
  }
}

extension SeeingModel {
  /// This model.
  public var seeing: (any SeeingModel)? { self }
  /// One, unless the family says otherwise.
  public var takesSeveralPictures: Bool { false }
  /// Itself where nothing is to be split, unless the family knows views.
  public func splitting(_ splits: Bool) throws -> any SeeingModel {
    guard splits else { return self }
    throw ModelError.missingPart(wanted: "split pictures into views", has: "it is \(kind)")
  }
  /// How a picture becomes numbers.
  public var preprocessing: Preprocessing { pictureSettings.preprocessing }

  /// A picture to numbers around 0, `[3, Y, X]`, with the way back to the picture's own pixels.
  ///
  /// - Parameter view: which view of one that is split, counted from 0; nil for the whole.
  public func prepare(_ image: Image, view: Int? = nil) throws -> Preprocessing.Prepared {
    try preprocessing.prepare(
      image, view: view, patchSize: patches.patchSize,
      leadingTokenCount: patches.leadingTokenCount)
  }

  /// Where each pixel of a picture goes on its way to the tokens.
  ///
  /// - Parameter view: which view of one that is split, counted from 0; nil for the whole.
  public func way(of size: PixelSize, view: Int? = nil) throws -> Geometry {
    try preprocessing.way(
      of: size, view: view, patchSize: patches.patchSize,
      leadingTokenCount: patches.leadingTokenCount)
  }

  /// A picture to numbers around 0: `[3, Y, X]`.
  public func preprocess(_ image: Image) throws -> Tensor { try prepare(image).pixels }

  /// Pixels `[3, Y, X]` to one row a patch: `[P, 3·p·p]`, from left to right and top to bottom.
  func patchify(_ pixels: Tensor) throws -> Tensor {
    try Images.patchify(pixels, patch: patches.patchSize)
  }
}

extension FamilyModel {
  /// Whether it cannot run without a picture.
  public var needsPicture: Bool { seeing.map { !$0.takesSeveralPictures } ?? false }

  /// How many blocks each tower has.
  public var blockCounts: [String: Int] {
    Dictionary(towers.map { ($0.name, $0.blockCount) }) { first, _ in first }
  }

  /// Nil, unless the family says otherwise.
  public var seeing: (any SeeingModel)? { nil }
  /// Itself, unless the family says otherwise.
  public var cuttingLongTexts: any FamilyModel { self }
  /// Nil, unless the family says otherwise.
  public var writing: (any WritingModel)? { nil }
  /// Nil, unless the family says otherwise.
  public var chatting: (any ChatModel)? { nil }
  /// Nil, unless the family says otherwise.
  public var matching: (any MatchingModel)? { nil }
  /// Nil, unless the family says otherwise.
  public var classifying: (any ClassifyingModel)? { nil }
  /// Nil, unless the family says otherwise.
  public var embedding: (any EmbeddingModel)? { nil }
}
