import Foundation
import Language
import Notebooks
import Runtime
import Testing

@Suite struct TutorTests {
  /// A question of each kind, and code before and between.
  static let lesson = """
    # Squares

    ```fovea
    x = zeros(4, 4) + 1
    x.shape
    ```
    How many?

    ```predict {#count}
    ask: How many numbers?
    ```
    ```answer {for=#count}
    hint: four rows
    hint: of four
    wrong: 8 :: that is one side twice
    answer: x.shape[0] * x.shape[1]
    why: 4 · 4
    ```
    ```quiz {#sum}
    ask: What is their sum?
    - zero
    - sixteen
    ```
    ```answer {for=#sum}
    wrong: 1 :: each is one
    right: 2 :: each is one
    ```
    ```task {#half}
    ask: Make y, half of x.
    ```
    ```answer {for=#half}
    check: y.shape == (4, 4)
    check: y.max() == 0.5
    wrong: y = x / 4 :: that is a quarter
    why: any way will do
    ```
    ```solution {for=#half}
    y = x / 2
    ```
    ```point {#corner}
    ask: Which patch is in the second row, first column?
    on: x
    side: 2
    ```
    ```answer {for=#corner}
    answer: [2]
    wrong: 0, 1 :: that is the first row
    ```
    ```fovea
    y.sum()
    ```
    The end.
    """

  func tutor(
    _ text: String = lesson, marks: [String: Tutor.Mark] = [:]
  ) throws -> (Tutor, Session) {
    let document = Document(Source(name: "lesson.md", text: text), isLesson: true)
    #expect(document.complaints.isEmpty, "\(document.complaints.map(\.message))")
    let session = Session()
    let tutor = Tutor(document, in: session, marks: marks)
    try tutor.prepare()
    return (tutor, session)
  }

