internal import Characters
internal import Language

extension Session {
  /// What `help(name)` prints: the page of a name, the pages on a subject, or an overview for an empty
  /// name.
  public func help(on name: String) -> String {
    let columns = self[Screen.self]
    if self[name] == nil, let command = command(name) {
      return command.helpText(columns: columns)
    }
    let text = text(on: name)
    return columns.map { text.broken(toColumns: $0) } ?? text
  }

  private func text(on name: String) -> String {
    if name.isEmpty { return overview }
    // No name is as long; neither is it looked through nor shown as a whole.
    guard name.utf8.count <= 1000 else {
      return "there is no help on '\(name.unicodeScalars.prefix(60).map(String.init).joined())…'; "
        + "help() lists everything"
    }
    if name == "language" { return Self.languageHelp }
    if let value = self[name] {
      return ([Showing.help(value)] + [wayBack(from: name).map { "  \($0)" }].compactMap { $0 })
        .joined(separator: "\n")
    }
    if let command = command(name) { return command.helpText }
    if let function = BuiltIns.functions[name] { return Showing.help(.function(function)) }
    if let space = space(name) { return space.shown }
    if let dot = name.lastIndex(of: "."), let value = self[String(name[..<dot])],
      let member = try? Attributes.of(value, String(name[name.index(after: dot)...]), self)
    {
      return Showing.help(member)
    }
    if let pages = pages(on: name) { return pages }
    let names = commands.map(\.name) + BuiltIns.names + variables.map(\.name) + ["language"]
    let hint = NearestName.hint(name, among: names) ?? "help() lists everything"
    return "there is no help on '\(name)'; \(hint)"
  }

  /// The commands that have to do with a subject, the nearest first; nil where there are none.
  private func pages(on subject: String) -> String? {
    let words = subject.searchWords
    guard !words.isEmpty else { return nil }
    let ranked = commands.enumerated().compactMap { place, command in
      command.relevance(to: words).map { (score: $0, place: place, command: command) }
    }.sorted { ($1.score, $0.place) < ($0.score, $1.place) }
    guard let best = ranked.first else { return nil }
    let found = ranked.prefix { $0.score * 4 >= best.score }.prefix(8).map(\.command)
    let width = found.map(\.name.count).max() ?? 0
    let lines = found.map { command in
      let space = String(repeating: " ", count: width - command.name.count)
      return "  \(command.name)\(space)  \(command.summary)"
    }
    return (["on '\(subject)':"] + lines + ["help(\(found[0].name)) is the first of these pages"])
      .joined(separator: "\n")
  }

  private var overview: String {
    var lines: [String] = []
    var groups: [String] = []
    for command in commands where !groups.contains(command.group) { groups.append(command.group) }
    let width = commands.map(\.name.count).max() ?? 0
    for group in groups {
      lines.append(group)
      for command in commands where command.group == group {
        let space = String(repeating: " ", count: width - command.name.count)
        lines.append("  \(command.name)\(space)  \(command.summary)")
      }
    }
    lines.append("Functions")
    lines.append("  " + BuiltIns.names.joined(separator: ", "))
    lines.append("More: help(name) or name?, help(\"a subject\"), and help(\"language\")")
    return lines.joined(separator: "\n")
  }

  private static let languageHelp = """
    Fovea's language is a small, exact subset of Python.

      values      int (64 bit), float, str, True, False, None, list, tuple, dict, range, Tensor
      text        '…'  "…"  \"""…\"""  f"{x:.3f}"
      operators   + - * / // % ** @   == != < <= > >= in is   and or not   a if c else b
                  & | ^ ~ of whole numbers and masks
      indexing    x[3]  x[-1]  x[0, :, 3:9:2]  x[..., None]  x[[2, 0]]  x[x > 0.5]  d["key"]
      statements  a = …  a, b = …  x += 1  if elif else  for in  while  break  continue
                  def (with defaults)  return  assert  pass  [… for … in …]  lambda
                  del name
      notebook    the last expression is shown, a trailing ; keeps it quiet; _ is the last result,
                  __ the one before, _3 or Out[3] that of entry 3, In[3] its text
                  name?  help(name)  help("a subject")  %time  %timeit  %%time  %%timeit
                  %who  %reset  %history
      shorthand   at the prompt, patchify pixels is patchify(pixels)

    Not there: class, import, try, with, yield, async, global, decorators, star-arguments, exec, eval.
    """
}

extension Command {
  /// How much it has to do with some words, those that occur nowhere counting against it; nil for
  /// nothing.
  fileprivate func relevance(to words: [String]) -> Int? {
    let places: [(weight: Int, text: String)] =
      [(16, name), (6, summary), (3, returns), (3, group), (2, details)]
      + parameters.map { (3, "\($0.name) \($0.summary)") }
      + examples.map { (1, "\($0.source) \($0.comment)") }
      + [(1, seeAlso.joined(separator: " "))]
    let found = places.map { (weight: $0.weight, words: $0.text.searchWords) }
    let hits = words.map { word in
      found.reduce(name == word ? 40 : 0) { sum, place in
        place.words.contains { $0.hasPrefix(word) } ? sum + place.weight : sum
      }
    }
    let score = hits.reduce(0, +) * hits.count { $0 > 0 } / words.count
    return score > 0 ? score : nil
  }
}

extension String {
  /// Its words as they are looked for: in small letters, `Q-Former` as `qformer`, without the s of a
  /// plural.
  fileprivate var searchWords: [String] {
    lowercased().split { $0.isWhitespace || "./_()[],=\"'".contains($0) }.compactMap { word in
      var word = word.filter { $0.isLetter || $0.isNumber }
      if word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss") { word.removeLast() }
      return word.isEmpty ? nil : word
    }
  }
}
