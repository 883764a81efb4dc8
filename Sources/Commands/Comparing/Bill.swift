internal import Checkpoints
internal import Files
internal import Foundation
internal import Generation
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// What lower precisions save and cost, a part at a time.
struct Bill {
  /// One part in one precision.
  struct Item {
    let part: String
    let precision: Precision
    let savedByteCount: Int
    /// The first word that another stands for; nil where the answer is the same.
    let firstChange: String?
    /// The mean and the largest divergence of a next token's distribution, in nats.
    let divergence, worst: Double

    /// Nats a megabyte.
    var damage: Double { divergence / (Double(savedByteCount) / 1e6) }
  }

  let items: [Item]
  /// Parts in precisions that would take more memory than they do as stored.
  private let useless: [String]
  private let answer: String

  /// Tries every part in every precision; one converted part is in memory at a time.
  init(
    of loaded: LoadedModel, picture: Picture?, prompt: String, maxNewTokens: Int?,
    precisions: [Precision], in session: Session
  ) throws {
    let isCancelled = { @Sendable in session.isCancelled }
    // All weights as they are stored: mapped, not read.
    var folder = try loaded.checkpoint()
    // One mapping for all readings.
    folder = (try? folder.opened()) ?? folder
    let stored = try ModelLoad(folder)
    let model = try loaded.sized(stored.model)
    let reference = try Answered(
      model, picture, prompt, maxNewTokens: maxNewTokens, following: nil, isCancelled: isCancelled)
    answer = reference.text
    if reference.isBroken,
      let place = try model.brokenPlace(
        Input(image: picture?.image, prompt: prompt), isCancelled: isCancelled)
    {
      throw BrokenModel(command: "bill", model: "as stored, \(loaded.name)", place: place)
    }
    var items: [Item] = []
    var useless: [String] = []
    let total = stored.parts.count * precisions.count
    for (index, part) in stored.parts.enumerated() {
      for (number, precision) in precisions.enumerated() {
        session.report(
          Progress(
            "trying precisions", completed: index * precisions.count + number, total: total))
        let load = try ModelLoad.stoppable(
          folder, precisions: [part.name: precision], available: session.availableMemory
        ) { _, _ in !isCancelled() }
        let saved = part.byteCount - load.parts[index].byteCount
        guard saved > 0 else {
          if load.parts[index] != part { useless.append("\(part.name) in \(precision.rawValue)") }
          continue
        }
        let found = try Answered(
          loaded.sized(load.model), picture, prompt, maxNewTokens: maxNewTokens,
          following: reference.tokens, isCancelled: isCancelled)
        let divergences = reference.divergences(of: found)
        items.append(
          Item(
            part: part.name, precision: precision, savedByteCount: saved,
            firstChange: Self.change(from: reference.text, to: found.text),
            divergence: divergences.reduce(0, +) / Double(max(1, divergences.count)),
            worst: divergences.max() ?? 0))
      }
    }
    self.items = items.sorted { $0.damage < $1.damage }
    self.useless = useless
  }

  /// The first word that differs: `word 3: green → blue`.
  static func change(from old: String, to new: String) -> String? {
    let words = [old, new].map { $0.split(whereSeparator: \.isWhitespace).map(String.init) }
    let count = max(words[0].count, words[1].count)
    func word(_ list: [String], _ place: Int) -> String {
      list.indices.contains(place) ? list[place] : "the end"
    }
    return (0..<count).first { word(words[0], $0) != word(words[1], $0) }.map { place in
      "word \(place + 1): \(word(words[0], place)) → \(word(words[1], place))"
    }
  }

  var table: Table {
    var table = Table(
      [
        "part", "precision", "saved MB", "first changed word", "divergence", "worst",
        "nats a GB saved",
      ],
      items.map { item in
        [
          .text(item.part), .text(item.precision.rawValue),
          .float(Double(item.savedByteCount) / 1e6), .text(item.firstChange ?? "–"),
          .float(item.divergence), .float(item.worst), .float(item.damage * 1000),
        ]
      },
      note: (items.isEmpty && useless.isEmpty
        ? "nothing would be saved: all parts are stored so already, or smaller"
        : "as stored: \(Value.text(answer).represented)")
        + (useless.isEmpty
          ? ""
          : "\nnothing saved by \(useless.joined(separator: ", ")): tables that are used twice are "
            + "then kept twice"))
    table.importance = [
      "part", "precision", "saved MB", "first changed word", "divergence", "worst",
    ]
    table.facts = [("answer", .text(answer))]
    return table
  }
}

/// An answer, and the distributions that it was chosen from.
private struct Answered {
  let text: String
  let tokens: [Int]
  /// `[N, V]`: before softmax.
  let logits: Tensor

  /// - Parameter following: the tokens whose distributions are wanted; nil for the model's own.
  init(
    _ model: any FamilyModel, _ picture: Picture?, _ prompt: String, maxNewTokens: Int?,
    following: [Int]?, isCancelled: @escaping @Sendable () -> Bool
  ) throws {
    var trace = Trace.nothing
    trace.isCancelled = isCancelled
    if let writer = model.writing {
      let input = Input(image: picture?.image, prompt: prompt)
      let sequence = try writer.sequence(input, trace: &trace)
      var options = writer.defaultOptions
      if let maxNewTokens { options.maxNewTokens = maxNewTokens }
      options.candidateCount = 0
      let answer = try writer.write(
        after: sequence, promptIDs: try writer.promptIDs(prompt), options: options, trace: trace)
      (text, tokens) = (answer.text, answer.generated.tokens)
      // After the last token nothing is chosen.
      logits = try writer.logits(
        after: sequence, tokens: (following ?? tokens).dropLast(), isCancelled: isCancelled)
    } else if let classifier = model.classifying, let picture {
      let row = try classifier.classify(picture.image, trace: &trace)
      text = classifier.labels[Int(row.argmax(axis: 0).elements[0])]
      (tokens, logits) = ([], row.reshaped(1, row.count))
    } else {
      throw RuntimeFailure(
        .command, "bill needs a model that writes or knows classes; this is \(model.kind)")
    }
  }

  /// Whether some of the logits are no numbers.
  var isBroken: Bool { !logits.elements.allSatisfy(\.isFinite) }

  /// How far each of another's distributions is from this one's, in nats.
  func divergences(of other: Answered) -> [Double] {
    (0..<min(logits.shape[0], other.logits.shape[0])).map { row in
      let nats = Divergence.nats(of: other.logits.row(row), from: logits.row(row))
      // NaN is as far away as can be, not as near.
      return nats.isNaN ? .infinity : nats
    }
  }
}

extension PartWeights {
  /// All bytes of the part, mapped or not.
  fileprivate var byteCount: Int { mappedByteCount + ownByteCount }
}
