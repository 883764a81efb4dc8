internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension CLIP.Model {
  /// The token ids of a run's text.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions.
  func ids(of input: Input) throws -> [Int] {
    guard let ids = input.tokenIDs else { return try textIDs(input.prompt) }
    let (rows, positions) = (
      configuration.text.vocabularySize, configuration.text.positionCount
    )
    if let id = ids.first(where: { $0 < 0 || $0 >= rows }) {
      throw ModelError.badTokenIDs(found: "hold \(id)", expected: "0 to \(rows - 1)")
    }
    guard (1...positions).contains(ids.count) else {
      throw ModelError.badTokenIDs(
        found: "of the text are \(ids.count)", expected: "1 to \(positions)")
    }
    return ids
  }

  /// What an index stands for: a patch by row and column, a word of the text.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    guard [.token, .query, .key].contains(axis) else { return nil }
    switch address.parts.first {
    case "picture", "vision": return pictureToken(index, at: address)
    case "text":
      guard let ids = try? ids(of: input), ids.indices.contains(index) else { return nil }
      return tokenizer.token(ids[index]).map { "token \(index) '\($0)'" }
    default: return nil
    }
  }
}
