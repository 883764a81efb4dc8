import Checkpoints
import Files
import Foundation
import Testing

struct SettingsTests {
  func settings(_ text: String) throws -> Settings {
    try Settings(JSON(parsing: text), file: "config.json")
  }

  @Test func membersAreReadAsWhatTheyMustBe() throws {
    let all = try settings(
      """
      {"size": 12, "rate": 1e-5, "whole": 2, "act": "gelu", "tied": false, "mean": [0.5, 1],
       "ends": 7, "more": [7, 8], "vision": {"size": 3}, "none": null}
      """)
    #expect(try all.integer("size") == 12)
    #expect(try all.number("rate") == 1e-5)
    #expect(try all.number("whole") == 2)
    #expect(try all.text("act", among: ["relu", "gelu"]) == "gelu")
    #expect(try all.flag("tied") == false)
    #expect(try all.numbers("mean", count: 2) == [0.5, 1])
    #expect(try all.integers("ends") == [7])
    #expect(try all.integers("more") == [7, 8])
    #expect(try all.section("vision").integer("size") == 3)
    #expect(try all.section("text").integer("size", default: 5) == 5)
    #expect(try all.integer("none", default: 9) == 9)
    #expect(all.has("size") && !all.has("none") && !all.has("nothing"))
  }

  @Test(arguments: [
    ("{}", "'size' is nothing"), ("{\"size\": null}", "'size' is null"),
    ("{\"size\": \"12\"}", "'size' is \"12\""), ("{\"size\": 12.0}", "'size' is 12.0"),
    ("{\"size\": -1}", "'size' is -1"), ("{\"size\": 1e400}", ""),
    ("{\"size\": 99999999999}", "'size' is 99999999999"), ("{\"size\": [1]}", "'size' is an array"),
  ])
  func whatIsWrongIsNamedWithKeyFoundAndExpected(_ text: String, _ found: String) throws {
    guard !found.isEmpty else {
      #expect(throws: JSON.Failure.self) { try settings(text) }
      return
    }
    let error = #expect(throws: CheckpointError.self) { try settings(text).integer("size") }
    #expect(
      error?.description
        == "config.json: \(found), expected a whole number from 1 to 1073741824")
    #expect(error?.exitCode == 65)
  }

  @Test func aMemberOfASectionIsNamedWithItsWholePath() throws {
    let all = try settings("{\"vision\": {\"act\": \"swish\"}, \"text\": 1}")
    let error = #expect(throws: CheckpointError.self) {
      try all.section("vision").text("act", among: ["gelu", "relu"])
    }
    #expect(
      error?.description
        == "config.json: 'vision.act' is \"swish\", expected \"gelu\" or \"relu\"")
    #expect(throws: CheckpointError.self) { try all.section("text") }
    #expect(throws: CheckpointError.self) { try settings("[]") }
    #expect(throws: CheckpointError.self) { try all.flag("text") }
    #expect(throws: CheckpointError.self) { try all.numbers("text") }
    #expect(throws: CheckpointError.self) { try all.number("act") }
  }
}
