/// Where the cursor is, judged from the text before it.
struct Place {
  enum Kind: Equatable {
    /// In a comment.
    case comment
    /// In quotes that begin before `begun`; in `x["…` the subject is `x`.
    case string(begun: Int, subject: String?)
    /// Behind the dot after a name.
    case member(begun: Int, owner: String)
    /// In a word, or where one may begin.
    case word(begun: Int)
    /// Behind a `%` that begins a line.
    case magic(begun: Int)
  }

  /// The innermost call that is open.
  struct Call: Equatable {
    var name: String
    /// How many arguments stand complete before the cursor.
    var argumentCount = 0
    /// Keywords given.
    var keywords: [String] = []
    /// The keyword whose value is being typed.
    var keyword: String?
  }

  private(set) var kind = Kind.word(begun: 0)
  private(set) var call: Call?

  /// Reads the text left of the cursor; offsets are in characters.
  init(_ before: String) {
    let characters = Array(before)
    var open: [(bracket: Character, call: Call?, subject: String?)] = []
    var word = (begun: 0, text: "")
    var quote: (mark: Character, begun: Int)?
    var isComment = false
    var lineCall: Call?
    var index = 0
    func finishedWord() -> String { word.text }
    while index < characters.count {
      let character = characters[index]
      defer { index += 1 }
      if character == "\n" {
        (isComment, lineCall, word) = (false, nil, (index + 1, ""))
        continue
      }
      if isComment { continue }
      if let inside = quote {
        if character == "\\" {
          index += 1
        } else if character == inside.mark {
          quote = nil
          word = (index + 1, "")
        }
        continue
      }
      switch character {
      case "'", "\"":
        quote = (character, index + 1)
      case "#": isComment = true
      case "(":
        open.append(("(", word.text.isEmpty ? nil : Call(name: word.text), nil))
        word = (index + 1, "")
      case "[":
        open.append(("[", nil, word.text.isEmpty ? nil : word.text))
        word = (index + 1, "")
      case "{":
        open.append(("{", nil, nil))
        word = (index + 1, "")
      case ")", "]", "}":
        _ = open.popLast()
        word = (index + 1, "")
      case ",":
        if let last = open.indices.last, open[last].call != nil {
          if open[last].call?.keyword == nil { open[last].call?.argumentCount += 1 }
          open[last].call?.keyword = nil
        }
        word = (index + 1, "")
      case "=" where !finishedWord().isEmpty && !finishedWord().contains("."):
        let name = finishedWord()
        if let last = open.indices.last, open[last].call != nil {
          open[last].call?.keyword = name
          open[last].call?.keywords.append(name)
        } else if lineCall != nil {
          lineCall?.keyword = name
          lineCall?.keywords.append(name)
        }
        word = (index + 1, "")
      case _
      where character.isLetter || character.isNumber || character == "_"
        || character == "." && !word.text.isEmpty:
        if word.text.isEmpty { word.begun = index }
        word.text.append(character)
      case " ":
        // `name words…` at the beginning of a line may be a call in shorthand.
        if open.isEmpty, !word.text.isEmpty || lineCall?.keyword != nil {
          if lineCall == nil {
            lineCall = Call(name: word.text)
          } else if lineCall?.keyword != nil {
            lineCall?.keyword = nil
          } else {
            lineCall?.argumentCount += 1
          }
        }
        word = (index + 1, "")
      default:
        // An operator: what follows is no argument of a call in shorthand.
        if open.isEmpty { lineCall = nil }
        word = (index + 1, "")
      }
    }
    call = open.last?.call ?? (open.isEmpty ? lineCall : nil)
    let line = characters[(characters.lastIndex(of: "\n").map { $0 + 1 } ?? 0)...]
    if open.isEmpty, quote == nil, let sign = line.firstIndex(where: { $0 != " " }),
      line[sign] == "%", line[sign...].allSatisfy({ $0 == "%" || $0.isLetter })
    {
      kind = .magic(begun: sign)
      return
    }
    if isComment {
      kind = .comment
    } else if let quote {
      kind = .string(begun: quote.begun, subject: open.last?.subject)
    } else if let dot = word.text.lastIndex(of: ".") {
      let owner = String(word.text[..<dot])
      let offset = word.text.distance(from: word.text.startIndex, to: dot) + 1
      kind = .member(begun: word.begun + offset, owner: owner)
    } else {
      kind = .word(begun: word.text.isEmpty ? characters.count : word.begun)
    }
  }
}
