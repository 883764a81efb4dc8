internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension QwenVL.Model {
  /// What an index stands for: a patch by row and column, a query, a picture's row, a word.
  public func name(
    of index: Int, on axis: Axis, at address: Address, input: Input
  ) -> String? {
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key: break
    default: return nil
    }
    let place = address.picture.place
    let parts = place.parts
    switch parts.first {
    case "picture", "vision": return pictureToken(index, at: place)
    case "resampler":
      let isOfPicture =
        ["input", "input_norm"].contains(parts.dropFirst().first) || axis == .key
        || ["keys", "values"].contains(parts.last)
      return isOfPicture ? pictureToken(index, at: place) : "query \(index)"
    case "projection": return "query \(index)"
    case "language" where parts.contains("head"): return "last token"
    case "language": return word(index, input)
    default: return nil
    }
  }

  private func word(_ index: Int, _ input: Input) -> String? {
    guard let ids = try? ids(of: input), ids.indices.contains(index) else { return nil }
    if let (number, place) = places(of: ids).enumerated().first(where: { $0.element ~= index }) {
      return "picture \(number + 1), row \(index - place.lowerBound)"
    }
    return tokenizer.token(ids[index]).map { "token \(index) '\($0)'" }
  }
}
