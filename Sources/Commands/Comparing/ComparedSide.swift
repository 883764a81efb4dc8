internal import Characters
internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tokenizers
internal import Tracing

/// One side of a comparison: what it kept, and what is known of how it came about.
struct ComparedSide {
  /// What messages call it.
  let name: String
  let values: [Address: Tensor]
  /// The model that ran; nil where it is not known.
  let model: LoadedModel?
  let input: Input
  /// What its numbers were rounded to.
  var precision: LowerPrecision?
  /// What its picture is called; nil where that is not known.
  var picture: String?
  /// Whether somebody changed numbers on its way.
  var isChanged = false
  /// The words it says it has read; nil where it does not say.
  var text: String?
  /// What it wrote; nil where that is not known.
  var answer: String?

  /// A run, a trace, an answer or the result of a stage; nil for other values.
  init?(_ value: Value, called name: String) {
    guard let trace = value.trace else { return nil }
    self.init(name: name, trace: trace, model: value.sourceModel, input: value.runInputs)
    isChanged = value.sourceModel?.changes.isEmpty == false
    if case .object(let object) = value, let run = object as? Run {
      picture = run.picture?.name
      answer = run.answer?.text
      isChanged = isChanged || !run.course.changes.isEmpty
    }
  }

  /// What a trace kept.
  init(name: String, trace: Trace, model: LoadedModel?, input: Input) {
    self.init(
      name: name,
      values: Dictionary(
        trace.records.map { ($0.address, $0.tensor) }, uniquingKeysWith: { _, later in later }),
      model: model, input: input)
  }

  init(name: String, values: [Address: Tensor], model: LoadedModel?, input: Input) {
    (self.name, self.values, self.model, self.input) = (name, values, model, input)
    precision = model.map { LowerPrecision(of: $0) }
    text = input.prompt.isEmpty ? nil : input.prompt
  }

  /// What two sides are, told by what they differ in, then what both share: `'what color?' and 'what
  /// shape?', both: scene 7, model scenes`.
  static func title(of one: ComparedSide, and other: ComparedSide) -> String {
    let (facts, others) = (one.facts, other.facts)
    let differing = facts.indices.filter { facts[$0] != others[$0] }
    let shared = facts.indices.compactMap { differing.contains($0) ? nil : facts[$0] }
    func words(_ side: ComparedSide, _ facts: [String?]) -> String {
      if !["first", "second"].contains(side.name) { return side.name }
      let own = differing.compactMap { facts[$0] }
      return own.isEmpty ? side.name : own.joined(separator: ", ")
    }
    let both = shared.isEmpty ? "" : ", both: " + shared.joined(separator: ", ")
    if differing.isEmpty, one.name == "first", other.name == "second" {
      return shared.isEmpty ? "two runs" : "twice " + shared.joined(separator: ", ")
    }
    return words(one, facts) + " and " + words(other, others) + both
  }

  /// What tells it from another, each nil where it is not known.
  private var facts: [String?] {
    [
      picture?.visibleOnOneLine,
      text.map { Value.text($0.shortened(toColumns: 48)).represented },
      model.map { model in
        ["model \(model.name)", LowerPrecision.words(of: model)].compactMap { $0 }
          .joined(separator: " ")
      }, isChanged ? "changed" : nil,
    ]
  }

  /// Whether what came of it is the same on another side: the answers, else the likeliest next tokens; nil
  /// where neither is known.
  func answer(beside other: ComparedSide, by judge: any FamilyModel) -> String? {
    if let mine = answer, let theirs = other.answer {
      return mine == theirs
        ? "the answers are the same: \(Value.text(mine).inMessage)"
        : "the answers differ: \(Value.text(mine).inMessage) and \(Value.text(theirs).inMessage)"
    }
    guard let writer = judge.writing else { return nil }
    let tops = [self, other].compactMap { side -> Int? in
      guard let scores = side.values[Address("language.head.output")], scores.rank == 2,
        let last = scores.shape.first, last > 0, scores.elements.allSatisfy(\.isFinite)
      else { return nil }
      let row = scores.row(last - 1)
      return Int(row.argmax(axis: 0).elements[0])
    }
    guard tops.count == 2 else { return nil }
    let words = tops.map { Value.text(writer.tokenizer.visible($0)).inMessage }
    return tops[0] == tops[1]
      ? "the likeliest next token is the same: \(words[0])"
      : "the likeliest next tokens differ: \(words[0]) and \(words[1])"
  }

