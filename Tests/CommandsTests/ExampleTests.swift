import Commands
import Language
import Runtime
import Testing

@Suite struct ExampleTests {
  @Test(arguments: Commands.all.map(\.name)) func everyCommandIsWellDeclared(name: String) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    #expect(Commands.all.count { $0.name == name } == 1)
    #expect(command.summary.hasSuffix("."))
    #expect(!command.examples.isEmpty)
    #expect(Set(command.parameters.map(\.name)).count == command.parameters.count)
    for other in command.seeAlso {
      #expect(Commands.all.contains { $0.name == other }, "\(name) points to \(other)")
    }
    for parameter in command.parameters { #expect(parameter.summary.hasSuffix(".")) }
  }

  /// What help shows on a narrow screen can be copied from there.
  @Test(arguments: Commands.all.map(\.name), [20, 40])
  func examplesCanBePastedFromAnyScreen(name: String, columns: Int) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    let session = Session(commands: Commands.all)
    session[Screen.self] = columns
    let help = session.help(on: name)
    let lines = help.split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex(of: "examples"))
    let code = lines[(start + 1)...].prefix { !$0.isEmpty }.map { $0.dropFirst(2) }
    let pasted = code.joined(separator: "\n")
    #expect(Program(parsing: Source(name: "", text: pasted)).diagnostics.isEmpty, "\(pasted)")
    let count = Program(
      parsing: Source(name: "", text: command.examples.map(\.source).joined(separator: "\n"))
    ).statements.count
    #expect(Program(parsing: Source(name: "", text: pasted)).statements.count == count)
    // A name and what stands before its bracket is one word.
    let long = code.filter { $0.count > columns - 2 }
    #expect(columns < 40 || long.isEmpty, "\(long)")
  }

  @Test(
    arguments: Commands.all.flatMap { command in
      command.examples.indices.map { (command.name, $0) }
    })
  func everyExampleRuns(name: String, index: Int) throws {
    let command = try #require(Commands.all.first { $0.name == name })
    let result = try Workshop().run(command.examples[index].source)
    #expect(
      result.succeeded,
      "\(command.examples[index].source): \(result.failure.map { "\($0)" } ?? "\(result.diagnostics)")"
    )
  }
}
