internal import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2.Model {
  /// The token ids that a run reads, those that stand for the picture first.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions.
  public func ids(of input: Input) throws -> [Int] {
    guard let ids = input.tokenIDs else { return try promptIDs(words(of: input)) }
    let language = try writing("assemble").decoder.shape
    try language.checkRows(of: ids)
    let queries = configuration.queryCount
    if let token = configuration.imageTokenID {
      let found = ids.prefix { $0 == token }.count
      guard found == queries, !ids.dropFirst(queries).contains(token) else {
        throw ModelError.badTokenIDs(
          found: "begin with \(found) times \(token), the image token",
          expected: "\(queries) of them, one a query, and then the text")
      }
    }
    let count = configuration.imageTokenID == nil ? queries + ids.count : ids.count
    guard count <= language.positionCount else {
      throw ModelError.promptTooLong(tokens: count, limit: language.positionCount)
    }
    return ids
  }

  /// What an index stands for: a patch by row and column, a query, a word of the prompt.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key: break
    default: return nil
    }
    let parts = address.parts
    // In a block that looks at the picture, keys and values are the picture's tokens.
    let isOfPicture =
      parts.contains("cross_attention")
      && (axis == .key || ["keys", "values"].contains(parts.last)
        || [["key", "output"], ["value", "output"]].contains(Array(parts.suffix(2))))
    switch parts.first {
    case "picture", "vision": return pictureToken(index, at: address)
    case "qformer" where isOfPicture: return pictureToken(index, at: address)
    case "qformer", "projection": return "query \(index)"
    case "language": return parts.contains("head") ? "last token" : word(index, input)
    default: return nil
    }
  }

  private func word(_ index: Int, _ input: Input) -> String? {
    let queries = configuration.queryCount
    if index < queries { return "query \(index)" }
    let ids = (try? ids(of: input)) ?? []
    // Without image tokens the ids are those of the text alone.
    let place = index - (configuration.imageTokenID == nil ? queries : 0)
    guard ids.indices.contains(place) else { return nil }
    return tokenizer.token(ids[place]).map { "token \(index) '\($0)'" }
  }
}
