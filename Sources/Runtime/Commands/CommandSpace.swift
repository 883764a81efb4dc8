/// Commands whose names begin alike, such as `change.zero` and `change.take`: what stands before the dot.
///
/// A name space leaves short names free for people's own variables.
struct CommandSpace: ForeignObject {
  let name: String
  let commands: [Command]

  var typeName: String { "name space" }
  var shown: String {
    let width = commands.map(\.name.count).max() ?? 0
    return commands.map { command in
      command.name + String(repeating: " ", count: width - command.name.count + 2)
        + command.summary
    }.joined(separator: "\n")
  }
  var brief: String { "the commands of \(name)" }

  var attributeNames: [String] { commands.map { String($0.name.dropFirst(name.count + 1)) } }

  func attribute(_ attribute: String) -> Value? {
    commands.first { $0.name == "\(name).\(attribute)" }.map { .command($0) }
  }
}

extension Session {
  /// The commands whose names begin with `name` and a dot; nil where there are none.
  public func space(_ name: String) -> (any ForeignObject)? {
    let inside = commands.filter { $0.name.hasPrefix(name + ".") }
    return inside.isEmpty ? nil : CommandSpace(name: name, commands: inside)
  }
}
