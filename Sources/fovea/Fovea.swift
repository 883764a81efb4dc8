internal import ArgumentParser
internal import Budget
internal import Foundation
internal import Glibc
internal import Language
internal import Tensors
internal import Terminal

/// The command line: `fovea` alone opens the prompt, a file's name runs it, and the parts that
/// scripts want on their own are subcommands.
struct Fovea: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fovea",
    abstract: "A prompt for looking inside vision-language models, stage by stage.",
    discussion: """
      fovea                      the prompt, with the model that ships
      fovea walk.fovea           runs a script; also: fovea run walk.fovea
      fovea lesson 1             takes the first lesson; fovea lesson lists them
      fovea lessons/01-….md      runs a lesson's cells, from top to bottom
      fovea -c 'describe()'      runs a text
      … | fovea                  runs what comes on standard input
      fovea run --help           the options of all these, among them

        --model <model>          a folder, the id of a downloaded model, or one that ships
        --dtype <precision>      float32, float16, bfloat16, int8 or int4
        --out <folder>           where scripts write; else fovea-out
        --wide                   tables keep all their columns

      Exit status: 0 all ran; 1 a command failed; 2 a lesson's check failed; 64 usage; 65 bad data; \
      66 input missing; 71 too little memory; 73 cannot create; 74 reading or writing \
      failed; 77 not allowed; 130 interrupted; 143 ended.
      """,
    version: "fovea \(Program.version)",
    subcommands: [
      Start.self, Run.self, TokenizeCommand.self, TraceCommand.self, CompareCommand.self,
      BenchCommand.self, ConvertCommand.self, EvaluateCommand.self, ScenesCommand.self,
      SynthesizeCommand.self, IndexCommand.self, ChatCommand.self,
      LessonCommand.self,
    ],
    defaultSubcommand: Start.self)
}

/// The program.
@main enum Program {
  static let version = "0.1.0"

  static func main() {
    AvailableMemory.takeInSmallSteps()
    StandardDescriptors.fill()
    Interrupts.ignoreFileSizeSignal()
    LostPages.watch()
    do {
      try checkThreads()
      try ProductLibrary.open()
      var command = try Fovea.parseAsRoot()
      try command.run()
      leave(0)
    } catch {
      Interrupts.shared.waitForEnding()
      if let ending = error as? Ending { leave(ending.status) }
      // Parsing errors, help and version requests print themselves and know their status.
      let isOfParser = Fovea.exitCode(for: error) != .failure || error is ExitCode
      if isOfParser { leave(saying: Fovea.fullMessage(for: error), Fovea.exitCode(for: error)) }
      complain(about: error)
      leave(ExitStatus.of(error))
    }
  }

  /// Refuses a `FOVEA_THREADS` that says nothing.
  private static func checkThreads() throws {
    guard let text = ProcessInfo.processInfo.environment["FOVEA_THREADS"],
      Parallelism.count(written: text) == nil
    else { return }
    throw SettingFailure(
      words: "FOVEA_THREADS must be a whole number of at least 1, not '\(text)'")
  }

  /// Says what went wrong in one line on standard error.
  static func complain(about error: any Error) {
    try? Output.standardError.write("fovea: error: \("\(error)".bounded())\n")
  }

  /// Ends with what the parser of arguments has to say: help on standard output, complaints on
  /// standard error.
  private static func leave(saying text: String, _ code: ExitCode) -> Never {
    let stream: Output = code.isSuccess ? .standardOutput : .standardError
    do throws(TerminalError) {
      // What runs without a subcommand is one to the parser, and its name in no list.
      let text = text.replacing("'fovea start --help'", with: "'fovea --help'")
      // A person's own words come back in complaints, however long.
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      let words = code.isSuccess ? text : lines.map { String($0).bounded() }.joined(separator: "\n")
      if !text.isEmpty { try stream.write(words + "\n") }
    } catch {
      if code.isSuccess, !error.isClosedPipe {
        complain(about: error)
        leave(error.exitCode)
      }
    }
    leave(code.rawValue)
  }

  /// Ends the process; what was written is on its way already.
  ///
  /// Libraries are not asked: one that found no memory when it began may try for ever.
  static func leave(_ status: Int32) -> Never {
    Interrupts.restoreTerminal()
    _exit(status)
  }
}

/// The end of a run that has said all there is to say.
struct Ending: Error {
  let status: Int32
}
