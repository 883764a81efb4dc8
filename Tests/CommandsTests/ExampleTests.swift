import Commands
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
