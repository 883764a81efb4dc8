internal import Files

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
  ///
  /// - Parameter takesNull: whether null stands for the default, as the published library has it for
  ///   some keys; it refuses null for all others.
  func count(
    _ key: String, default fallback: Int, least: Int = 1, takesNull: Bool = false
  ) throws(ModelError) -> Int {
    let expected = "a whole number from \(least) to \(1 << 31)"
    guard let value = try given(key, takesNull: takesNull, expected) else { return fallback }
    guard let number = value.int, number >= least, number <= 1 << 31 else {
      throw bad(key, value, expected)
    }
    return number
  }

  /// The value of `key`; nothing where it is absent, or null where null is taken.
  private func given(
    _ key: String, takesNull: Bool, _ expected: String
  ) throws(ModelError) -> JSON? {
    guard let value = json?[key] else { return nil }
    guard value.isNull else { return value }
    guard takesNull else { throw bad(key, value, "\(expected); leave it out for the default") }
    return nil
  }

  /// A whole number, or nothing.
  func index(_ key: String) throws(ModelError) -> Int? {
    guard let value = json?[key], value != .null else { return nil }
    guard let number = value.int, number >= 0, number <= 1 << 31 else {
      throw bad(key, value, "a whole number of at least 0")
    }
    return number
  }

  /// A whole number; of a picture's or patch's sides, also a list of two that are equal.
  func side(_ key: String, default fallback: Int) throws(ModelError) -> Int {
    guard let sides = json?[key]?.array else { return try count(key, default: fallback) }
    guard sides.count == 2, sides[0] == sides[1], let side = sides[0].int, side >= 1,
      side <= 1 << 31
    else {
      throw bad(key, json?[key] ?? .null, "a whole number, or two that are equal: squares are read")
    }
    return side
  }

  /// A number of at least 0; null as in `count`.
  func number(
    _ key: String, default fallback: Double, takesNull: Bool = false
  ) throws(ModelError) -> Double {
    let expected = "a number of at least 0"
    guard let value = try given(key, takesNull: takesNull, expected) else { return fallback }
    guard let number = value.double, number.isFinite, number >= 0 else {
      throw bad(key, value, expected)
    }
    return number
  }

  /// A number of at least 0 that float32 has.
  func float(_ key: String, default fallback: Double) throws(ModelError) -> Float {
    let number = Float(try number(key, default: fallback))
    try require(number.isFinite, key, "a number that float32 has")
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

  /// True or false; null, which Python would take for false, is neither.
  func flag(_ key: String, default fallback: Bool) throws(ModelError) -> Bool {
    guard let value = json?[key] else { return fallback }
    guard let flag = value.bool else { throw bad(key, value, "true or false") }
    return flag
  }

  /// One of the cases of an enumeration; null is none of them.
  func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, default fallback: T
  ) throws(ModelError) -> T where T.RawValue == String {
    guard let value = json?[key] else { return fallback }
    // A version may be written as a number.
    let number = value.double.flatMap { given in
      T.allCases.first { Double($0.rawValue) == given }
    }
    guard let choice = number ?? value.text.flatMap({ T(rawValue: $0) }) else {
      throw bad(key, value, T.allCases.map { "'\($0.rawValue)'" }.joined(separator: " or "))
    }
    return choice
  }

  /// Fails unless `condition` holds of the value of `key`.
  func require(_ condition: Bool, _ key: String, _ expected: String) throws(ModelError) {
    if !condition { throw bad(key, json?[key] ?? .null, expected) }
  }

  /// Refuses means and deviations that no picture has, under the names of their keys.
  func requireUsable(
    mean: [Double], _ meanKey: String, deviation: [Double], _ deviationKey: String
  ) throws(ModelError) {
    try require(
      mean.allSatisfy { abs($0) <= 65_535 }, meanKey, "levels of colours: at most 65,535")
    try require(
      deviation.allSatisfy { $0 >= 1e-6 && $0 <= 65_535 }, deviationKey,
      "numbers from 0.000001 to 65,535: a deviation is above 0")
  }

  /// A key with the path of its section.
  func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

  /// What is wrong with the value of `key`.
  func bad(_ key: String, _ found: JSON, _ expected: String) -> ModelError {
    let isAbsent = found == .null && json?[key] == nil
    let text = isAbsent ? "absent" : String(found.written().prefix(80))
    return .badConfiguration(file: file, key: name(key), found: text, expected: expected)
  }
}
