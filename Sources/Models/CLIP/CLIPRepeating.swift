internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension CLIP.Model: RepeatableModel {
  /// One pass of the picture into the shared space, and one of the text, where there is one.
  public func pass(_ inputs: RunInputs, trace: inout Trace) throws {
    try passPicture(inputs, trace: &trace)
    guard inputs.tokenIDs != nil || !inputs.prompt.isEmpty else { return }
    let ids = try ids(of: inputs)
    let read = try text.read(ids, count: inputs.attendedCount ?? ids.count, trace: &trace)
    _ = try projectText(read, ids: ids, trace: &trace)
  }

  /// What `pass` is going to pass.
  public func outline(_ inputs: RunInputs) throws -> Outline {
    var outline = outlinePicture(vision)
    vision.outlineEncoding(into: &outline)
    vision.norm.outline(rows: 1, into: &outline)
    imageProjection.outline(rows: 1, into: &outline)
    guard inputs.tokenIDs != nil || !inputs.prompt.isEmpty else { return outline }
    text.outline(rows: try ids(of: inputs).count, into: &outline)
    textProjection.outline(rows: 1, into: &outline)
    return outline
  }

  /// The token ids of a run's text.
  ///
  /// - Throws: where given ids are not of this model, or are more than it has positions.
  private func ids(of inputs: RunInputs) throws -> [Int] {
    guard let ids = inputs.tokenIDs else { return try textIDs(inputs.prompt) }
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

  /// The stage that a place belongs to.
  public func stage(of address: Address) -> String {
    switch address.part.description {
    case "vision.norm", "joint.image_projection": "project"
    case "joint.text_projection": "project_text"
    default: address.parts.first == "text" ? "read" : pictureStage(of: address)
    }
  }

  /// What an index stands for: a patch by row and column, a word of the text.
  public func name(
    of index: Int, on axis: Axis, at address: Address, inputs: RunInputs
  ) -> String? {
    guard [.token, .query, .key].contains(axis) else { return nil }
    switch address.parts.first {
    case "picture", "vision": return pictureToken(index, at: address)
    case "text":
      guard let ids = try? ids(of: inputs), ids.indices.contains(index) else { return nil }
      return tokenizer.token(ids[index]).map { "token \(index) '\($0)'" }
    default: return nil
    }
  }
}
