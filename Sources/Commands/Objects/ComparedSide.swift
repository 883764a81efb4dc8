internal import Images
internal import Models
internal import Runtime
internal import Tensors
internal import Tracing

/// One side of a comparison: what it kept, and what is known of how it came about.
struct ComparedSide {
  /// What messages call it.
  let name: String
  let values: [Address: Tensor]
  /// The model that ran; nil where it is not known.
  let model: LoadedModel?
  let inputs: RunInputs
  /// What its numbers were rounded to.
  var precision: LowerPrecision?

  /// A run, a trace, an answer or the result of a stage; nil for other values.
  init?(_ value: Value, called name: String) {
    guard let trace = value.trace else { return nil }
    self.init(name: name, trace: trace, model: value.sourceModel, inputs: value.runInputs)
  }

  /// What a trace kept.
  init(name: String, trace: Trace, model: LoadedModel?, inputs: RunInputs) {
    self.init(
      name: name,
      values: Dictionary(
        trace.records.map { ($0.address, $0.tensor) }, uniquingKeysWith: { _, later in later }),
      model: model, inputs: inputs)
  }

  init(name: String, values: [Address: Tensor], model: LoadedModel?, inputs: RunInputs) {
    (self.name, self.values, self.model, self.inputs) = (name, values, model, inputs)
    precision = model.map { LowerPrecision(of: $0) }
  }

  /// The side as the judge repeats it.
  func judged(by judge: any RepeatableModel, coarser: Replay? = nil) -> Parting.Side {
    let inputs = inputs
    var otherStart: Replay?
    if inputs.image == nil, inputs.pixels == nil {
      // What depends on the picture will differ between two that are nothing like it.
      var grey = inputs
      grey.usesBlankPicture = false
      let other = grey
      otherStart = { trace in try judge.pass(other, trace: &trace) }
    }
    return Parting.Side(
      values: values, judge: { trace in try judge.pass(inputs, trace: &trace) },
      otherStart: otherStart, coarser: coarser)
  }
}
