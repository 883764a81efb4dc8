internal import Checkpoints
internal import Files
internal import Foundation

/// Reads checked values of one configuration object, with the library's defaults for absent ones.
struct ConfigurationReader {
  let file: String
  let path: String
  let json: JSON?

  /// The object under `key`; an absent one is empty, so that every value takes its default.
  func section(_ key: String) throws(ModelError) -> ConfigurationReader {
    let value = json?[key]
    if let value, value != .null, value.object == nil {
      throw bad(key, value, "an object")
    }
    return ConfigurationReader(file: file, path: name(key), json: value)
  }

  /// A whole number of at least `least`.
  func count(_ key: String, default fallback: Int, least: Int = 1) throws(ModelError) -> Int {
    guard let value = json?[key], value != .null else { return fallback }
    guard let number = value.int, number >= least, number <= 1 << 31 else {
      throw bad(key, value, "a whole number from \(least) to \(1 << 31)")
    }
    return number
  }

  /// A whole number, or nothing.
  func index(_ key: String) throws(ModelError) -> Int? {
    guard let value = json?[key], value != .null else { return nil }
    guard let number = value.int, number >= 0, number <= 1 << 31 else {
      throw bad(key, value, "a whole number of at least 0")
    }
    return number
  }

  /// A positive number.
  func number(_ key: String, default fallback: Double) throws(ModelError) -> Double {
    guard let value = json?[key], value != .null else { return fallback }
    guard let number = value.double, number.isFinite, number >= 0 else {
      throw bad(key, value, "a number of at least 0")
    }
    return number
  }

  /// A list of `count` numbers.
  func numbers(
    _ key: String, default fallback: [Double], count: Int
  ) throws(ModelError) -> [Double] {
    guard let value = json?[key], value != .null else { return fallback }
    let numbers = value.array?.compactMap(\.double) ?? []
    guard numbers.count == count, numbers.count == value.array?.count else {
      throw bad(key, value, "a list of \(count) numbers")
    }
    return numbers
  }

  /// True or false.
  func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    guard let value = json?[key], value != .null else { return fallback }
    guard let flag = value.bool else { throw bad(key, value, "true or false") }
    return flag
  }

  /// One of the cases of an enumeration.
  func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: T
  ) throws(ModelError) -> T where T.RawValue == String {
    guard let value = json?[key], value != .null else { return fallback }
    guard let text = value.text, let choice = T(rawValue: text) else {
      throw bad(key, value, T.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or "))
    }
    return choice
  }

  /// Fails unless `condition` holds of the value of `key`.
  func require(_ condition: Bool, _ key: String, _ expected: String) throws(ModelError) {
    if !condition { throw bad(key, json?[key] ?? .null, expected) }
  }

  private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  private func bad(_ key: String, _ found: JSON, _ expected: String) -> ModelError {
    let text = found == .null ? "absent" : String(found.written().prefix(80))
    return .badConfiguration(file: file, key: name(key), found: text, expected: expected)
  }
}

extension ConfigurationReader {
  /// `generation_config.json`, how the published model writes; every value takes its default where
  /// the folder has none.
  static func generation(_ folder: CheckpointFolder) throws -> ConfigurationReader {
    let name = "generation_config.json"
    return ConfigurationReader(
      file: folder.url.appending(path: name).path, path: "", json: try folder.jsonIfPresent(name))
  }
}
