import Figures
import Images
import Tensors
import Testing

@Suite struct GraphTests {
  @Test(.timeLimit(.minutes(1))) func aGraphOfTwoThousandNodesIsCapped() throws {
    let nodes = (0..<2000).map { StageNode("stage \($0)") }
    let picks = Gallery.noise([20_000])
    let edges = (0..<10_000).map { index in
      GraphEdge(
        from: Int(picks.elements[2 * index] * 1999), to: Int(picks.elements[2 * index + 1] * 1999),
        weight: Double(picks.elements[index]))
    }
    let figure = try Figure.stageGraph(nodes, edges: edges, title: "Large")
    #expect(!figure.svg().isEmpty)
    let caption = figure.caption
    #expect(caption.contains("1982 later stages are hidden"))
    #expect(caption.contains("connections are hidden"))
  }

  @Test(.timeLimit(.minutes(1))) func aDensePatternKeepsItsStrongestConnections() throws {
    let pattern = Gallery.attention([300, 300])
    let names = (0..<300).map { AttentionNode("\($0)") }
    let figure = try Figure.attentionGraph(
      pattern, title: "Dense", queries: names, keys: names, edgeLimit: 200)
    #expect(figure.caption.contains("89,800 are hidden"))
  }

  @Test func queriesAndKeysStandInTheirOrderAndOnOnePage() throws {
    let pattern = Gallery.noise([120, 90], seed: 4)
    let image = Gallery.picture(20, 20)
    func nodes(_ count: Int, _ name: String) -> [AttentionNode] {
      (0..<count).map { AttentionNode("\(name)\($0)", picture: image) }
    }
    let figure = try Figure.attentionGraph(
      pattern, title: "Many", queries: nodes(120, "q"), keys: nodes(90, "k"), edgeLimit: 200)
    for letter in ["q", "k"] {
      let places = figure.marks.compactMap { mark -> (number: Int, y: Double)? in
        guard case .text(let text) = mark, text.characters.hasPrefix(letter),
          let number = Int(text.characters.dropFirst())
        else { return nil }
        return (number, text.place.y)
      }.sorted { $0.number < $1.number }
      #expect(places.count > 20)
      #expect(zip(places, places.dropFirst()).allSatisfy { $0.y < $1.y }, "\(letter)")
    }
    // 3,600 pixels at two to a point.
    #expect(figure.height <= 1800)
  }

  @Test func everyStageOfAChainStandsBelowTheOneBefore() throws {
    let names = ["first", "second", "third"]
    let figure = try Figure.stageGraph(
      names.map { StageNode($0) },
      edges: [GraphEdge(from: 0, to: 1), GraphEdge(from: 1, to: 2)], title: "Chain")
    let heights = names.compactMap { name in
      figure.marks.compactMap { mark -> Double? in
        if case .text(let text) = mark, text.characters == name { return text.place.y }
        return nil
      }.first
    }
    #expect(heights.count == 3 && heights == heights.sorted() && Set(heights).count == 3)
  }
}
