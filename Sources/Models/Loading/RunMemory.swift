public import Budget
internal import Files
internal import Generation
public import Tracing

/// The memory that a run is going to take beside the weights, told before it begins.
public struct RunMemory: Sendable {
  /// What the run is going to pass.
  public let outline: Outline
  /// Bytes of the keys and values that an answer's tokens look back at.
  public let cacheByteCount: Int
  /// Bytes of what hides later tokens from earlier ones while a prompt is read.
  public let maskByteCount: Int

  /// A run whose places are known.
  public init(outline: Outline, cacheByteCount: Int = 0, maskByteCount: Int = 0) {
    (self.outline, self.cacheByteCount) = (outline, cacheByteCount)
    self.maskByteCount = maskByteCount
  }

  /// A run of `model`, and where it writes, an answer.
  ///
  /// - Parameters:
  ///   - newTokens: the most tokens that are written; nil for none.
  ///   - beams: how many answers are followed side by side.
  /// - Throws: what reading the prompt throws.
  public init(
    _ model: any FamilyModel, _ input: Input, newTokens: Int? = nil, beams: Int = 1
  ) throws {
    outline = try model.outline(input)
    // Every token of the sequence passes the last norm.
    let sequence = Address("language.norm.output")
    let count = outline.places.last { $0.address == sequence }?.shape.first ?? 0
    guard count > 0, let writer = model.writing else {
      (cacheByteCount, maskByteCount) = (0, 0)
      return
    }
    maskByteCount = count > 1 ? 4 * count * count : 0
    let one = writer.cacheByteCount(tokenCount: count + min(newTokens ?? 0, 1 << 31))
    cacheByteCount = one * max(1, beams)
  }

  /// A run for a file.
  ///
  /// - Throws: what reading the prompt or the texts throws.
  public init(tracing request: TraceRequest, by model: any FamilyModel) throws {
    if let matcher = model.matching, !request.texts.isEmpty {
      self.init(outline: try matcher.matchingOutline(texts: request.texts))
      return
    }
    let run = try RunMemory(
      model, try request.input(by: model), newTokens: model.writing?.defaultOptions.maxNewTokens)
    var outline = Outline()
    // A model that looks at no picture runs once all the same.
    let runs = model.seeing == nil || request.conversation != nil ? 1 : request.images.count
    for _ in 0..<runs { outline.append(run.outline) }
    for text in request.texts {
      let both = try model.outline(Input(prompt: text))
      outline.append(
        both.filtered { address in !run.outline.places.contains { $0.address == address } })
    }
    self.init(
      outline: outline, cacheByteCount: run.cacheByteCount, maskByteCount: run.maskByteCount)
  }

  /// What is taken where the places that `keeps` chooses are kept, each reason with its bytes.
  public func estimate(keeping keeps: (Address) -> Bool) -> MemoryEstimate {
    MemoryEstimate([
      .init("kept places", outline.filtered(by: keeps).byteCount),
      .init("cache", cacheByteCount), .init("mask", maskByteCount),
      .init("activations", activationByteCount),
    ])
  }

  /// A block holds what goes in, what comes out, and a few results on the way, most in a gated MLP;
  /// products hold a rearranged copy of what they multiply, and the allocator what was just given
  /// back.
  private var activationByteCount: Int {
    let (product, overflow) = outline.largestByteCount.multipliedReportingOverflow(by: 7)
    return overflow ? .max : product
  }

  /// Refuses a run that takes more than there is.
  ///
  /// - Parameters:
  ///   - subject: what was asked for, such as `run`.
  ///   - keeps: the places that are kept.
  ///   - mapped: bytes of the weights that are read from their files.
  ///   - keep: how a choice of places is written, such as `keep="*.pattern"`.
  ///   - force: what to write to run all the same.
  /// - Throws: `MemoryShortage` with the numbers, and the places that there is room for.
  public func check(
    _ subject: String, keeping keeps: (Address) -> Bool, available: Int, mapped: Int,
    keep: (String) -> String, force: String
  ) throws(MemoryShortage) {
    var estimate = estimate(keeping: keeps)
    guard estimate.byteCount > available else { return }
    estimate.mappedByteCount = mapped
    var suggestions: [String] = []
    let choices = ["*.pattern", "language.*", ""]
    for choice in choices {
      let less = self.estimate { $0.matches(choice) && keeps($0) }
      guard less.byteCount <= available, less.byteCount < estimate.byteCount else { continue }
      let what = choice.isEmpty ? "no place" : "fewer places"
      suggestions.append(
        "keep \(what) with \(keep(choice)), which takes \(less.byteCount.asByteCount)")
      break
    }
    if suggestions.isEmpty { suggestions.append("end what else takes memory") }
    suggestions.append("or try all the same with \(force)")
    throw MemoryShortage(
      subject: subject, estimate: estimate, available: available,
      suggestion: suggestions.joined(separator: ", "))
  }
}