  /// What this side should have started from, if it is of the same picture and words as another.
  ///
  /// Its own pixels and token ids would make every mistake before them right.
  func claimed(like other: ComparedSide, by judge: any FamilyModel) -> Input {
    if let conversation = conversation(of: other, by: judge) { return conversation }
    var claimed = input
    if Self.mayBeOne(picture, other.picture), other.input.image != nil || input.pixels != nil {
      if let picture = other.input.picture, picture.image != nil {
        claimed.picture = picture
      } else if let pixels = other.input.pixels, picture != nil, picture == other.picture {
        claimed.picture = .pixels(pixels)
      }
    }
    let isRead =
      other.text != nil || other.input.tokenIDs != nil
      || (other.input.image != nil && judge.writing != nil)
    if isRead, text == nil || text == (other.text ?? "") {
      claimed.words = other.input.words
    }
    return claimed
  }

  /// The conversation that the other side read, where this one may have read it too: its turns and the
  /// names of its pictures stand in no file.
  private func conversation(of other: ComparedSide, by judge: any FamilyModel) -> Input? {
    let (turns, pictures) = (other.input.turns, other.input.pictures)
    guard judge.seeing?.takesSeveralPictures == true || turns.count > 1, !turns.isEmpty,
      pictures.allSatisfy({ if case .image = $0 { true } else { false } }),
      Self.mayBeOne(picture, other.picture)
    else { return nil }
    if let ids = input.tokenIDs {
      return (try? judge.writing?.ids(of: other.input)) == ids ? other.input : nil
    }
    return text == nil || text == (other.text ?? "") ? other.input : nil
  }

  /// Whether two pictures may be the same: unless both are files of other names.
  private static func mayBeOne(_ a: String?, _ b: String?) -> Bool {
    guard let a, let b, a != b else { return true }
    return !(a.contains(".") && b.contains("."))
  }

  /// Results of products whose weights are as the judge's, in parts where others are integers.
  private func exact(beside judge: any FamilyModel) -> Set<Address> {
    guard let model, let places = try? model.model.outline(input).places,
      let judges = try? judge.outline(input).places,
      places.contains(where: { $0.weight?.isQuantized == true })
    else { return [] }
    let integers = Set(model.parts.filter(\.hasIntegers).flatMap(\.roots))
    let encodings = Dictionary(
      judges.map { ($0.address, $0.weight?.encoding) }, uniquingKeysWith: { first, _ in first })
    return Set(
      places.filter { place in
        guard let weight = place.weight, !weight.isQuantized else { return false }
        return weight.encoding == encodings[place.address]
          && integers.contains(place.address.parts.first.map(String.init) ?? "")
      }.map(\.address))
  }

  /// The side as the judge repeats it, from `input`.
  func judged(
    by judge: any FamilyModel, from input: Input, coarser: Replay? = nil
  ) -> Parting.Side {
    var otherStart: Replay?
    if judge.needsPicture, input.image == nil, input.pixels == nil {
      // What depends on the picture will differ between two that are nothing like it.
      let other = Input(picture: .standIn(1), words: input.words)
      otherStart = { trace in try judge.pass(other, trace: &trace) }
    }
    return Parting.Side(
      values: values, judge: { trace in try judge.pass(input, trace: &trace) },
      otherStart: otherStart, coarser: coarser, exact: coarser == nil ? [] : exact(beside: judge))
  }
}
