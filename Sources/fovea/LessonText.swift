internal import Characters
internal import Foundation
internal import Terminal

/// Markdown as a terminal shows it: headings strong, paragraphs and lists filled to the width, code as
/// it stands.
struct LessonText {
  let columns: Int
  let depth: ColorDepth

  func rendered(_ markdown: String) -> String {
    var blocks: [String] = []
    var paragraph: [String] = []
    var fence: String?
    func close() {
      guard !paragraph.isEmpty else { return }
      blocks.append(filled(Self.joined(paragraph), indent: ""))
      paragraph = []
    }
    for line in markdown.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      let plain = line.trimmingPrefix { $0 == " " }
      if let mark = fence {
        if plain.hasPrefix(mark) { fence = nil } else { blocks.append("    " + line.visible) }
      } else if plain.hasPrefix("```") {
        close()
        fence = "```"
      } else if plain.isEmpty {
        close()
      } else if plain.hasPrefix("#") {
        close()
        blocks.append(
          Style.strong.apply(
            to: plain.drop { $0 == "#" || $0 == " " }.broken(toColumns: columns), depth))
      } else if plain.hasPrefix("- ") || plain.hasPrefix("* ") {
        close()
        blocks.append(filled(String(plain.dropFirst(2)), indent: "  ", mark: "• "))
      } else if plain.hasPrefix("|") {
        close()
        blocks.append(line.visible)
      } else if line.hasPrefix("  "), let last = blocks.last, last.hasPrefix("•"), paragraph.isEmpty
      {
        blocks[blocks.count - 1] = filled(
          last.dropFirst(2).split(separator: "\n").joined(separator: " ") + " " + plain,
          indent: "  ", mark: "• ")
      } else {
        paragraph.append(String(plain))
      }
    }
    close()
    return blocks.joined(separator: "\n\n")
      .replacingOccurrences(of: "\n\n• ", with: "\n• ")
  }

  /// Lines as one; between wide characters there is no space where a line ends.
  private static func joined(_ lines: [String]) -> String {
    lines.dropFirst().reduce(lines.first ?? "") { text, line in
      let isWide = text.last?.displayWidth == 2 && line.first?.displayWidth == 2
      return text + (isWide ? "" : " ") + line
    }
  }

  /// Words in lines of the width; writing without spaces breaks anywhere.
  func filled(_ text: String, indent: String = "", mark: String = "") -> String {
    let width = max(16, columns - 1)
    var lines: [String] = []
    var line = mark
    var used = mark.displayWidth
    var start = used  // where the line's first word stands
    func turn() {
      lines.append(line)
      (line, used, start) = (indent, indent.displayWidth, indent.displayWidth)
    }
    for word in words(links(text).visible) {
      let wide = word.text.displayWidth
      if used + (word.hasSpaceBefore ? 1 : 0) + wide > width, used > start { turn() }
      if word.hasSpaceBefore, used > start {
        line += " "
        used += 1
      }
      line += word.text
      used += wide
    }
    lines.append(line)
    return lines.joined(separator: "\n")
  }

  /// A link is its words.
  private func links(_ text: String) -> String {
    var rest = text[...]
    var result = ""
    while let open = rest.firstIndex(of: "["), let close = rest[open...].firstIndex(of: "]"),
      rest[close...].hasPrefix("]("), let end = rest[close...].firstIndex(of: ")")
    {
      result += rest[..<open] + rest[rest.index(after: open)..<close]
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private struct Word {
    var text: String
    var hasSpaceBefore: Bool
  }

  /// Words, and each wide character by itself.
  private func words(_ text: String) -> [Word] {
    var words: [Word] = []
    var isOpen = false
    var hasSpace = false
    for character in text {
      if character.isWhitespace {
        (isOpen, hasSpace) = (false, true)
      } else if character.displayWidth == 2 {
        // What closes never begins a line.
        if "，。：；！？）」、".contains(character), !words.isEmpty, !hasSpace {
          words[words.count - 1].text.append(character)
        } else {
          words.append(Word(text: String(character), hasSpaceBefore: hasSpace))
        }
        (isOpen, hasSpace) = (false, false)
      } else if isOpen {
        words[words.count - 1].text.append(character)
      } else {
        words.append(Word(text: String(character), hasSpaceBefore: hasSpace))
        (isOpen, hasSpace) = (true, false)
      }
    }
    return words
  }
}
