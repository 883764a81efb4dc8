import Testing

@testable import Terminal

@Suite struct GraphicsQueryTests {
  @Test func whatTerminalsAnswerIsUnderstood() {
    let cases: [(String, GraphicsQuery.Answer?)] = [
      ("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[?62;c", .init(knowsKitty: true)),
      ("\u{1B}[?62;4;22c", .init(knowsSixel: true)),
      ("\u{1B}[?63;1;2;4c", .init(knowsSixel: true)),
      ("\u{1B}_Gi=31;EINVAL:no\u{1B}\\\u{1B}[?64;14c", .init()),
      ("typed\u{1B}[?1;2c", .init()),
      ("\u{1B}_Gi=31;OK\u{1B}\\", nil),
      ("\u{1B}[?62;4", nil),
      ("", nil),
    ]
    for (text, answer) in cases {
      #expect(GraphicsQuery.answer(in: Array(text.utf8)) == answer, "\(text.debugDescription)")
    }
  }

  @Test func nobodyIsAskedThroughAPipe() {
    #expect(GraphicsQuery.ask(input: -1, output: -1, in: .process) == GraphicsQuery.Answer())
  }
}
