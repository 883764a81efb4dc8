extension StringProtocol {
  /// This text with every line that takes more than `columns` broken between words.
  ///
  /// What follows stands under the line's beginning, or in a list of names and sentences, which two
  /// blanks part, under the sentence; where a word has no room there, farther left. Between wide
  /// characters, as Chinese has them, a line may be broken anywhere; any other word stays whole, however
  /// long.
  public func broken(toColumns columns: Int) -> String {
    guard contains(where: { $0 == "\n" }) || displayWidth > columns else { return String(self) }
    return split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.brokenLine(toColumns: Swift.max(1, columns)) }.joined(separator: "\n")
  }

  private func brokenLine(toColumns columns: Int) -> String {
    guard displayWidth > columns else { return String(self) }
    let indent = prefix { $0 == " " }
    // Two blanks after the first word part a name from its sentence.
    let name = dropFirst(indent.count).prefix { $0 != " " }
    let gap = dropFirst(indent.count + name.count).prefix { $0 == " " }
    let head = gap.count >= 2 ? prefix(indent.count + name.count + gap.count) : indent
    let margin = head.displayWidth <= columns / 2 ? head.displayWidth : indent.count
    var line = String(head)
    var width = head.displayWidth
    var isAtStart = true
    var result = ""
    func begin() {
      result += line.trimmedAtEnd + "\n"
      line = String(repeating: " ", count: margin)
      (width, isAtStart) = (margin, true)
    }
    for word in dropFirst(head.count).split(separator: " ") {
      for (place, piece) in word.pieces.enumerated() {
        let blank = isAtStart || place > 0 ? 0 : 1
        let size = piece.displayWidth
        if width + blank + size > columns, width > (isAtStart ? margin : 0) {
          begin()
        } else if blank > 0 {
          line += " "
          width += 1
        }
        // A word that has no room under the line's beginning may have it farther left.
        if isAtStart, width + size > columns, line.allSatisfy({ $0 == " " }) {
          width = Swift.max(0, columns - size)
          line = String(repeating: " ", count: width)
        }
        line += piece
        (width, isAtStart) = (width + size, false)
      }
    }
    return result + line
  }

  private var trimmedAtEnd: SubSequence {
    var rest = self[...]
    while rest.last == " " { rest = rest.dropLast() }
    return rest
  }

  /// The parts of a word that a line may be broken between.
  private var pieces: [SubSequence] {
    guard contains(where: { $0.displayWidth > 1 }) else { return [self[...]] }
    var pieces: [SubSequence] = []
    var start = startIndex
    for index in indices where index > startIndex {
      let before = self[self.index(before: index)]
      // Marks that close something stay with what they close.
      let isMark = self[index].isPunctuation
      if (self[index].displayWidth > 1 || before.displayWidth > 1) && !isMark {
        pieces.append(self[start..<index])
        start = index
      }
    }
    return pieces + [self[start...]]
  }
}
