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
    let ended = try program.run(["-c", text], after: "ulimit -v 1000000;")
    #expect(ended.status == 71, "\(ended.text)")
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
