internal import Language

/// How many columns help has on a screen; nil where lines have no end, as in a file.
public enum HelpColumns: SessionKey {
  /// Lines have no end.
  public static var initial: Int? { nil }
}

extension Session {
  /// What `help(name)` prints; an overview for an empty name.
  public func help(on name: String) -> String {
    let text = text(on: name)
    guard let columns = self[HelpColumns.self] else { return text }
    return text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { Self.wrapped($0, columns: max(20, columns)) }.joined(separator: "\n")
  }

  /// A line broken between words; what follows stands under its beginning, or in a list of names
  /// and sentences under the sentence.
  static func wrapped(_ line: Substring, columns: Int) -> String {
    guard line.count > columns else { return String(line) }
    let indent = line.prefix { $0 == " " }.count
    // Two blanks after the first word part a name from its sentence.
    let name = line.dropFirst(indent).prefix { $0 != " " }
    let gap = line.dropFirst(indent + name.count).prefix { $0 == " " }.count
    let hanging = indent + (gap >= 2 ? name.count + gap : 0)
    let margin = hanging <= columns / 2 ? hanging : indent
    var lines = [String(line.prefix(gap >= 2 ? indent + name.count + gap : indent))]
    var isAtStart = true
    for word in line.dropFirst(lines[0].count).split(separator: " ") {
      let last = lines[lines.count - 1]
      if !isAtStart, last.count + 1 + word.count > columns {
        lines.append(String(repeating: " ", count: margin) + word)
      } else {
        lines[lines.count - 1] = isAtStart ? last + word : last + " " + word
      }
      isAtStart = false
    }
    return lines.joined(separator: "\n")
  }

  private func text(on name: String) -> String {
    if name.isEmpty { return overview }
    // No name is as long; neither is it looked through nor shown as a whole.
    guard name.utf8.count <= 1000 else {
      return "there is no help on '\(name.unicodeScalars.prefix(60).map(String.init).joined())…'; "
        + "help() lists everything"
    }
    if name == "language" { return Self.languageHelp }
    if let value = self[name] { return Showing.help(value) }
    if let command = command(name) { return command.helpText }
    if let function = BuiltIns.functions[name] { return Showing.help(.function(function)) }
    if let space = space(name) { return space.shown }
    if let dot = name.lastIndex(of: "."), let value = self[String(name[..<dot])],
      let member = try? Attributes.of(value, String(name[name.index(after: dot)...]), self)
    {
      return Showing.help(member)
    }
    let names = commands.map(\.name) + BuiltIns.names + variables.map(\.name) + ["language"]
    let hint = NearestName.hint(name, among: names) ?? "help() lists everything"
    return "there is no help on '\(name)'; \(hint)"
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
    lines.append("More: help(name) or name?, and help(\"language\")")
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
      notebook    the last expression is shown, a trailing ; keeps it quiet, _ is the last result
                  name?  help(name)  %time  %timeit  %who  %reset  %history
      shorthand   at the prompt, patchify pixels is patchify(pixels)

    Not there: class, import, try, with, yield, async, global, decorators, star-arguments, exec, eval.
    """
}
