internal import Images
internal import Models
internal import Scenes
internal import Searching
internal import Tensors

/// Measures how a model puts pictures and texts in one space, on scenes that it has not seen.
///
/// Retrieval: among scenes of one to four objects, whose picture is nearest to a caption, and whose
/// caption to a picture. Counted are captions that are true of one scene alone. Zero-shot: scenes of
/// one object, told by the nearest of forty names.
struct SpaceEvaluation {
  private let model: any EmbeddingModel
  private let count: Int
  private let seed: UInt64

  init(_ model: any EmbeddingModel, count: Int, seed: UInt64) {
    (self.model, self.count, self.seed) = (model, count, seed)
  }

  func lines(progress: (Int) throws -> Void) throws -> [Evaluation.Line] {
    let usual = (0..<count).map { Scene(seed: seed &+ UInt64($0)) }
    // Far from the seeds above.
    let single = (0..<count).map {
      Scene(seed: seed &+ 50_000_000 &+ UInt64($0), population: .exactly(1...1))
    }
    let pictures = try embed(usual) { try progress($0) }
    let alone = try embed(single) { try progress(count + $0) }
    let captions = usual.map(\.caption)
    let unique = Dictionary(captions.map { ($0, 1) }, uniquingKeysWith: +)
    let counted = captions.indices.filter { unique[captions[$0]] == 1 }
    let likeness = try embed(captions).matmulTransposed(pictures)  // [texts, pictures]
    let names = SceneObject.Color.allCases.flatMap { color in
      SceneObject.Shape.allCases.map { "a \(color.rawValue) \($0.rawValue)" }
    }
    let told = alone.matmulTransposed(try embed(names)).argmax(axis: 1).elements
    let foundPicture = likeness.argmax(axis: 1).elements
    let foundText = likeness.transposed().argmax(axis: 1).elements
    func line(_ kind: String, _ asked: Int, _ right: Int, _ measure: String) -> Evaluation.Line {
      .init(
        kind: kind, count: asked, score: Double(right) / Double(max(1, asked)), measure: measure)
    }
    return [
      line(
        "zero-shot", count,
        single.indices.count { names[Int(told[$0])] == "a \(single[$0].objects[0].name)" },
        "of \(names.count) names"),
      line(
        "caption to picture", counted.count, counted.count { Int(foundPicture[$0]) == $0 },
        "first of \(count)"),
      line(
        "picture to caption", counted.count,
        counted.count { captions[Int(foundText[$0])] == captions[$0] }, "first of \(count)"),
    ]
  }

  private func embed(_ scenes: [Scene], progress: (Int) throws -> Void) throws -> Tensor {
    var rows: [Tensor] = []
    for first in stride(from: 0, to: scenes.count, by: 16) {
      let some = scenes[first..<min(scenes.count, first + 16)]
      rows.append(try model.embed(images: some.map { $0.painted().image }))
      try progress(first + some.count)
    }
    return Tensor.concatenated(rows).unitRows()
  }

  private func embed(_ texts: [String]) throws -> Tensor {
    try Tensor.concatenated(
      stride(from: 0, to: texts.count, by: 64).map { first in
        try model.embed(texts: Array(texts[first..<min(texts.count, first + 64)]))
      }
    ).unitRows()
  }
}
