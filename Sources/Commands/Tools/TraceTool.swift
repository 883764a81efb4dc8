internal import Budget
internal import Checkpoints
internal import Files
public import Foundation
internal import Images
public import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// Writes every place of one run to a safetensors file, for comparison with other implementations.
public struct TraceTool {
  /// The names that tensors are written under.
  public enum Names: String, Sendable, CaseIterable {
    /// Fovea's addresses.
    case fovea
    /// The published module paths.
    case published
  }

  private let model: LoadedModel
  private let available: Int

  /// Reads a model.
  ///
  /// - Parameter memory: the most that reading and running may take, in bytes; nil for what can be
  ///   had.
  public init(_ choice: ModelChoice, memory: Int? = nil) throws {
    available = memory ?? AvailableMemory.byteCount
    model = try LoadedModel.read(choice, available: available)
  }

  /// Runs the model and writes the trace.
  ///
  /// - Parameters:
  ///   - paths: the pictures' files.
  ///   - prompt: what a generating model reads after the picture.
  ///   - texts: what a retrieval model compares the picture with; empty for a generating run.
  ///   - messages: a file with a conversation to answer, in place of pictures and prompt.
  ///   - label: what introduces a picture of the conversation among its words.
  ///   - truncate: whether texts that are too long are cut before their end token.
  ///   - keep: which of the written names are kept; `*` stands for anything.
  ///   - broken: gets what the model gives that is no number, and where first, if it gives such.
  ///   - note: gets lines that say what of a picture's file the model does not see.
  /// - Returns: how many tensors were written.
  public func write(
    images paths: [URL], prompt: String, texts: [String], messages: URL? = nil,
    label: Input.Mention.Label = .spaced, truncate: Bool = false, names: Names, keep: String,
    to file: URL,
    note: (String) -> Void = { _ in },
    broken: (String) -> Void = { _ in }
  ) throws -> Int {
    let images = try paths.map { path in
      try PictureFile(path, memory: { [available] in available }, note: note)
        .loaded(for: model.model.seeing?.preprocessing, note)
    }
    let conversation = try messages.map {
      try self.conversation(in: $0, label: label, note: note)
    }
    if images.isEmpty, conversation == nil, model.model.needsPicture {
      throw UsageFailure(
        words: "\(model.name) looks at pictures", note: "give one with --image")
    }
    let reader = try texts.isEmpty ? model : model.orCompanion(with: .matching)
    let part = try truncate ? Self.cuttingTexts(reader) : reader.model
    var request = TraceRequest(
      images: images, prompt: prompt, texts: texts, conversation: conversation,
      usesPublishedNames: names == .published)
    let keeps = Self.keeps(keep, of: part, request)
    request.keeps = keeps
    try RunMemory(tracing: request, by: part).check(
      "the trace", keeping: keeps, available: available, mapped: reader.mappedByteCount,
      keep: { "--keep '\($0)'" }, force: "--memory any")
    let found = try part.traced(request)
    var contents = found.tensors.map {
      (name: $0.name, content: Safetensors.Content.tensor($0.tensor))
    }
    contents += found.integers.map {
      (name: $0.name, content: .integers($0.values, shape: $0.shape))
    }
    contents = contents.filter { Address($0.name).matches(keep) }.sorted { $0.name < $1.name }
    for tensor in found.tensors where !tensor.tensor.elements.allSatisfy(\.isFinite) {
      // Before softmax, negative infinity is where a mask forbids to look.
      if tensor.name.hasSuffix("scores"), !tensor.tensor.elements.contains(where: \.isNaN) {
        continue
      }
      let inConversation = try conversation.flatMap { try part.brokenPlace($0) }
      let place =
        try inConversation
        ?? images.lazy.compactMap { image in
          try (texts.isEmpty ? [prompt] : texts).lazy.compactMap { text in
            try part.brokenPlace(Input(image: image, prompt: text))
          }.first
        }.first
      broken("\(model.name) gives \(place ?? "NaN or infinity in \(tensor.name)")")
      break
    }
    guard !contents.isEmpty else {
      throw RuntimeFailure(
        .key, "no place fits '\(keep)'",
        hint: NearestPlace.hint(keep, among: found.tensors.map(\.name)))
    }
    var metadata = [
      "made_by": "fovea", "model": model.name,
      "image": paths.map(\.lastPathComponent).joined(separator: "\n"),
      "names": names.rawValue, "prompt": prompt, "texts": texts.joined(separator: "\n"),
      "answer": found.answer,
    ]
    // What the weights were rounded to, so that who compares the file knows what to expect.
    metadata["weights"] = LowerPrecision.words(of: reader)
    try Safetensors.write(contents, metadata: metadata, to: file)
    return contents.count
  }

  private func conversation(
    in file: URL, label: Input.Mention.Label, note: (String) -> Void
  ) throws -> Input {
    let chat = try model.able(.chatting, for: "--messages")
    return try withoutActuallyEscaping(note) { note in
      try MessagesFile(file).conversation(
        MessageReader(model: chat, label: label) { [available, model] path in
          let picture = try PictureFile(
            URL(typed: path), path: path, memory: { available }, note: note)
          return Picture(
            picture.loaded(for: model.model.seeing?.preprocessing, note), name: picture.name,
            path: path)
        }
      ).input
    }
  }

  private static func cuttingTexts(_ model: LoadedModel) throws -> any FamilyModel {
    guard let part = model.model.embedding else {
      throw RuntimeFailure(
        .command, "\(model.name) is \(model.model.kind), which has no way to cut texts",
        hint: "leave --truncate out, and shorten what is too long")
    }
    return part.cuttingTexts
  }

  /// Whether a place has a name in the file that fits `pattern`.
  private static func keeps(
    _ pattern: String, of model: any FamilyModel, _ request: TraceRequest
  ) -> @Sendable (Address) -> Bool {
    if pattern == "*" { return { _ in true } }
    let runs =
      request.images.indices.map { "images.\($0)." }
      + request.texts.indices.flatMap { ["texts.\($0).", "itc.texts.\($0).", "itm.texts.\($0)."] }
    let prefixes = ["", "itc.", "itm.", "itc.image."] + runs
    let isPublished = request.usesPublishedNames
    return { address in
      let names = isPublished ? model.publishedPlaces(of: address) : [address.description]
      return names.contains { name in prefixes.contains { Address($0 + name).matches(pattern) } }
    }
  }
}
