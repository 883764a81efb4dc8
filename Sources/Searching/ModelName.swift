internal import Files

/// What people call a model, and the folder it was read from.
public struct ModelName: Sendable, Equatable, CustomStringConvertible {
  /// What people call it.
  public let name: String
  /// The folder it was read from.
  public let folder: String

  /// Names a model.
  public init(name: String, folder: String) { (self.name, self.folder) = (name, folder) }

  init(_ json: JSON?) {
    self.init(name: json?["name"]?.text ?? "?", folder: json?["folder"]?.text ?? "?")
  }

  var json: JSON { ["name": .string(name), "folder": .string(folder)] }

  /// The name, and the folder in brackets.
  public var description: String { "\(name) (\(folder))".withVisibleControls }
}
