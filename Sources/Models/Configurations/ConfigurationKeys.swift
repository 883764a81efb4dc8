internal import Checkpoints
internal import Files

/// What is done with each key of a published class of settings.
///
/// Every key stands in a table: it is read, refused where it is not the value that is built here, or
/// harmless. A key that is in no table is said when a model is read.
struct ConfigurationKeys: Sendable {
  /// What is done with a key.
  enum Use: Sendable {
    /// Its value counts.
    case read
    /// Refused unless it is absent, null or one of these.
    case only([JSON])
    /// It does not change what is computed here.
    case harmless
  }

  /// A key, what is done with it and why, in words.
  struct Key: Sendable {
    let name: String
    let use: Use
    let reason: String
  }

  /// The published class, such as `ViTConfig`.
  let className: String
  /// Its keys, in order.
  let keys: [Key]

  /// The keys of a class, those that all classes share behind its own; a name that comes twice is the
  /// first.
  init(_ className: String, _ own: [Key], shared: [Key] = Self.published) {
    self.className = className
    var seen: Set<String> = []
    keys = (own + shared).filter { seen.insert($0.name).inserted }
  }

  /// The table's entry of a key.
  subscript(_ name: String) -> Key? { keys.first { $0.name == name } }

  /// Refuses values that are not built, and gives the keys that are in no table, with the section's
  /// path before them.
  func unknownKeys(in reader: ConfigurationReader) throws(ModelError) -> [String] {
    var unknown: [String] = []
    for (name, value) in reader.json?.object?.members ?? [] {
      guard let key = self[name] else {
        unknown.append(reader.name(name))
        continue
      }
      guard case .only(let allowed) = key.use, !value.isNull else { continue }
      try reader.require(
        allowed.contains { $0.isSame(as: value) }, name,
        (allowed.isEmpty ? ["absent"] : allowed.map { $0.text.map { "'\($0)'" } ?? $0.written() })
          .joined(separator: " or ") + ": \(key.reason)")
    }
    return unknown
  }

  /// Refuses settings that are given in place of a folder's own where no such key is read.
  static func check(given folder: CheckpointFolder) throws {
    let known = all.flatMap { $0.keys.map(\.name) }
    for path in folder.givenSettings.keys {
      guard folder.has("config.json") else {
        throw ModelError.unknownSetting(path, reason: "\(folder.path) has no config.json")
      }
      guard let unknown = path.split(separator: ".").first(where: { !known.contains(String($0)) })
      else { continue }
      throw ModelError.unknownSetting(path, reason: "no key '\(unknown)' is read in config.json")
    }
  }

  /// What to say of keys that are in no table; nil where there are none.
  static func note(_ unknown: [String], file: String) -> String? {
    guard !unknown.isEmpty else { return nil }
    let shown = unknown.prefix(8).map { "'\($0.prefix(60))'" }.joined(separator: ", ")
    return "\(file) has \(unknown.count == 1 ? "a key that is" : "keys that are") not known here: "
      + shown + (unknown.count > 8 ? " and \(unknown.count - 8) more" : "")
      + "; what \(unknown.count == 1 ? "it changes" : "they change") is not done"
  }
}

extension ConfigurationKeys.Key {
  static func read(_ names: String...) -> [Self] {
    names.map { Self(name: $0, use: .read, reason: "") }
  }

  static func harmless(_ reason: String, _ names: String...) -> [Self] {
    names.map { Self(name: $0, use: .harmless, reason: reason) }
  }

  static func only(_ name: String, _ values: JSON..., because reason: String) -> [Self] {
    [Self(name: name, use: .only(values), reason: reason)]
  }
}

extension JSON {
  /// Whether two values say the same; 0 and 0.0 do.
  fileprivate func isSame(as other: JSON) -> Bool {
    if let number = double, let second = other.double { return number == second }
    return self == other
  }
}