  @Test func aLessonIsTakenStepByStep() throws {
    let (tutor, session) = try tutor()
    #expect(tutor.steps.count == 7)
    #expect(tutor.step?.prose == "# Squares")
    #expect(tutor.run()?.shown == "(4, 4)")
    tutor.leave(.done)
    #expect(tutor.step?.prose == "How many?")
    #expect(try tutor.judge("15") == .wrong("15 is too small"))
    #expect(try tutor.judge("8") == .wrong("8 is too small", reason: "that is one side twice"))
    #expect(try tutor.judge("4, 4") == .wrong("one number is wanted, not 2"))
    #expect(
      try tutor.judge("nonsense )") == .unclear("that cannot be read as a number"))
    #expect([tutor.hint(), tutor.hint(), tutor.hint()] == ["four rows", "of four", nil])
    #expect(try tutor.show()?.answer == "16")
    #expect(try tutor.judge("2 ** 4") == .right("4 · 4"))
    tutor.leave(.done)
    #expect(try tutor.judge("a") == .wrong("not a", reason: "each is one"))
    #expect(try tutor.judge("Sixteen") == .right("each is one"))
    #expect(try tutor.judge("z") == .unclear("a letter from a to b is an answer"))
    tutor.leave(.done)
    // Before the task is done its checks have nothing to look at.
    #expect(try tutor.judge("") == .wrong("not yet: y.shape == (4, 4) is not true"))
    _ = session.run(Source(name: "line", text: "y = x / 4"))
    #expect(
      try tutor.judge("y=x/4")
        == .wrong("not yet: y.max() == 0.5 is not true", reason: "that is a quarter"))
    _ = session.run(Source(name: "line", text: "y = x - 0.5"))
    #expect(try tutor.judge("y = x - 0.5") == .right("any way will do"))
    tutor.leave(.done)
    // The picture with its rows and columns numbered, so that one can be named.
    #expect(tutor.pictureLine == "grid(x, side=2);")
    for typed in ["2", "1, 0", "(1,0)", "row 1 column 0"] {
      #expect(try tutor.judge(typed) == .right(""), "\(typed)")
    }
    #expect(try tutor.judge("0, 1") == .wrong("not 0, 1", reason: "that is the first row"))
    #expect(try tutor.judge("3") == .wrong("not 1, 1"))
    tutor.leave(.done)
    #expect(tutor.run()?.shown == "8.0")
    tutor.leave(.done)
    #expect(tutor.step?.prose == "The end.")
    tutor.leave(.done)
    #expect(tutor.step == nil)
  }

  @Test func everyStepCanBeBegunWith() throws {
    let whole = try tutor().0
    for place in whole.steps.indices {
      let marks = Dictionary(
        uniqueKeysWithValues: whole.steps.prefix(place).map { ($0.key, Tutor.Mark.skipped) })
      let (tutor, session) = try tutor(marks: marks)
      #expect(tutor.place == place)
      #expect(session["x"]?.shape == (place > 0 ? [4, 4] : nil))
      #expect((session["y"] != nil) == (place > 3))
    }
  }

  @Test func aChangedLessonAsksChangedStepsAgain() throws {
    let (first, _) = try tutor()
    while first.step != nil { first.leave(.done) }
    let (other, _) = try tutor(
      Self.lesson.replacingOccurrences(of: "How many numbers?", with: "How many numbers are there?")
        .replacingOccurrences(of: "# Squares", with: "# Other words"),
      marks: first.marks)
    #expect(other.place == 1)
    other.leave(.done)
    #expect(other.steps.allSatisfy { other.marks[$0.key] == .done })
  }

  @Test func aLessonKeepsItsWord() throws {
    func problems(_ text: String) -> [String] {
      let document = Document(Source(name: "lesson.md", text: text), isLesson: true)
      let trial = Trial(document, in: Session())
      return trial.diagnostics.map { $0.drawn().split(separator: "\n")[0].description }
    }
    #expect(problems(Self.lesson) == [])
    func changed(_ old: String, _ new: String) -> [String] {
      #expect(Self.lesson.contains(old))
      return problems(Self.lesson.replacingOccurrences(of: old, with: new))
    }
    #expect(
      changed("wrong: 8 ::", "wrong: 16 ::")[0].hasPrefix(
        "lesson.md:15:8: error: this is to be refused with its own reason, and is taken"))
    #expect(
      changed("y = x / 2", "y = x / 3")[0]
        == "lesson.md:33:8: error: the solution does not do what is asked: this is not true")
    #expect(
      changed("x = zeros(4, 4) + 1", "x = zeros(4, 4) + 1; y = x / 2")[0]
        == "lesson.md:32:8: error: this task is done before it begins: all checks hold")
    #expect(
      changed("answer: x.shape[0] * x.shape[1]", "answer: nothing")
        == ["lesson.md:16:9: error: there is no 'nothing' here"])
    #expect(
      changed("wrong: 0, 1 ::", "wrong: 1, 0 ::")[0].contains("this is to be refused"))
  }

  /// Numbers in a text are those of whoever takes the lesson; what stands on the page is held to them.
  @Test func numbersInTheTextAreMade() throws {
    let lesson = """
      ```fovea
      x = tensor([0.25, -0.5])
      ```
      A share of 25 %<!--x[0]:.0%-->, less 0.50<!--0 - x[1]:.2f--> or −0.5<!--x[1]:.1f-->. Done<!--a-->.

      ```predict {#a}
      ask: What is 0.25<!--x[0]:.2f--> twice?
      ```
      ```answer {for=#a}
      answer: x[0] * 2
      wrong: 1 :: four times 0.25<!--x[0]:.2f-->
      why: from 25 %<!--x[0]:.0%-->
      ```
      """
    let (tutor, session) = try tutor(lesson)
    _ = tutor.run()
    tutor.leave(.done)
    #expect(tutor.prose == "A share of 25 %, less 0.50 or −0.5. Done.")
    _ = session.run(Source(name: "line", text: "x = tensor([0.75, -2])"))
    #expect(tutor.prose == "A share of 75 %, less 2.00 or −2.0. Done.")
    #expect(tutor.question?.ask == "What is 0.75 twice?")
    #expect(try tutor.judge("1") == .wrong("1 is too small", reason: "four times 0.75"))
    #expect(try tutor.judge("1.5") == .right("from 75 %"))
    #expect(try tutor.show()?.why == "from 75 %")
    func trial(_ text: String) -> Trial {
      Trial(Document(Source(name: "l.md", text: text), isLesson: true), in: Session())
    }
    #expect(trial(lesson).diagnostics.isEmpty)
    #expect(trial(lesson).provenCount == 8)
    let lines = trial(lesson.replacing("tensor([0.25", with: "tensor([0.26")).diagnostics.map {
      $0.drawn().split(separator: "\n")[0].description
    }
    #expect(
      lines == [
        "l.md:4:12: error: this number is 26 %", "l.md:7:14: error: this number is 0.26",
        "l.md:11:24: error: this number is 0.26", "l.md:12:11: error: this number is 26 %",
      ])
  }

  @Test func whatIsWrongWithAQuestionIsSaidBeforeAnybodyMeetsIt() throws {
    let cases = [
      ("```predict\nask: a\n```\n", "1:1: error: this question has no name"),
      ("```predict {#a}\nask: a\n```\n", "1:1: error: nothing answers '#a'"),
      (
        "```predict {#a}\nhm\n```\n```answer {for=#a}\nanswer: 1\n```\n",
        "2:1: error: a line of a question begins with 'ask:'"
      ),
      (
        "```predict {#a}\nask: a\n```\n```answer {for=#a}\nhint: 1\n```\n",
        "1:1: error: '#a' needs one line 'answer: …'"
      ),
      ("```predict {#a}\nask: a\n```\n```answer {for=#a}\nanswer: 1 +\n```\n", "5:12: error:"),
      (
        "```predict {#a}\nask: a\n```\n```answer\nanswer: 1\n```\n",
        "4:1: error: this cell does not say what it answers"
      ),
      (
        "```quiz {#a}\nask: a\n- b\n- c\n```\n```answer {for=#a}\nright: 1 :: so\n```\n",
        "4:1: error: nothing says whether this is right"
      ),
      (
        "```quiz {#a}\nask: a\n- b\n- c\n```\n```answer {for=#a}\nright: 1 :: so\nwrong: 3 :: no\n```\n",
        "8:8: error: a number from 1 to 2 says which answer is meant"
      ),
      (
        "```task {#a}\nask: a\n```\n```answer {for=#a}\ncheck: True\n```\n",
        "1:1: error: a task needs one cell ```solution {for=#a}"
      ),
      (
        "```point {#a}\nask: a\n```\n```answer {for=#a}\nanswer: [1]\n```\n",
        "1:1: error: a question about a patch needs a line 'on: picture'"
      ),
      ("```predict {#a}\nask: a\n", "1:1: error: this fence is never closed"),
      (
        "```fovea {#a}\n1\n```\n```predict {#a}\nask: a\n```\n```answer {for=#a}\nanswer: 1\n```\n",
        "4:1: error: there is a cell '#a' above already"
      ),
    ]
    for (text, expected) in cases {
      let document = Document(Source(name: "l.md", text: text), isLesson: true)
      let lines = document.complaints.map { $0.drawn().split(separator: "\n")[0].description }
      #expect(lines.contains { $0.hasPrefix("l.md:" + expected) }, "\(text): \(lines)")
    }
  }

  @Test func twoQuestionsOfOneNameAreSaidOnce() {
    let question = "```predict {#a}\nask: a\n```\n```answer {for=#a}\nanswer: 1\n```\n"
    let document = Document(Source(name: "l.md", text: question + question), isLesson: true)
    #expect(document.complaints.map(\.message) == ["there is a cell '#a' above already"])
  }

  @Test func progressIsKeptWhole() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let progress = try #require(LessonProgress(of: ["FOVEA_PROGRESS": folder.path]))
    #expect(try progress.marks(of: "a/b") == [:])
    try progress.keep(["1": .done, "2": .shown, "3": .skipped], of: "a/b")
    #expect(try progress.marks(of: "a/b") == ["1": .done, "2": .shown, "3": .skipped])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a_b.json"])
    try Data("{\"steps\": {\"1\": \"do".utf8).write(to: folder.appending(path: "a_b.json"))
    #expect(try progress.marks(of: "a/b") == [:])
    try progress.forget("a/b")
    try progress.forget("a/b")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
  }
}
