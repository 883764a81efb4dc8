import Synchronization
import Tensors
import TestSupport
import Testing
import TileEmulator

extension Instructions {
  /// Those that this CPU has.
  static let available = Array(allCases[...(allCases.firstIndex(of: best) ?? 0)])
}

/// The product with transposed weights by its definition, added in double precision.
private func definition(_ x: Tensor, _ weight: Tensor) -> Tensor {
  let (m, k, n) = (x.shape[0], x.shape[1], weight.shape[0])
  var result: [Float] = []
  x.elements.withUnsafeBufferPointer { x in
    weight.elements.withUnsafeBufferPointer { w in
      for i in 0..<m {
        for j in 0..<n {
          var sum = 0.0
          for c in 0..<k { sum += Double(x[i * k + c]) * Double(w[j * k + c]) }
          result.append(Float(sum))
        }
      }
    }
  }
  return Tensor(result, shape: [m, n])
}

/// Weights in `type` that start at an odd place, as in a mapped file, and what they stand for.
private func stored(_ tensor: Tensor, as type: ElementType) -> (StoredTensor, exact: Tensor) {
  var bytes: [UInt8] = [0]
  for number in tensor.elements {
    switch type {
    case .float32: withUnsafeBytes(of: number) { bytes += $0 }
    case .float16: withUnsafeBytes(of: Float16(number)) { bytes += $0 }
    case .bfloat16: withUnsafeBytes(of: number) { bytes += $0[2..<4] }
    }
  }
  let owner = Bytes(bytes)
  let weight = StoredTensor(
    shape: tensor.shape, type: type, start: UnsafeRawPointer(owner.start) + 1, owner: owner)
  return (weight, weight.tensor)
}

/// Exactly these bytes, so that reading past their end can be noticed.
private final class Bytes: Sendable {
  nonisolated(unsafe) let start: UnsafeMutableRawPointer
  init(_ bytes: [UInt8]) {
    start = .allocate(byteCount: bytes.count, alignment: 64)
    start.copyMemory(from: bytes, byteCount: bytes.count)
  }
  deinit { start.deallocate() }
}

@Suite struct StoredProductsTests {
  /// Rows, columns and outputs: whole tiles, ragged ones, several segments, several chunks.
  static let sizes = [
    (1, 1, 1), (1, 1601, 5), (2, 31, 3), (5, 32, 4), (6, 33, 64), (7, 64, 65), (12, 15, 130),
    (13, 1537, 9), (8, 3100, 66), (20, 96, 67), (70, 40, 40),
  ]

  @Test(arguments: Instructions.available, sizes)
  func productsFollowTheDefinition(_ instructions: Instructions, _ size: (Int, Int, Int)) {
    let (m, k, n) = size
    var noise = SmallNoise(seed: UInt64(m * 1000 + n))
    let (x, w) = (noise.tensor([m, k]), noise.tensor([n, k]))
    let bias = noise.tensor([n])
    for type in ElementType.allCases {
      let (weight, exact) = stored(w, as: type)
      let expected = definition(x, exact) + bias
      let expectedRounded = definition(x.roundedToBFloat16(), exact.roundedToBFloat16())
      Instructions.$current.withValue(instructions) {
        let found = x.matmulTransposed(weight, bias: bias)
        expectClose(found, to: expected, within: 1e-6, "\(type) by \(instructions)")
        let rounded = x.matmulTransposed(weight.computing(in: .bfloat16))
        expectClose(
          rounded, to: expectedRounded, within: 1e-6, "\(type) in bfloat16 by \(instructions)")
      }
    }
  }

  @Test(arguments: Instructions.available, Arithmetic.allCases.filter { $0 != .float64 })
  func aRowHasTheSameBitsWhateverIsComputedWithIt(
    _ instructions: Instructions, _ arithmetic: Arithmetic
  ) {
    var noise = SmallNoise(seed: 77)
    // So many that weights of every type are made bfloat16 once for all, where they are for some.
    let x = noise.tensor([97, 1630])
    for type in ElementType.allCases {
      let weight = stored(noise.tensor([71, 1630]), as: type).0.computing(in: arithmetic)
      Instructions.$current.withValue(instructions) {
        let all = x.matmulTransposed(weight)
        for range in [0..<1, 3..<5, 7..<19, 40..<67, 96..<97, 1..<97] {
          #expect(x.rows(range).matmulTransposed(weight) == all.rows(range), "\(type) \(range)")
        }
        for threads in [1, 2, 3, 16] {
          let found = Parallelism.$threadCount.withValue(threads) { x.matmulTransposed(weight) }
          #expect(found == all, "\(type) on \(threads) threads")
        }
      }
    }
  }

