internal import Runtime

extension Commands {
  /// The reference of all commands, as Markdown, written from their declarations.
  public static var reference: String {
    var groups: [(name: String, commands: [Command])] = []
    for command in all {
      if let place = groups.firstIndex(where: { $0.name == command.group }) {
        groups[place].commands.append(command)
      } else {
        groups.append((command.group, [command]))
      }
    }
    var lines = [
      "# Reference", "",
      "Every command, written from its declaration: the same text as `help(name)` at the prompt.",
      "Every example runs as it stands.", "",
    ]
    for group in groups {
      let names = group.commands.map { "[`\($0.name)`](#\($0.name))" }
      lines.append("- \(group.name): \(names.joined(separator: ", "))")
    }
    lines.append("")
    for group in groups {
      lines += ["# \(group.name)", ""]
      for command in group.commands { lines.append(command.page) }
    }
    return lines.joined(separator: "\n")
  }
}
