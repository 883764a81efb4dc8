import Checkpoints
import Foundation
import Models
import Tensors
import TestSupport
import Testing
import Tracing

/// The list of steps that everything walks.
@Suite struct StepTests {
  static let families = [
    "blip2", "blip2-itm", "vit", "clip", "clip-open", "llama", "mistral", "qwen-vl", "idefics2",
    "ziya",
  ]

  private func model(_ name: String) throws -> any FamilyModel {
    try Family.read(CheckpointFolder(Fixtures.goldens.appending(path: name)))
  }

  private func input(of model: any FamilyModel) -> Input {
    let hasWords = model.writing != nil || model.embedding != nil
    return Input(
      picture: model.seeing == nil ? nil : .standIn(0.5), prompt: hasWords ? "a red circle" : "")
  }

  @Test(arguments: families) func everyPlaceBelongsToTheStepThatPassesIt(_ name: String) throws {
    let model = try model(name)
    var slots = Slots(input(of: model))
    let stages = model.stages.of(slots.input)
    var count = 0
    for stage in stages {
      for step in stage.steps {
        var trace = Trace.everything
        try [step].walk(&slots, trace: &trace)
        for record in trace.records {
          #expect(step.passes(record.address), "\(record.address) in \(step.roots)")
          #expect(model.stage(of: record.address) == stage.name)
        }
        count += trace.records.count
      }
      #expect(slots[stage.gives] != nil, "\(stage.name)")
    }
    var whole = Trace.everything
    try model.pass(slots.input, trace: &whole)
    #expect(whole.records.count == count)
  }

  @Test(arguments: families) func goingOnFromAnyStepGivesTheSameBits(_ name: String) throws {
    let model = try model(name)
    let input = input(of: model)
    let steps = model.stages.of(input).steps
    let last = try #require(model.stages.of(input).last).gives
    var states: [Slots] = []
    var slots = Slots(input)
    var whole = Trace.everything
    try steps.walk(&slots, trace: &whole) { _, state in states.append(state) }
    #expect(states.count == steps.count)
    for (index, state) in states.enumerated() {
      var again = state
      var trace = Trace.everything
      try steps.walk(&again, from: index, trace: &trace)
      #expect(again[last] == slots[last], "from step \(index)")
      for record in trace.records {
        #expect(whole[record.address] == record.tensor, "\(record.address) from step \(index)")
      }
    }
  }
}
