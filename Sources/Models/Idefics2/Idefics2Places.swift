internal import Tokenizers
public import Tracing

extension Idefics2.Model {
  /// What an index stands for: a patch by row and column, a query, a picture's row, a word.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key: break
    default: return nil
    }
    let (view, place) = address.picture
    let parts = place.parts
    switch parts.first {
    case "picture", "vision", "projection":
      return pictureToken(index, at: address, of: input)
    case "resampler":
      let hasKeys =
        axis == .key || ["keys", "values"].contains(parts.last)
        || ["key", "value"].contains(parts.dropLast().last)
      guard hasKeys || parts.contains("context_norm") else { return "query \(index)" }
      let count = ((try? patches(of: input, at: view)) ?? patches).tokenCount
      return index < count
        ? pictureToken(index, at: address, of: input) : "query \(index - count)"
    case "language" where parts.contains("head"): return "last token"
    case "language": return word(index, input)
    default: return nil
    }
  }

  private func word(_ index: Int, _ input: Input) -> String? {
    guard let ids = try? ids(of: input), ids.indices.contains(index) else { return nil }
    if ids[index] == configuration.imageToken {
      let row = ids[..<index].count { $0 == configuration.imageToken }
      let count = perceiver.shape.latentCount
      let view = row / count
      guard let found = views(of: input).dropFirst(view).first else { return nil }
      return "picture \(found.pictureIndex + 1), "
        + (viewCount > 1 ? "\(PictureView.name(of: found.number)), " : "") + "row \(row % count)"
    }
    return tokenizer.token(ids[index]).map { "token \(index) '\($0)'" }
  }
}

extension PictureView {
  /// What the views of a picture that is split are called, in order.
  public static func name(of number: Int) -> String {
    let names = ["top left", "top right", "bottom left", "bottom right", "the whole"]
    return names.indices.contains(number) ? names[number] : "view \(number + 1)"
  }
}
