/// What a tutor says by itself, in the language of the lesson's texts.
public struct TutorWords: Sendable {
  /// Two letters, such as `zh`; English where there are no words in it.
  public let language: String

  /// Words of a language.
  public init(_ language: String = "en") { self.language = language }

  /// A sentence in this language; `%1`, `%2` stand for the parts.
  public func callAsFunction(_ english: String, _ parts: String...) -> String {
    var text = (language == "zh" ? Self.chinese[english] : nil) ?? english
    for (place, part) in parts.enumerated() { text = text.replacing("%\(place + 1)", with: part) }
    return text
  }

  private static let chinese: [String: String] = [
    // The console's.
    "done; fovea lesson reset %1 begins it anew": "已经学完；fovea lesson reset %1 从头再来",
    "goes on at step %1 of %2": "从第 %1 步继续，共 %2 步",
    "help tells what can be said": "输入 help 看看可以说什么",
    "steps that have changed since you took them come again: %1": "有 %1 步在你学过之后改动了，会再来一遍",
    "kept; fovea lesson %1 goes on here": "进度已保存；fovea lesson %1 从这里继续",
    "that was all of it": "这一课学完了",
    "Enter runs it> ": "回车运行> ",
    "nothing is asked here; Enter runs it": "这里没有提问；按回车运行",
    "your code> ": "你的代码> ",
    "your answer> ": "你的回答> ",
    "hint helps, show tells, skip goes on": "hint 给提示，show 给答案，skip 跳过",
    "right": "对了",
    "show tells the answer; skip goes on": "show 给出答案；skip 跳过",
    "there is no further hint; show tells the answer": "没有更多提示了；show 给出答案",
    "hint": "提示",
    "this is the first step": "这已经是第一步",
    "try what you like; Ctrl-D comes back to the lesson": "随便试试；按 Ctrl-D 回到课程",
    "quit leaves; what you did is kept": "quit 离开；进度会保存",
    "interrupted": "已中断",
    "Enter runs the code that is shown; a line is an answer, or code": "按回车运行显示的代码；输入一行，就是回答或代码",
    "a hint": "给一个提示",
    "the answer": "给出答案",
    "the next step": "跳到下一步",
    "the step before": "回到上一步",
    "this step anew": "重做这一步",
    "a free prompt with what there is; Ctrl-D comes back": "自由试验，可用课程里的变量；按 Ctrl-D 回来",
    "leave; what you did is kept": "离开；进度会保存",
    // The list's.
    "done": "已学完",
    "step %1 of %2": "第 %1 步，共 %2 步",
    "fovea lesson 1 begins the first": "fovea lesson 1 从第一课开始",
    "forgotten": "已清除",
    "forgotten: all %1 lessons": "已清除：全部 %1 课",
    // Of an answer.
    "not yet: %1 is not true": "还没有完成：%1 不成立",
    "a letter from a to %1 is an answer": "请回答 a 到 %1 中的一个字母",
    "not %1": "不是 %1",
    "that cannot be read as %1": "这读不成%1",
    "a patch is its number, counted from 0": "图块用编号表示，从 0 数起",
    "a patch is its row and column, as 3, 4, counted from 0; or its number":
      "图块用行和列表示，例如 3, 4，从 0 数起；也可以用编号",
    "text": "文字",
    "yes or no": "是或否",
    "a list of numbers": "一串数",
    "a number": "一个数",
    "no, it is not so": "不，不是这样",
    "yes, it is so": "是的，就是这样",
    "%1 is wanted, not %2": "要的是%1，不是 %2",
    "one number is wanted, not %1": "要的是一个数，不是 %1 个",
    "%1 numbers are wanted, not %2": "要的是 %1 个数，不是 %2 个",
    "%1 is too small": "%1 太小了",
    "%1 is too large": "%1 太大了",
    "number %1 of %2 is not right": "%2 个数中的第 %1 个不对",
  ]
}
