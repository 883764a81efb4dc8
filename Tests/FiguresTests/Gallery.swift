import Figures
import Foundation
import Images
import Tensors

/// One figure of every kind, from made-up numbers that never change.
enum Gallery {
  /// Numbers from 0 to 1 in a fixed order that looks like chance.
  static func noise(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    return Tensor(
      (0..<shape.reduce(1, *)).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Float(state >> 40) / Float(1 << 24)
      }, shape: shape)
  }

  /// Rows that sum to 1, most of each in a few places.
  static func attention(_ shape: [Int], seed: UInt64 = 1) -> Tensor {
    (noise(shape, seed: seed) * 7).softmax()
  }

  /// A red disc and a blue square on a slope of grey.
  static func picture(_ width: Int, _ height: Int) -> Image {
    var image = Image(width: width, height: height, filledWith: .init(red: 0, green: 0, blue: 0))
    let side = Double(min(width, height))
    for y in 0..<height {
      for x in 0..<width {
        let (dx, dy) = (Double(x) - side * 0.35, Double(y) - side * 0.4)
        if dx * dx + dy * dy < side * side * 0.05 {
          image[x, y] = .init(red: 214, green: 60, blue: 45)
        } else if abs(Double(x) - Double(width) * 0.7) < side * 0.16,
          abs(Double(y) - Double(height) * 0.65) < side * 0.16
        {
          image[x, y] = .init(red: 45, green: 90, blue: 200)
        } else {
          let shade = UInt8(150 + 80 * (x + y) / (width + height))
          image[x, y] = .init(red: shade, green: shade, blue: shade)
        }
      }
    }
    return image
  }

  static let words = [
    "Question", ":", " What", " colour", " is", " the", " disc", "?", " Answer", ":", " red", "\n",
  ]

  /// Every kind of figure with a file name.
  static func figures() throws -> [(name: String, figure: Figure)] {
    var result: [(String, Figure)] = []
    var options = HeatmapOptions()
    (options.rowAxis, options.columnAxis) = ("query", "key")
    options.valueName = "attention probability"
    result.append(
      (
        "heatmap-small",
        try .heatmap(
          attention([12, 12]), title: "Self-attention, layer 3, head 1", rowLabels: words,
          columnLabels: words, options: options)
      ))
    options.isCausal = true
    options.rowSeparators = [32]
    options.columnSeparators = [32]
    result.append(
      (
        "heatmap-causal",
        try .heatmap(
          attention([50, 50]), title: "Causal self-attention, layer 0, mean of heads",
          rowLabels: (0..<32).map { "q\($0)" } + words + words.prefix(6),
          columnLabels: (0..<32).map { "q\($0)" } + words + words.prefix(6), options: options)
      ))
    var bad = noise([6, 9]).elements
    bad[10] = .nan
    bad[30] = .nan
    bad[31] = .infinity
    result.append(
      ("heatmap-nan", try .heatmap(Tensor(bad, shape: [6, 9]), title: "With bad values")))
    result.append(
      (
        "heatmap-large",
        try .heatmap(noise([577, 1408]), title: "A matrix of 577 × 1408")
      ))
    result.append(
      (
        "embeddings",
        try .embeddingMap(noise([32, 96]) + Tensor(-0.5), title: "Query embeddings")
      ))
    result.append(("row", try .heatmap(noise([1, 300]), title: "One row")))
    for (width, height) in [(640, 427), (48, 48), (300, 900)] {
      let image = picture(width, height)
      let backdrop = Backdrop(
        image,
        patches: Rectangle.evenGrid(rows: 14, columns: 14, overWidth: width, height: height))
      var over = OverlayOptions()
      over.valueName = "attention probability"
      let map = attention([1, 196], seed: 5).reshaped(14, 14)
      result.append(
        (
          "overlay-\(width)",
          try .overlay(
            map, over: backdrop, title: "Query 3 looks here, block 10", options: over)
        ))
      result.append(
        (
          "patches-\(width)",
          try .patchGrid(backdrop, title: "14 × 14 patches", highlighted: [17, 120])
        ))
    }
    let cropped = Rectangle.evenGrid(rows: 7, columns: 7, overWidth: 427, height: 427)
      .map { Rectangle(x: $0.x + 106, y: $0.y, width: $0.width, height: $0.height) }
    result.append(
      (
        "overlay-cropped",
        try .overlay(
          noise([7, 7]), over: Backdrop(picture(640, 427), patches: cropped),
          title: "After a centre crop")
      ))
    result += try panels() + charts() + graphs()
    return result
  }

  private static func panels() throws -> [(String, Figure)] {
    var options = PanelOptions()
    options.valueName = "attention probability"
    var shared = options
    shared.sharing = .all
    let image = picture(640, 427)
    let backdrop = Backdrop(
      image, patches: Rectangle.evenGrid(rows: 14, columns: 14, overWidth: 640, height: 427))
    let positions = noise([49, 6], seed: 3)
    return [
      (
        "sheet-patterns",
        try .contactSheet(
          attention([6, 8, 50, 50]), title: "Attention patterns, blocks × heads", options: shared)
      ),
      (
        "sheet-own",
        try .contactSheet(attention([12, 12, 14, 14]), title: "Each on its own", options: options)
      ),
      (
        "sheet-picture",
        try .contactSheet(
          attention([3, 4, 196]).reshaped(3, 4, 14, 14), over: backdrop, title: "On the picture",
          options: options)
      ),
      (
        "queries",
        try .mapPanels(
          attention([32, 196]).reshaped(32, 14, 14), title: "Where 32 queries look",
          options: shared)
      ),
      (
        "queries-picture",
        try .mapPanels(
          attention([8, 196]).reshaped(8, 14, 14), over: backdrop,
          title: "Where 8 queries look", labels: (0..<8).map { "query \($0)" },
          notes: (0..<8).map { "disc \($0 * 10) %" }, columns: 4, options: options)
      ),
      (
        "similarity",
        try .similarityMaps(
          positions.matmulTransposed(positions), rows: 7, columns: 7,
          title: "Similarity of position embeddings")
      ),
    ]
  }

  private static func charts() throws -> [(String, Figure)] {
    let steps = words.enumerated().map { index, word in
      let first = Double(noise([1], seed: UInt64(index + 9)).elements[0])
      return TokenStep(
        .init(word, probability: first),
        runnersUp: [
          .init(" circle", probability: (1 - first) * 0.6),
          .init("incomprehensibilities", probability: (1 - first) * 0.2),
          .init("圆", probability: (1 - first) * 0.1),
        ])
    }
    let bell = Tensor(
      (0..<5000).map { i in noise([12], seed: UInt64(i + 1)).elements.reduce(-6, +) } + [.nan],
      shape: [5001])
    return [
      ("tokens", try .tokenStrip(steps, title: "What the model wrote")),
      ("histogram", try .histogram(bell, title: "Weights", valueName: "weight")),
      (
        "bars",
        try .bars(
          [0.7, 0.2, 0.05, -0.1, .nan], labels: [" red", " blue", "绿色", " שלום", "none"],
          title: "Next token", valueName: "logit")
      ),
      (
        "errors",
        try .errors(
          [
            .init("vision.embedding", accumulated: 7.2e-7, own: 7.2e-7, floor: 1.8e-7),
            .init(
              "vision.blocks.0", accumulated: 3.1e-3, own: 3e-3, floor: 3e-7, remark: "bug"),
            .init("vision.blocks.1", accumulated: 4e-3, own: 0, floor: 2.5e-7),
            .init("字", accumulated: .infinity, own: .nan, floor: nil, remark: "bug"),
          ], title: "Two runs")
      ),
      (
        "lines",
        try .lines(
          [.init("entropy", [3, 2.5, 2, 2.2, 1.1]), .init("norm", [1, 1.5, .nan, 2.4, 3])],
          title: "By layer", xName: "layer", yName: "value")
      ),
      (
        "answers",
        try .answers(
          [
            AnswerPanel("float32", text: "a disc", measures: [("encode", 0), ("decode", 0)]),
            AnswerPanel(
              "int4", text: "<ref>圆</ref><box>(300,300),(600,600)</box>",
              outlines: [
                Outline(
                  [
                    Point(x: 20, y: 20), Point(x: 60, y: 20), Point(x: 60, y: 60),
                    Point(x: 20, y: 60),
                  ], label: "圆",
                  colour: Outline.palette[0])
              ], measures: [("encode", 0.002), ("decode", .infinity)]),
          ], on: picture(120, 80), title: "Two precisions", measure: "drift")
      ),
    ]
  }

  private static func graphs() throws -> [(String, Figure)] {
    let names = [
      "picture", "patchify", "embed", "encode", "query", "project", "assemble", "decode",
    ]
    var nodes = names.enumerated().map { index, name in
      StageNode(
        name, shape: "[\(197 - index), 768]",
        sentence: "Says in one sentence what happens to the tensor on its way through \(name).")
    }
    nodes.append(StageNode("tokenize", shape: "[T]", sentence: "Text to ids."))
    let edges = (0..<7).map { GraphEdge(from: $0, to: $0 + 1) } + [GraphEdge(from: 8, to: 6)]
    let image = picture(320, 320)
    let thumbnails = (0..<16).map {
      image.cropped(x: $0 % 4 * 80, y: $0 / 4 * 80, width: 80, height: 80)
    }
    return [
      ("stages", try .stageGraph(nodes, edges: edges, title: "Stages of a model")),
      (
        "attention-graph",
        try .attentionGraph(
          attention([12, 16]), title: "Strongest attention",
          queries: words.map { AttentionNode($0) },
          keys: thumbnails.enumerated().map { AttentionNode("\($0.offset)", picture: $0.element) },
          edgeLimit: 24)
      ),
    ]
  }
}
