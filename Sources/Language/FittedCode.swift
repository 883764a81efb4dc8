internal import Characters

/// Code in lines that fit a screen and still mean the same when they are pasted.
///
/// Lines are broken inside brackets alone, where a line end means nothing; a long text in brackets becomes
/// several next to each other. What cannot be broken stays longer.
public enum FittedCode {
  /// A token with the blanks before it.
  private struct Piece {
    var text: String
    let canBreakBefore: Bool
    /// Whether it stands in brackets.
    let isInside: Bool
    var isText = false
    /// Whether a line may begin with it where nothing else helps: a bracket that closes, a text behind its
    /// keyword.
    var isLastResort = false
  }

  /// The lines of `code` in at most `columns`, where that can be.
  public static func lines(_ code: String, columns: Int) -> [String] {
    let whole = code.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard whole.contains(where: { $0.displayWidth > columns }) else { return whole }
    let source = Source(name: "", text: code)
    var lexer = Lexer(source, range: source.range)
    lexer.run()
    // Nothing is known of comments, which end with their line.
    guard lexer.diagnostics.isEmpty, !code.contains("#") else { return whole }
    return pieces(lexer.tokens, of: source).flatMap { fitted($0, columns: columns) }
  }

  /// The pieces of each line.
  private static func pieces(_ tokens: [Token], of source: Source) -> [[Piece]] {
    var lines: [[Piece]] = [[]]
    var depth = 0
    var end = 0
    var wasOpen = false
    for token in tokens where token.range.end > token.range.start && token.kind != .newline {
      var gap = source.text(of: SourceRange(end, token.range.start))
      if let lineEnd = gap.lastIndex(of: "\n") {
        lines.append([])
        gap = String(gap[gap.index(after: lineEnd)...])
      }
      var (opens, closes, isText) = (false, false, false)
      switch token.kind {
      case .indent, .dedent: continue
      case .symbol(.open), .symbol(.openBracket), .symbol(.openBrace): opens = true
      case .symbol(.close), .symbol(.closeBracket), .symbol(.closeBrace): closes = true
      case .text: isText = true
      default: break
      }
      lines[lines.count - 1].append(
        Piece(
          text: gap + source.text(of: token.range),
          canBreakBefore: depth > 0 && !closes && (!gap.isEmpty || wasOpen), isInside: depth > 0,
          isText: isText, isLastResort: depth > 0 && (closes || isText)))
      depth += opens ? 1 : closes ? -1 : 0
      (end, wasOpen) = (token.range.end, opens)
    }
    return lines
  }

  private static func fitted(_ pieces: [Piece], columns: Int) -> [String] {
    let blanks = pieces.first.map { $0.text.prefix { $0 == " " }.count } ?? 0
    let indent = min(blanks + 4, columns / 2)
    var lines: [String] = []
    // Of the present line, and where it can be broken last.
    var line: [Piece] = []
    func width(_ pieces: [Piece]) -> Int { pieces.reduce(0) { $0 + $1.text.displayWidth } }
    func end(_ part: ArraySlice<Piece>) {
      lines.append(part.map(\.text).joined())
    }
    for piece in inBrackets(pieces, columns: columns).flatMap({
      divided($0, room: columns - indent)
    }) {
      line.append(piece)
      while width(line) > columns,
        let place = line.indices.dropFirst().last(where: { line[$0].canBreakBefore })
          ?? line.indices.dropFirst().last(where: { line[$0].isLastResort })
      {
        end(line[..<place])
        line = Array(line[place...])
        line[0].text =
          String(repeating: " ", count: indent) + line[0].text.drop { $0 == " " }
      }
    }
    if !line.isEmpty || lines.isEmpty { end(line[...]) }
    return lines
  }

  /// The pieces of `name = "a text"` with brackets around the text, where the line is too long.
  private static func inBrackets(_ pieces: [Piece], columns: Int) -> [Piece] {
    guard let last = pieces.last, last.isText, !last.isInside, pieces.count > 1,
      pieces[pieces.count - 2].text.hasSuffix("="),
      pieces.reduce(0, { $0 + $1.text.displayWidth }) > columns
    else { return pieces }
    let text = String(last.text.drop { $0 == " " })
    return pieces.dropLast() + [
      Piece(text: " (", canBreakBefore: false, isInside: false),
      Piece(text: text, canBreakBefore: true, isInside: true, isText: true),
      Piece(text: ")", canBreakBefore: false, isInside: true, isLastResort: true),
    ]
  }

  /// A long text in quotes as several that mean the same next to each other.
  private static func divided(_ piece: Piece, room: Int) -> [Piece] {
    let text = piece.text.drop { $0 == " " }
    guard piece.isText, piece.isInside, text.displayWidth > room, room > 8,
      let quote = text.first, quote == "\"" || quote == "'",
      !text.hasPrefix(String(repeating: quote, count: 3))
    else { return [piece] }
    var parts: [String] = [""]
    // A blank ends a word, and no escape is cut.
    let isPlain = !text.contains("\\")
    for character in text.dropFirst().dropLast() {
      let isFull = isPlain && parts[parts.count - 1].displayWidth + 3 > room
      if isFull { parts.append("") }
      parts[parts.count - 1].append(character)
      if character == " " { parts.append("") }
    }
    var texts: [String] = [""]
    for part in parts {
      if !texts[texts.count - 1].isEmpty,
        texts[texts.count - 1].displayWidth + part.displayWidth + 2 > room
      {
        texts.append("")
      }
      texts[texts.count - 1] += part
    }
    if texts.count > 1, texts.last?.isEmpty == true { texts.removeLast() }
    let lead = piece.text.prefix { $0 == " " }
    return texts.enumerated().map { number, part in
      Piece(
        text: (number == 0 ? String(lead) : " ") + "\(quote)\(part)\(quote)",
        canBreakBefore: number > 0 || piece.canBreakBefore, isInside: true,
        isLastResort: true)
    }
  }
}
