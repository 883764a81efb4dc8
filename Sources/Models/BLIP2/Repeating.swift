internal import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2.Model: RepeatableModel {
  /// One pass through all stages up to the next token's logits, without writing an answer.
  public func pass(_ inputs: RunInputs, trace: inout Trace) throws {
    let pixels = pass(pixels: try pixels(of: inputs), trace: &trace)
    let answered = try query(see(pixels: pixels, trace: &trace), trace: &trace)
    guard let writer else { return }
    let soft = try project(answered, trace: &trace)
    let sequence = try assemble(
      soft, ids: inputs.tokenIDs ?? promptIDs(inputs.prompt), trace: &trace)
    var state = writer.decoder.start
    _ = try writer.decoder.read(sequence, after: &state, trace: &trace)
  }

  /// The stage that a place belongs to.
  public func stage(of address: Address) -> String {
    let parts = address.parts
    switch parts.first {
    case "picture": return parts.dropFirst().first == "pixels" ? "preprocess" : "patchify"
    case "vision": return parts.dropFirst().first == "embedding" ? "embed" : "encode"
    case "qformer": return "query"
    case "projection": return "project"
    case "retrieval": return "match"
    default:
      let isAssembled = ["tokens", "sequence"].contains(parts.dropFirst().first)
      return isAssembled ? "assemble" : "decode"
    }
  }

  /// What an index stands for: a patch by row and column, a query, a word of the prompt.
  public func name(
    of index: Int, on axis: Axis, at address: Address, inputs: RunInputs
  ) -> String? {
    let text = address.description
    switch axis {
    case .vocabulary: return tokenizer.token(index).map { "'\($0)'" }
    case .token, .query, .key: break
    default: return nil
    }
    let looksAtPicture =
      axis == .key && text.contains("cross_attention")
      || axis == .token && text.contains("cross_attention") && !text.contains("query")
        && !text.contains("output") && !text.contains("mixed")
    switch address.parts.first {
    case "vision" where text.contains("embedding.patch"), "picture": return patch(index)
    case "vision": return index == 0 ? "class token" : patch(index - 1)
    case "qformer" where looksAtPicture: return index == 0 ? "class token" : patch(index - 1)
    case "qformer", "projection": return "query \(index)"
    case "language": return word(index, isHead: text.contains("head"), inputs)
    default: return nil
    }
  }

  private func patch(_ index: Int) -> String {
    let side = configuration.vision.gridSize
    return "patch \(index / side),\(index % side)"
  }

  private func word(_ index: Int, isHead: Bool, _ inputs: RunInputs) -> String? {
    if isHead { return "last token" }
    let queries = configuration.queryCount
    let ids = inputs.tokenIDs ?? (try? promptIDs(inputs.prompt)) ?? []
    // Without image tokens the ids are those of the text alone.
    let offset = configuration.imageTokenID == nil ? queries : 0
    if index < queries { return "query \(index)" }
    guard ids.indices.contains(index - offset) else { return nil }
    return tokenizer.token(ids[index - offset]).map { "token \(index) '\($0)'" }
  }
}
