internal import Files

/// Fields of an object, read as strictly as the reference does: a field of another type is refused, and
/// one that is absent takes a default only where the reference has one.
extension TokenizerFiles {
  /// True or false.
  ///
  /// - Parameters:
  ///   - key: where the object stands, for errors.
  ///   - absent: what an absent field means; nil where it must be there.
  ///   - null: what `null` means; nil where it is refused.
  func flag(
    _ name: String, _ object: JSON?, _ field: String, of key: String, absent: Bool? = nil,
    null: Bool? = nil
  ) throws -> Bool {
    switch object?[field] {
    case .bool(let flag): return flag
    case nil: if let absent { return absent }
    case .null: if let null { return null }
    default: break
    }
    throw wrong(name, "\(key).\(field)", kind(of: object?[field]), "true or false")
  }

  /// Text; `absent` where the field is, if that may be.
  func text(
    _ name: String, _ object: JSON?, _ field: String, of key: String, absent: String? = nil
  ) throws -> String {
    if let text = object?[field]?.text { return text }
    if object?[field] == nil, let absent { return absent }
    throw wrong(name, "\(key).\(field)", kind(of: object?[field]), "a string")
  }

  /// Text, or nothing where the field is absent or `null`.
  func optionalText(
    _ name: String, _ object: JSON?, _ field: String, of key: String
  ) throws -> String? {
    switch object?[field] {
    case nil, .null: nil
    default: try text(name, object, field, of: key)
    }
  }

  /// A whole number of at least 0.
  @discardableResult
  func count(_ name: String, _ object: JSON?, _ field: String, of key: String) throws -> Int {
    guard let count = object?[field]?.int, count >= 0 else {
      throw wrong(
        name, "\(key).\(field)", kind(of: object?[field]), "a whole number of at least 0")
    }
    return count
  }

  private func kind(of value: JSON?) -> String {
    switch value {
    case nil: "nothing"
    case .integer(let number)?: "\(number)"
    case let value?: value.kindName
    }
  }
}

extension PipelineReading {
  /// Checks what a file says about cutting and filling up, which is done elsewhere when it is asked for.
  func checkLimits(truncation: JSON, padding: JSON) throws {
    if !truncation.isNull {
      let key = "truncation"
      try checkObject(truncation, key)
      try files.count(name, truncation, "max_length", of: key)
      try files.count(name, truncation, "stride", of: key)
      _ = try files.text(name, truncation, "strategy", of: key)
      _ = try files.text(name, truncation, "direction", of: key, absent: "Right")
    }
    if !padding.isNull {
      let key = "padding"
      try checkObject(padding, key)
      if padding["strategy"]?.object == nil {
        _ = try files.text(name, padding, "strategy", of: key)
      }
      _ = try files.text(name, padding, "direction", of: key)
      _ = try files.text(name, padding, "pad_token", of: key)
      try files.count(name, padding, "pad_id", of: key)
      try files.count(name, padding, "pad_type_id", of: key)
    }
  }

  /// Checks the flags that ByteLevel has wherever it stands; those that only offsets need count for
  /// nothing here.
  func checkByteLevel(_ step: JSON, _ key: String) throws {
    for field in ["add_prefix_space", "trim_offsets"] {
      _ = try files.flag(name, step, field, of: key)
    }
    _ = try files.flag(name, step, "use_regex", of: key, absent: true)
  }

  /// Checks one side of a template: an array of texts' places and special tokens.
  func checkTemplate(_ value: JSON?, _ key: String) throws {
    guard let entries = value?.array else {
      throw files.wrong(name, key, value?.kindName ?? "nothing", "an array")
    }
    for (place, entry) in entries.enumerated() {
      let here = "\(key)[\(place)]"
      guard entry.object?.count == 1, let kind = entry.object?.keys[0],
        kind == "Sequence" || kind == "SpecialToken"
      else { throw files.wrong(name, here, entry.kindName, "SpecialToken or Sequence") }
      let id = try files.text(name, entry[kind], "id", of: "\(here).\(kind)")
      try files.count(name, entry[kind], "type_id", of: "\(here).\(kind)")
      if kind == "Sequence", id != "A", id != "B" {
        throw files.wrong(name, "\(here).Sequence.id", id.quoted, "'A' or 'B'")
      }
    }
  }

  private func checkObject(_ value: JSON, _ key: String) throws {
    guard value.object != nil else {
      throw files.wrong(name, key, value.kindName, "an object or null")
    }
  }
}
