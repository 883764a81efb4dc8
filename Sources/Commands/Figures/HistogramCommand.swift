internal import Figures
internal import Runtime
internal import Tensors

extension Command {
  static let histogram = Command(
    "histogram", group: "Figures", "Draws how often each size of number occurs in a tensor.",
    Parameter.any("tensor", expects: "a tensor", "The numbers."),
    Parameter.integer("bins", in: 1...512, default: 48, "Equal parts of the range."),
    Parameter.text("title", default: "", "What stands above it."),
    returns: "a Figure",
    examples: [
      Example("save(histogram(preprocess(scene(7))), \"pixels.png\")", "How pixels are spread.")
    ], seeAlso: ["describe", "heatmap"]
  ) { _, value, bins, title in
    let tensor = try value.requireTensor("tensor", from: "encode")
    let name = title.isEmpty ? value.provenance?.title ?? "" : title
    return .object(
      Drawing(
        figure: try Figure.histogram(
          tensor, title: name.isEmpty ? "histogram" : name, binCount: bins)))
  }
}
