import Glibc
import Testing

@testable import fovea

/// The program where the system gives it little.
@Suite struct LimitedProgramTests {
  private let program = ConvertProgramTests()

  @Test(arguments: [
    "a = [a, a]", "a = {\"a\": a}", "a = [a, z[0:3]]", "a = [a, scene(1)]",
  ])
  func manySmallValuesAreRefusedBeforeTheAllocatorFails(_ line: String) throws {
    let text = "z = zeros([4])\na = []\nwhile True:\n    \(line)"
    let ended = try program.run(["-c", text], after: "ulimit -v 800000;")
    #expect(ended.status == 71, "\(ended.text)")
  }

  /// In a process of its own: what other tests free would be room for these.
  @Test(arguments: [
    "zeros([4000, 4000])", "ones([2000, 2000]) + ones([1, 2000])", "list(range(5000000))",
    "[0] * 5000000", "[i for i in range(5000000)]", "x = []\nfor i in range(5000000): x.append(i)",
    "x = {}\nfor i in range(2000000): x[i] = i", "x = []\nfor i in range(400000): x.append([i, i])",
    "x = [f\"{i} some text that is long enough\" for i in range(1000000)]",
    "ones([1500, 1500]).tolist()", "str(list(range(4000000)))",
    "x = ones([1500, 1500])\nx[x > 0]", "x = ones([1500, 1500])\nx[[0] * 9000]",
    "\" \".join([\"abcdefgh\"] * 1000000).split()",
  ])
  func whatDoesNotFitIsRefusedAndTheVariablesStay(_ entry: String) throws {
    let run = try ProgramAtTerminal(
      ["--quiet"],
      typing: "memory(\"30MB\");\rkept = 7\r\u{1B}[200~\(entry)\n\u{1B}[201~\rkept * 1111\r\u{4}")
    #expect(run.status == 0 && run.seen.contains("can be had; set variables"), "\(run.seen)")
    #expect(run.seen.contains("7777"), "\(run.seen)")
  }

  @Test(.timeLimit(.minutes(2)), arguments: [200_000, 250_000, 300_000])
  func whereNoThreadCanBeStartedItEnds(_ kilobytes: Int) throws {
    let ended = try program.run(
      ["-c", "print(1)"], after: "ulimit -v \(kilobytes);")
    #expect(ended.status == 71, "\(ended.text)")
  }

  /// The system does not limit its administrator, so that the program is run as nobody.
  @Test(.timeLimit(.minutes(2)), .enabled(if: geteuid() == 0), arguments: [1, 2])
  func whereThereIsNoThreadThatIsAllThatIsSaid(_ count: Int) throws {
    let ended = try program.run(
      ["-c", "print(ones([2, 2]) @ ones([2, 2]))"],
      after: "exec prlimit --nproc=\(count) setpriv --reuid 65534 --regid 65534 --clear-groups"
        + " \"$0\" \"$@\";")
    #expect(ended.status == 71, "\(ended.text)")
    let complaints = ended.text.split(separator: "\n").filter { !$0.hasPrefix(" ") }
    #expect(complaints.count == 1 && complaints[0].contains("error: "), "\(ended.text)")
  }

  @Test func aLongUsageErrorIsCut() throws {
    let ended = try program.run(["--" + String(repeating: "n", count: 100_000)])
    #expect(ended.status == 64 && ended.text.utf8.count < 8000)
  }
}
