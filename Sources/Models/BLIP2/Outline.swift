internal import Layers
internal import Tensors
internal import Tokenizers
public import Tracing

extension BLIP2.Model {
  /// What `pass` is going to pass.
  public func outline(_ input: Input) throws -> Outline {
    var outline = outlinePicture(vision)
    vision.outlineEncoding(into: &outline)
    qformer.outlineQuery(imageRows: patches.tokenCount, into: &outline)
    guard let writer else { return outline }
    let queries = configuration.queryCount
    writer.projection.outline(rows: queries, into: &outline)
    let ids = try ids(of: input)
    let count = configuration.imageTokenID == nil ? queries + ids.count : ids.count
    let width = writer.decoder.shape.width
    outline.pass([ids.count, width], Linear.output, at: Address("language.tokens"))
    outline.pass([count, width], Self.sequence, at: Address("language.sequence"))
    writer.decoder.outline(rows: count, into: &outline)
    return outline
  }

  /// What `match` is going to pass, a place of each text's pass as often as there are texts.
  public func matchingOutline(texts: [String]) throws -> Outline {
    guard let matcher else { return Outline() }
    var outline = outlinePicture(vision)
    vision.outlineEncoding(into: &outline)
    let (image, queries) = (patches.tokenCount, configuration.queryCount)
    qformer.outlineQuery(imageRows: image, into: &outline)
    matcher.imageProjection.outline(rows: queries, into: &outline)
    let longest = texts.map { tokenizer.encode($0, addSpecialTokens: true).count }.max() ?? 0
    for _ in texts {
      qformer.outlineText(
        queryCount: queries, textRows: longest, imageRows: image, into: &outline)
      matcher.matchHead.outline(rows: queries, into: &outline)
      qformer.outlineText(queryCount: 0, textRows: longest, imageRows: nil, into: &outline)
      matcher.textProjection.outline(rows: 1, into: &outline)
    }
    return outline
  }
}

extension BLIP2.QFormer {
  /// The queries are going to look at so many tokens of a picture.
  fileprivate func outlineQuery(imageRows: Int, into outline: inout Outline) {
    let count = queries.shape[0]
    norm.outline(rows: count, into: &outline)
    for block in blocks {
      block.outline(queryCount: count, textRows: 0, imageRows: imageRows, into: &outline)
    }
  }

  /// A text is going to be read, alone or with queries that look at a picture.
  fileprivate func outlineText(
    queryCount: Int, textRows: Int, imageRows: Int?, into outline: inout Outline
  ) {
    for table in ["words", "positions"] {
      outline.pass(
        [textRows, configuration.width], Linear.output, at: Address("qformer.text") / table)
    }
    let count = queryCount + textRows
    outline.pass([count, configuration.width], Self.text, at: Address("qformer.text"))
    norm.outline(rows: count, into: &outline)
    for block in blocks {
      block.outline(
        queryCount: queryCount, textRows: textRows, imageRows: imageRows, into: &outline)
    }
  }
}

extension BLIP2.QFormerBlock {
  fileprivate func outline(
    queryCount: Int, textRows: Int, imageRows: Int?, into outline: inout Outline
  ) {
    let count = queryCount + textRows
    attention.outline(rows: count, into: &outline)
    attentionNorm.outline(rows: count, into: &outline)
    if queryCount > 0 {
      if let imageRows, let crossAttention, let crossAttentionNorm {
        crossAttention.outline(rows: queryCount, sourceRows: imageRows, into: &outline)
        crossAttentionNorm.outline(rows: queryCount, into: &outline)
      }
      queryMLP.outline(rows: queryCount, into: &outline)
      queryNorm.outline(rows: queryCount, into: &outline)
    }
    if textRows > 0, let textMLP, let textNorm {
      textMLP.outline(rows: textRows, into: &outline)
      textNorm.outline(rows: textRows, into: &outline)
    }
    outline.pass([count, queryMLP.down.weight.shape[0]], Self.output, at: address)
  }
}