  @Test(arguments: Instructions.available.filter { $0 != .amx }, [1, 7, 97])
  func weightsGiveTheBitsOfThoseConvertedBefore(_ instructions: Instructions, _ rows: Int) {
    var noise = SmallNoise(seed: 31)
    let (x, w) = (noise.tensor([rows, 1630]), noise.tensor([71, 1630]))
    Instructions.$current.withValue(instructions) {
      for type in [ElementType.float16, .float32] {
        let weight = stored(w, as: type).0
        let converted = weight.converted(to: .bfloat16)
        #expect(
          x.matmulTransposed(weight.computing(in: .bfloat16))
            == x.matmulTransposed(converted.computing(in: .bfloat16)), "\(type)")
      }
    }
  }

  @Test(arguments: Instructions.available)
  func anActivationInTheProductChangesNoBit(_ instructions: Instructions) {
    var noise = SmallNoise(seed: 12)
    let (x, bias) = (noise.tensor([9, 100]), noise.tensor([77]))
    let weight = StoredTensor(noise.tensor([77, 100]))
    Instructions.$current.withValue(instructions) {
      let plain = x.matmulTransposed(weight, bias: bias)
      #expect(x.matmulTransposed(weight, bias: bias, activation: .gelu) == plain.gelu())
      #expect(x.matmulTransposed(weight, bias: bias, activation: .relu) == plain.relu())
    }
  }

  @Test(arguments: Instructions.available, [(1, 40), (8, 40), (8, 37)])
  func numbersThatAreNotFiniteStayInTheirRowAndColumn(
    _ instructions: Instructions, _ size: (Int, Int)
  ) {
    let (m, k) = size
    var rows = [Float](repeating: 1, count: m * k)
    rows[k - 1] = .infinity
    var columns = [Float](repeating: 1, count: 6 * k)
    columns[2 * k - 1] = .nan
    columns[3 * k - 1] = -1
    for type in ElementType.allCases {
      for arithmetic in [Arithmetic.float32, .bfloat16] {
        let weight = stored(Tensor(columns, shape: [6, k]), as: type).0
        let found = Instructions.$current.withValue(instructions) {
          Tensor(rows, shape: [m, k]).matmulTransposed(weight.computing(in: arithmetic))
        }
        let first = found.row(0).elements
        #expect(first[0] == .infinity && first[1].isNaN && first[2] == -.infinity)
        for row in 1..<m {
          let other = found.row(row).elements
          #expect(other[1].isNaN && other[0] == Float(k) && other[2] == Float(k - 2))
        }
      }
    }
  }

  @Test(arguments: Instructions.available) func subnormalWeightsCount(_ instructions: Instructions)
  {
    // As float32 and float16 they are exact; of bfloat16 products the instructions make zero.
    let tiny = Float(bitPattern: 1 << 20)
    let x = Tensor(repeating: 1, shape: [2, 64])
    let expected = Tensor(repeating: 64 * tiny, shape: [2, 3])
    Instructions.$current.withValue(instructions) {
      let float32 = x.matmulTransposed(StoredTensor(Tensor(repeating: tiny, shape: [3, 64])))
      #expect(float32 == expected)
      let half = stored(Tensor(repeating: 3e-7, shape: [3, 64]), as: .float16)
      #expect(
        x.matmulTransposed(half.0) == Tensor(repeating: 64 * half.exact[0, 0], shape: [2, 3]))
      let small = stored(Tensor(repeating: tiny, shape: [3, 64]), as: .bfloat16).0
      let rounded = x.matmulTransposed(small.computing(in: .bfloat16))
      #expect(rounded == expected || rounded == expected * 0)
    }
  }

  @Test func noColumnsGiveTheBias() {
    let x = Tensor([], shape: [2, 0])
    let weight = StoredTensor(Tensor([], shape: [3, 0]))
    let bias = Tensor([1, 2, 3], shape: [3])
    #expect(x.matmulTransposed(weight, bias: bias).elements == [1, 2, 3, 1, 2, 3])
  }
}

/// Tiles, on processors that can do all else that they need.
@Suite(.enabled(if: Instructions.best == .avx512BFloat16)) struct EmulatedTileTests {
  /// In a process of its own, for it changes what an illegal instruction does.
  @Test func tilesMultiplyAsTheOtherInstructionsDo() async {
    await #expect(processExitsWith: .success) {
      try #require(emulate_tiles() == 1)
      let tests = StoredProductsTests()
      for size in StoredProductsTests.sizes { tests.productsFollowTheDefinition(.amx, size) }
      for arithmetic in [Arithmetic.float32, .bfloat16] {
        tests.aRowHasTheSameBitsWhateverIsComputedWithIt(.amx, arithmetic)
      }
      tests.anActivationInTheProductChangesNoBit(.amx)
      for size in [(1, 40), (8, 40), (8, 37)] {
        tests.numbersThatAreNotFiniteStayInTheirRowAndColumn(.amx, size)
      }
      tests.subnormalWeightsCount(.amx)
      #expect(emulated_products() > 10_000)
    }
  }
}

/// A number that several threads add to.
private final class Sum: Sendable {
  let total = Mutex(0)
}

@Suite struct ParallelismTests {
  @Test(arguments: [1, 2, 3, 8, 300]) func everyIndexIsVisitedOnce(threads: Int) {
    Parallelism.$threadCount.withValue(threads) {
      for count in [0, 1, 2, 7, 1000] {
        let visits = Mutex([Int](repeating: 0, count: count))
        Parallelism.forEach(count) { index in visits.withLock { $0[index] += 1 } }
        #expect(visits.withLock { $0 } == [Int](repeating: 1, count: count))
      }
    }
  }

  @Test func loopsInsideLoopsAndBesideEachOtherFinish() async {
    let sum = Sum()
    await withTaskGroup { group in
      for _ in 0..<6 {
        group.addTask {
          for _ in 0..<300 {
            Parallelism.$threadCount.withValue(4) {
              Parallelism.forEach(5) { _ in
                Parallelism.forEach(3) { inner in sum.total.withLock { $0 += inner } }
              }
            }
          }
        }
      }
    }
    #expect(sum.total.withLock { $0 } == 6 * 300 * 5 * 3)
  }
}
