import Files
import Foundation
import TestSupport
import Testing
import Tokenizers

/// Fields of `tokenizer.json` that are absent or of another type, against what the reference does.
@Suite struct WrongTypeTests {
  private static let golden = try? JSON(
    file: Fixtures.goldens.appending(path: "tokenizers/mutants.json"))
  static let bases = Array(
    Set((golden?["mutants"]?.array ?? []).compactMap { $0["base"]?.text })
  ).sorted()

  /// The document with one member replaced, or taken away.
  private static func changed(_ json: JSON, _ path: ArraySlice<JSON>, to value: JSON?) -> JSON {
    guard let step = path.first else { return value ?? .null }
    let rest = path.dropFirst()
    if let place = step.int, var entries = json.array {
      if rest.isEmpty, value == nil {
        entries.remove(at: place)
      } else {
        entries[place] = changed(entries[place], rest, to: value)
      }
      return .array(entries)
    }
    let members = (json.object?.members ?? []).compactMap { key, inner -> (String, JSON)? in
      guard key == step.text else { return (key, inner) }
      return rest.isEmpty && value == nil ? nil : (key, changed(inner, rest, to: value))
    }
    return .object(JSON.Object(members))
  }

  @Test(arguments: bases)
  func whatTheReferenceRefusesIsRefusedAndTheRestGivesItsIds(_ base: String) throws {
    let golden = try #require(Self.golden)
    let probe = try #require(golden["probe"]?.text)
    let values = try #require(golden["values"]?.array).map { name -> JSON? in
      name == "absent" ? nil : try JSON(parsing: Array((name.text ?? "").utf8))
    }
    let whole = try JSON(
      file: Fixtures.goldens.appending(path: base).appending(path: "tokenizer.json"))
    let folder = try TemporaryFolder()
    try folder.write("tokenizer.json", whole.written())
    let usual = try TokenizerFolder.read(folder.url).encode(probe)
    var refused = 0
    for entry in golden["mutants"]?.array ?? [] where entry["base"]?.text == base {
      let path = try #require(entry["path"]?.array)
      let answers = try #require(entry["answers"]?.array)
      for (value, answer) in zip(values, answers) {
        try folder.write(
          "tokenizer.json", Self.changed(whole, path[...], to: value).written())
        let name = "\(path.map { $0.written() }) \(value?.written() ?? "absent")"
        guard let tokenizer = try? TokenizerFolder.read(folder.url) else {
          refused += 1
          continue
        }
        #expect(answer != 0, "\(name) is read, which the reference refuses")
        let ids = answer == 1 ? usual : answer.array?.compactMap(\.int)
        #expect(tokenizer.encode(probe) == ids ?? [], "\(name)")
      }
    }
    #expect(refused > 100)
  }
}
