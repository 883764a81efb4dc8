internal import Characters
internal import Figures
internal import Models
internal import Runtime
internal import Tokenizers

/// What a model reads of a conversation: its tokens, and what each run of them is.
struct ContextView: ForeignObject {
  let context: ChatContext
  /// How many of the person's turns fell off.
  let cut: Int
  let input: Input
  let model: LoadedModel

  var typeName: String { "Context" }
  var brief: String { "\(context.ids.count.counted(as: "token")) of a conversation" }

  /// What a part is, in words.
  ///
  /// - Parameter namesViews: whether the views of a picture that is split are told apart.
  func name(of part: ChatContext.Part, namesViews: Bool = false) -> String {
    switch part.kind {
    case .frame: "marks"
    case .picture(let index, let view):
      "picture \(index + 1)"
        + (namesViews ? view.map { ", \(PictureView.name(of: $0))" } ?? "" : "")
    case .words:
      switch part.speaker {
      case .system: "system"
      case .assistant: "answer"
      case .user: part.turn == input.turns.indices.last ? "question" : "earlier question"
      }
    }
  }

  private func text(of part: ChatContext.Part) -> String {
    if case .picture = part.kind { return "\(part.tokens.count) rows" }
    return model.model.textTokenizer?.decode(
      Array(context.ids[part.tokens]), skipSpecialTokens: false) ?? ""
  }

  var shown: String {
    let rows = context.parts.map { part in
      [
        "\(part.tokens.lowerBound)", "\(part.tokens.count)",
        name(of: part, namesViews: true),
        text(of: part).visibleOnOneLine,
      ]
    }
    return TextTable(
      ["from", "tokens", "what", "text"], rows, rightAligned: [true, true, false, false]
    )
    .text + "\n\(context.ids.count.counted(as: "token")) in all" + (fallen.map { "\n" + $0 } ?? "")
  }

  /// What fell off, in words.
  private var fallen: String? {
    cut == 0
      ? nil
      : "\(cut.counted(as: "earlier question")) with the answers did not fit the window and fell off"
  }

  var attributeNames: [String] { ["text", "ids", "tokens", "parts", "cut"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "text": .text(context.text)
    case "ids": .integers(context.ids)
    case "cut": .integer(cut)
    case "tokens":
      .texts(context.ids.map { model.model.textTokenizer?.visible($0) ?? "" })
    case "parts":
      .object(
        Table(
          ["from", "tokens", "what", "text"],
          context.parts.map {
            [
              .integer($0.tokens.lowerBound), .integer($0.tokens.count),
              .text(name(of: $0, namesViews: true)),
              .text(text(of: $0)),
            ]
          }))
    default: nil
    }
  }

  var elementCount: Int? { context.ids.count }
  func element(_ index: Value) throws -> Value? {
    guard let number = index.integer, context.ids.indices.contains(number) else { return nil }
    return .integer(context.ids[number])
  }
}

extension ContextView {
  /// The tokens in lines, coloured by what they are.
  var strip: Figure {
    get throws {
      let tokenizer = model.model.textTokenizer
      return try Figure.contextStrip(
        context.parts.map { part in
          if case .picture = part.kind {
            return TokenRun(name(of: part), tokens: [], count: part.tokens.count)
          }
          return TokenRun(
            name(of: part),
            tokens: context.ids[part.tokens].map {
              tokenizer?.decode([$0], skipSpecialTokens: false) ?? ""
            })
        },
        title: "What \(model.name) reads", note: fallen.map { $0 + "." } ?? "")
    }
  }
}
