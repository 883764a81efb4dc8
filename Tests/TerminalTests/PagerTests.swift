import Testing

@testable import Terminal

@Suite struct PagerTests {
  @Test(
    arguments: [
      ("less", "less"), ("less -S", "less -S"), ("cat", nil), ("", nil), (" ", nil),
      ("most -w", "most -w"),
    ] as [(String, String?)])
  func aWishIsWhatRuns(_ wish: String, _ command: String?) {
    #expect(Pager(named: wish, in: Environment([:]))?.command == command)
  }

  @Test func lessIsTakenWhereItIsInstalled() {
    #expect(Pager(named: nil, in: Environment(["PATH": "/nowhere"]))?.command == nil)
    #expect(Pager(named: nil, in: Environment([:]))?.command == nil)
    // Without a terminal nobody could read in it.
    #expect(Pager(in: Environment(["FOVEA_PAGER": "less", "TERM": "dumb"]))?.command == nil)
  }
}
