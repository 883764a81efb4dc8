internal import Budget
internal import Characters
internal import Runtime
internal import Tokenizers

/// A text's tokens.
struct TokenList: ForeignObject {
  let text: String
  let ids: [Int]
  let tokenizer: any Tokenizer

  var typeName: String { "Tokens" }
  var brief: String { "\(ids.count.counted(as: "token")) of \(Value.text(text).inMessage)" }

  var shown: String {
    let pieces = tokenizer.pieces(of: Array(ids.prefix(Table.shownLimit)))
    let rows = pieces.enumerated().map { place, piece in ["\(place)", "\(piece.id)", piece.text] }
    return TextTable(["place", "id", "token"], rows, rightAligned: [true, true, false]).text
      + (ids.count > rows.count ? "\nthe first \(rows.count) of \(ids.count)" : "")
  }

  var attributeNames: [String] { ["ids", "tokens", "text"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "ids": return .integers(ids)
    case "tokens":
      let texts = tokenizer.pieces(of: ids).map(\.text)
      try Stop.check()
      return .texts(texts)
    case "text": return .text(text)
    default: return nil
    }
  }

  var elementCount: Int? { ids.count }

  func element(_ index: Value) throws -> Value? {
    guard let number = index.integer else { return nil }
    let place = number < 0 ? number + ids.count : number
    guard ids.indices.contains(place) else {
      throw RuntimeFailure(
        .index, "token \(number) is outside a text of \(ids.count.counted(as: "token"))")
    }
    return .integer(ids[place])
  }
}
