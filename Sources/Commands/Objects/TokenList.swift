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
    let rows = ids.prefix(Table.shownLimit).enumerated().map { place, id in
      ["\(place)", "\(id)", tokenizer.visible(id)]
    }
    return TextTable(["place", "id", "token"], rows, rightAligned: [true, true, false]).text
      + (ids.count > rows.count ? "\nthe first \(rows.count) of \(ids.count)" : "")
  }

  var attributeNames: [String] { ["ids", "tokens", "text"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "ids": .integers(ids)
    case "tokens":
      .texts(
        try ids.map { id in
          try Stop.check()
          return tokenizer.visible(id)
        })
    case "text": .text(text)
    default: nil
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
