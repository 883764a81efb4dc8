internal import Characters
internal import Runtime
internal import Tokenizers

/// A text's tokens.
struct TokenList: ForeignObject {
  let text: String
  let ids: [Int]
  let tokenizer: any Tokenizer

  var typeName: String { "Tokens" }
  var brief: String { "\(ids.count.counted(as: "token")) of \(Value.text(text).represented)" }

  var shown: String {
    let rows = ids.enumerated().map { place, id in
      ["\(place)", "\(id)", tokenizer.visible(id)]
    }
    return TextTable(["place", "id", "token"], rows, rightAligned: [true, true, false]).text
  }

  var attributeNames: [String] { ["ids", "tokens", "text"] }

  func attribute(_ attribute: String) throws -> Value? {
    switch attribute {
    case "ids": .integers(ids)
    case "tokens": .texts(ids.map { tokenizer.visible($0) })
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
