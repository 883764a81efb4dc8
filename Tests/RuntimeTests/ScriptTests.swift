import Foundation
import Language
import Runtime
import Synchronization
import Tensors
import TestSupport
import Testing

/// A script with its expectations in the margin.
///
/// `# expect: text` is one line of output, `# expect error 14: text` an error on this line at
/// column 14, `# called: text` a call on the way to the error.
struct Script: Sendable, CustomTestStringConvertible {
  let name: String
  let text: String
  var testDescription: String { name }

  static let folder = Fixtures.project.appending(path: "Tests/Scripts")
  static let all: [Script] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".fovea") }.sorted().map { name in
      let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
      return Script(name: name, text: text ?? "")
    }
  }()

  struct Expectations {
    var output: [String] = []
    var errors: [String] = []
    var calls: [String] = []
  }

  var expectations: Expectations {
    var found = Expectations()
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      for part in String(line).components(separatedBy: "# ").dropFirst() {
        if part.hasPrefix("expect: ") { found.output.append(String(part.dropFirst(8))) }
        if part.hasPrefix("expect error ") {
          let text = part.dropFirst(13)
          let message = text.drop { $0 != ":" }.dropFirst(2)
          found.errors.append(
            "\(index + 1):\(text.prefix { $0 != ":" }): "
              + message.trimmingCharacters(in: .whitespaces))
        }
        if part.hasPrefix("called: ") { found.calls.append("\(index + 1): \(part.dropFirst(8))") }
      }
    }
    // Calls are listed innermost first; the margin lists them as they stand.
    return found
  }
}

/// What the scripts' commands give.
struct Box: ForeignObject {
  let width: Int
  var typeName: String { "Box" }
  var shown: String { "Box \(width) wide" }
  var attributeNames: [String] { ["width", "scaled"] }
  var elementNames: [String] { ["left", "right"] }
  var tensor: Tensor? { Tensor([0, 2], shape: [2]) }

  func attribute(_ name: String) throws -> Value? {
    switch name {
    case "width": return .integer(width)
    case "scaled":
      return .function(
        Callable("scaled", "Wider.", .integer("factor", in: 1...10, "How much.")) { _, factor in
          .object(Box(width: width * factor))
        })
    default: return nil
    }
  }

  func element(_ index: Value) throws -> Value? {
    guard let name = index.text else { return nil }
    guard let place = elementNames.firstIndex(of: name) else {
      throw RuntimeFailure(
        .key, "there is no '\(name)' in this Box",
        hint: NearestName.hint(name, among: elementNames))
    }
    return .integer(place * width)
  }
}

struct FileIsMissing: Error, CustomStringConvertible {
  var description: String { "the file is missing" }
}

enum TestCommands {
  static let all = [
    Command(
      "double", group: "Tests", "Twice the number.",
      .number("number", in: 0...100, "What to double."), returns: "a number"
    ) { _, number in
      if number == 13 {
        throw ArgumentFailure(parameter: "number", "must not be 13", note: "it brings bad luck")
      }
      return number == number.rounded() && number != 2.5
        ? .integer(Int(number) * 2) : .float(number * 2)
    },
    Command("box", group: "Tests", "A box.", returns: "a Box") { _ in .object(Box(width: 3)) },
    Command("broken", group: "Tests", "Fails.", returns: "nothing") { _ in throw FileIsMissing() },
    Command(
      "sleep", group: "Tests", "Waits until it is stopped.", returns: "nothing"
    ) { session in
      while true {
        try session.checkCancellation()
        Thread.sleep(forTimeInterval: 0.005)
      }
    },
    Command(
      "twice", group: "Tests", "Calls a function twice.", .any("function", "What to call."),
      returns: "a list"
    ) { session, function in
      .newList([
        try session.call(function, [Argument(.integer(1))]),
        try session.call(function, [Argument(.integer(2))]),
      ])
    },
  ]
}

/// Collects what a session writes.
final class Output: Sendable {
  private let storage = Mutex("")
  var text: String { storage.withLock { $0 } }
  func write(_ text: String) { storage.withLock { $0 += text } }
}

@Suite struct ScriptTests {
  @Test func thereAreScripts() { #expect(Script.all.count >= 150) }

  @Test(arguments: Script.all) func aScriptDoesWhatItsMarginSays(_ script: Script) {
    let output = Output()
    let session = Session(
      commands: TestCommands.all + TensorCommands.all, output: { output.write($0) })
    let result = session.run(Source(name: script.name, text: script.text))
    var lines = output.text.split(separator: "\n", omittingEmptySubsequences: false).map(
      String.init)
    if lines.last == "" { lines.removeLast() }
    if let shown = result.shown { lines += shown.split(separator: "\n").map(String.init) }
    let expected = script.expectations
    #expect(lines == expected.output)
    let errors = result.diagnostics.map { diagnostic in
      "\(diagnostic.place.dropFirst(script.name.count + 1)): \(diagnostic.message)"
    }
    #expect(errors == expected.errors)
    if script.text.contains("# called: ") {
      let calls = result.diagnostics.flatMap(\.related).map { call in
        "\(call.source.position(of: call.range.start).line): \(call.message)"
      }
      #expect(calls == expected.calls)
    }
  }
}
