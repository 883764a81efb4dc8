internal import Tensors
public import Tracing

// What each layer is going to pass to a trace, told from its sizes. Each function stands for the
// `callAsFunction` of the same layer, place by place; a test compares them.

extension Linear {
  /// `rows` rows are going to be mapped.
  public func outline(rows: Int, into outline: inout Outline) {
    outline.pass([rows, weight.shape[0]], Self.output, at: address, weight: weight)
  }
}

extension Norm {
  /// `rows` rows are going to be normalised.
  public func outline(rows: Int, into outline: inout Outline) {
    outline.pass([rows, scale.count], Self.output, at: address)
  }
}

extension MLP {
  /// `rows` rows are going to be mapped.
  public func outline(rows: Int, into outline: inout Outline) {
    let hidden = [rows, up.weight.shape[0]]
    (gate ?? up).outline(rows: rows, into: &outline)
    outline.pass(hidden, Self.activated, at: address)
    if gate != nil {
      up.outline(rows: rows, into: &outline)
      outline.pass(hidden, Self.gated, at: address)
    }
    down.outline(rows: rows, into: &outline)
    outline.pass([rows, down.weight.shape[0]], Self.output, at: address)
  }
}

extension Attention {
  /// `rows` tokens are going to look at `sourceRows`, or at themselves.
  public func outline(rows: Int, sourceRows: Int? = nil, into outline: inout Outline) {
    let source = sourceRows ?? rows
    switch projections {
    case .fused(let qkv): qkv.outline(rows: rows, into: &outline)
    case .separate(let query, let key, let value):
      query.outline(rows: rows, into: &outline)
      key.outline(rows: source, into: &outline)
      value.outline(rows: source, into: &outline)
    }
    let (heads, keyHeads) = (shape.headCount, shape.keyHeadCount)
    outline.pass([heads, rows, shape.headWidth], Self.queries, at: address)
    outline.pass([keyHeads, source, shape.headWidth], Self.keys, at: address)
    outline.pass([keyHeads, source, shape.headWidth], Self.values, at: address)
    outline.pass([heads, rows, source], Self.scores, at: address)
    outline.pass([heads, rows, source], Self.pattern, at: address)
    outline.pass([rows, shape.queryWidth], Self.mixed, at: address)
    outputProjection.outline(rows: rows, into: &outline)
    outline.pass([rows, shape.width], Self.output, at: address)
  }
}

extension TransformerBlock {
  /// `rows` tokens are going to go through.
  public func outline(rows: Int, into outline: inout Outline) {
    let width = mlp.down.weight.shape[0]
    norm1.outline(rows: rows, into: &outline)
    attention.outline(rows: rows, into: &outline)
    outline.pass([rows, width], Self.middle, at: address)
    norm2.outline(rows: rows, into: &outline)
    mlp.outline(rows: rows, into: &outline)
    outline.pass([rows, width], Self.output, at: address)
  }
}

extension VisionTransformer {
  /// A picture's patches are going to be embedded.
  public func outlineEmbedding(into outline: inout Outline) {
    let (tokens, embedding) = (sizes.tokenCount, Address("vision.embedding"))
    patch.outline(rows: tokens - 1, into: &outline)
    if sizes.hasFirstNorm {
      outline.pass([tokens, sizes.width], Linear.output, at: embedding / "positions")
    }
    outline.pass([tokens, sizes.width], Self.embedded, at: embedding)
    firstNorm?.outline(rows: tokens, into: &outline)
  }

  /// A picture's tokens are going to go through all blocks.
  public func outlineEncoding(into outline: inout Outline) {
    for block in blocks { block.outline(rows: sizes.tokenCount, into: &outline) }
    if !sizes.hasFirstNorm { norm.outline(rows: sizes.tokenCount, into: &outline) }
  }
}
