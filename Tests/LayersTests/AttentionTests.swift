import Checkpoints
import Layers
import Tensors
import TestSupport
import Testing
import Tracing

/// What must be the same however an attention layer or a block is computed.
@Suite struct AttentionTests {
  private static let width = 12
  private static let place = Address("block")

  /// Weights of one block, with queries, keys and values as three layers and as one.
  private func weights(_ folder: TemporaryFolder) throws -> TensorCollection {
    var noise = SmallNoise(seed: 8)
    let width = Self.width
    var tensors: [(name: String, tensor: Tensor)] = []
    func add(_ name: String, _ shape: [Int]) {
      tensors.append(
        (name, Tensor((0..<shape.reduce(1, *)).map { _ in noise.next() }, shape: shape)))
    }
    for name in ["query", "key", "value", "output_projection"] {
      add("block.attention.\(name).weight", [width, width])
      add("block.attention.\(name).bias", [width])
    }
    for name in ["norm1", "norm2"] {
      for kind in ["weight", "bias"] { add("block.\(name).\(kind)", [width]) }
    }
    for (name, shape) in [("up", [20, width]), ("down", [width, 20])] {
      add("block.mlp.\(name).weight", shape)
      add("block.mlp.\(name).bias", [shape[0]])
    }
    for kind in ["weight", "bias"] {
      let parts = ["query", "key", "value"].compactMap { name in
        tensors.first { $0.name == "block.attention.\(name).\(kind)" }?.tensor
      }
      tensors.append(("block.attention.qkv.\(kind)", Tensor.concatenated(parts)))
    }
    let file = folder.file("block.safetensors")
    try Safetensors.write(tensors, to: file)
    return try TensorCollection(file)
  }

  private func block(
    _ tensors: TensorCollection, _ projections: Attention.Shape.Projections = .separate
  ) throws -> TransformerBlock {
    var reader = WeightReader(tensors, names: [:])
    var attention = Attention.Shape(width: Self.width, headCount: 3)
    attention.projections = projections
    return try TransformerBlock(
      from: &reader, at: Self.place,
      TransformerBlock.Shape(
        attention: attention,
        mlp: MLP.Shape(width: Self.width, hiddenWidth: 20, activation: .gelu), epsilon: 1e-6))
  }

  private func tokens(_ count: Int, seed: UInt64 = 3) -> Tensor {
    var noise = SmallNoise(seed: seed)
    return Tensor((0..<count * Self.width).map { _ in noise.next() }, shape: [count, Self.width])
  }

  @Test func oneLayerForQueriesKeysAndValuesIsAsGoodAsThree() throws {
    let folder = try TemporaryFolder()
    let tensors = try weights(folder)
    var trace = Trace.nothing
    let separate = try block(tensors)(tokens(7), trace: &trace)
    let fused = try block(tensors, .fused)(tokens(7), trace: &trace)
    #expect(separate == fused)
  }

  @Test func readingTokenByTokenIsReadingAllAtOnce() throws {
    let folder = try TemporaryFolder()
    let block = try block(try weights(folder))
    let tokens = tokens(6)
    var trace = Trace.nothing
    var none: KeyValues?
    let whole = block(
      tokens, mask: Attention.causalMask(queryCount: 6, tokenCount: 6), cache: &none, trace: &trace)
    for split in [[6], [1, 1, 1, 1, 1, 1], [4, 2], [1, 5]] {
      var cache: KeyValues? = block.attention.emptyCache
      var (parts, first) = ([Tensor](), 0)
      for count in split {
        let mask = Attention.causalMask(queryCount: count, tokenCount: first + count)
        parts.append(
          block(tokens.rows(first..<first + count), mask: mask, cache: &cache, trace: &trace))
        first += count
      }
      #expect(cache?.tokenCount == 6)
      expectClose(Tensor.concatenated(parts), to: whole, within: 2e-6, "\(split)")
    }
  }

  @Test func lookingChangesNothingAndEveryRowSumsToOne() throws {
    let folder = try TemporaryFolder()
    let block = try block(try weights(folder))
    var (nothing, everything) = (Trace.nothing, Trace.everything)
    #expect(block(tokens(5), trace: &nothing) == block(tokens(5), trace: &everything))
    let pattern = try #require(everything[Self.place / "attention" / "pattern"])
    #expect(pattern.shape == [3, 5, 5])
    for head in 0..<3 {
      for query in 0..<5 {
        let sum = pattern.row(head).row(query).elements.reduce(0, +)
        #expect(abs(sum - 1) < 1e-6)
      }
    }
  }

  @Test func aMaskedKeyIsNotLookedAt() throws {
    let folder = try TemporaryFolder()
    let block = try block(try weights(folder))
    var trace = Trace.nothing
    var none: KeyValues?
    let mask = Attention.causalMask(queryCount: 4, tokenCount: 4)
    let first = block(tokens(4), mask: mask, cache: &none, trace: &trace)
    // Another last token: nothing before it changes.
    let other = Tensor.concatenated([tokens(4).rows(0..<3), tokens(1, seed: 9)])
    let second = block(other, mask: mask, cache: &none, trace: &trace)
    #expect(first.rows(0..<3) == second.rows(0..<3))
    #expect(first.rows(3..<4) != second.rows(3..<4))
  }
}
