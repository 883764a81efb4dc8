public import Images
public import Tensors

/// What a run starts from: enough to make it again.
///
/// Turns of segments, in the order in which a model reads them. A picture with a prompt is its smallest
/// case, a text alone another; a conversation has a turn for each that spoke.
public struct Input: Sendable {
  /// A picture, as far as it is known.
  public enum Picture: Sendable {
    /// As it was opened; for a model that splits pictures all its views.
    case image(Image)
    /// One view alone of a picture, counted from 0.
    case view(of: Image, number: Int)
    /// `[3, Y, X]`: as the model takes it, where only that is known.
    case pixels(Tensor)
    /// Pixels that are all this number, for whoever puts others in their place: as many as those of a
    /// picture of that size, of all its views or of one; without a size as many as a square has.
    case standIn(Float, of: PixelSize? = nil, view: Int? = nil)

    /// The picture as it was opened; nil where only its pixels are known.
    public var image: Image? {
      switch self {
      case .image(let image), .view(let image, _): image
      case .pixels, .standIn: nil
      }
    }

    /// How many views of it a model looks at that splits a picture into `each`.
    func viewCount(each: Int) -> Int {
      switch self {
      case .image, .standIn(_, .some, nil): each
      case .view, .pixels, .standIn: 1
      }
    }
  }

  /// A piece of what somebody says.
  public enum Segment: Sendable {
    /// A picture, and how the text speaks of it, where a model writes pictures into its text.
    case picture(Picture, Mention = Mention())
    /// Words.
    case text(String)
    /// Words as token ids, with those that stand for the picture, of which the first `attended` are text
    /// and the others fill a batch up.
    case tokens([Int], attended: Int)
  }

  /// How a text speaks of a picture.
  public struct Mention: Sendable, Equatable {
    /// Its path or another name; empty where it has none.
    public var name: String
    /// What introduces it.
    public var label: Label
    /// Whether the model's texts name pictures by a tag, as Qwen-VL's do.
    public var hasTag: Bool

    /// What introduces a picture in a text.
    public enum Label: String, Sendable, CaseIterable {
      /// `Picture 1: ` before it and a new line behind, as newer code writes it.
      case spaced = "Picture 1: "
      /// `Picture 1:` before it and a new line behind, as older code writes it.
      case tight = "Picture 1:"
      /// Nothing but the words around it.
      case none = ""
    }

    /// A picture of this name.
    public init(_ name: String = "", label: Label = .spaced, hasTag: Bool = true) {
      (self.name, self.label, self.hasTag) = (name, label, hasTag)
    }

    /// The mention as Qwen-VL's code writes it, the name between `<img>` and `</img>` with its label; of a model
    /// that has no such tag the name in brackets.
    ///
    /// - Parameter number: which picture of its turn it is, counted from 1.
    public func written(as number: Int) -> String {
      guard hasTag else { return "[\(name.isEmpty ? "picture \(number)" : name)] " }
      let tag = "<img>\(name)</img>"
      return switch label {
      case .spaced: "Picture \(number): \(tag)\n"
      case .tight: "Picture \(number):\(tag)\n"
      case .none: tag
      }
    }
  }

  /// What one speaker says.
  public struct Turn: Sendable {
    /// Who speaks.
    public enum Speaker: String, Sendable {
      /// Whoever sets the rules.
      case system
      /// The person.
      case user
      /// The model.
      case assistant
    }

    /// Who speaks.
    public var speaker: Speaker
    /// What is said.
    public var segments: [Segment]

    /// A turn.
    public init(_ speaker: Speaker = .user, _ segments: [Segment]) {
      (self.speaker, self.segments) = (speaker, segments)
    }
  }

  /// What is said, first things first.
  public var turns: [Turn]
  /// Whether pictures are filled up at the right and the bottom to the size of the largest, as the
  /// published code does with a batch; nothing looks at what is added.
  public var fillsUp = false

  /// A conversation.
  public init(turns: [Turn]) { self.turns = turns }

  /// One turn: a picture, if there is one, then words, if there are any.
  public init(picture: Picture? = nil, mention: Mention = Mention(), words: Segment? = nil) {
    let segments = [picture.map { Segment.picture($0, mention) }, words].compactMap { $0 }
    turns = segments.isEmpty ? [] : [Turn(.user, segments)]
  }

  /// A picture and the text that goes with it.
  public init(image: Image?, prompt: String = "") {
    self.init(picture: image.map { .image($0) }, prompt: prompt)
  }

  /// A picture, as far as it is known, and the text that goes with it.
  public init(picture: Picture? = nil, prompt: String) {
    self.init(picture: picture, words: prompt.isEmpty ? nil : .text(prompt))
  }

  /// Words as token ids, all of them text.
  public init(picture: Picture? = nil, tokenIDs: [Int]) {
    self.init(picture: picture, words: .tokens(tokenIDs, attended: tokenIDs.count))
  }
}

extension Input {
  /// Everything that is said, whoever says it.
  public var segments: [Segment] { turns.flatMap(\.segments) }

  /// The first picture; nil where there is none.
  public var picture: Picture? {
    get { pictures.first }
    set { replace(with: Input(picture: newValue, words: words)) }
  }

  /// All pictures, in order.
  public var pictures: [Picture] {
    segments.compactMap { if case .picture(let picture, _) = $0 { picture } else { nil } }
  }

  /// Says something else, in the same way.
  private mutating func replace(with other: Input) { turns = other.turns }

  /// How many views of its pictures a model looks at that splits each into so many.
  func viewCount(each: Int) -> Int { pictures.reduce(0) { $0 + $1.viewCount(each: each) } }

  /// The same with other pictures in the places of its own.
  func mapPictures(_ change: (Picture) -> Picture) -> Input {
    var copy = self
    copy.replace(
      with: Input(
        turns: turns.map { turn in
          Turn(
            turn.speaker,
            turn.segments.map {
              if case .picture(let picture, let mention) = $0 {
                .picture(change(picture), mention)
              } else {
                $0
              }
            })
        }))
    return copy
  }

  /// The words: the first text, or token ids that were given; nil where there are none.
  public var words: Segment? {
    get { segments.first { if case .picture = $0 { false } else { true } } }
    set { replace(with: Input(picture: picture, words: newValue)) }
  }

  /// The first picture as it was opened; nil where only its pixels are known.
  public var image: Image? { picture?.image }

  /// The first picture as the model takes it, `[3, Y, X]`, where only that is known.
  public var pixels: Tensor? { if case .pixels(let pixels)? = picture { pixels } else { nil } }

  /// The words as a text, what several turns say with a space between; none is empty.
  public var prompt: String {
    segments.compactMap { if case .text(let text) = $0 { text } else { nil } }
      .joined(separator: " ")
  }

  /// The words as token ids; nil where they are to be made from the text.
  public var tokenIDs: [Int]? { if case .tokens(let ids, _)? = words { ids } else { nil } }

  /// How many of given token ids are text; nil where none are given.
  public var attendedCount: Int? {
    if case .tokens(_, let attended)? = words { attended } else { nil }
  }
}
