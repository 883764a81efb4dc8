internal import Files

/// Reads lists of added tokens.
struct AddedTokenReading {
  let files: TokenizerFiles
  let name: String

  /// Reads `added_tokens` of `tokenizer.json`, and holds it against the vocabulary.
  func read(_ list: JSON, beside tokens: TokenTable) throws -> [AddedToken] {
    guard let entries = list.array else {
      throw files.wrong(name, "added_tokens", list.kindName, "an array")
    }
    var added: [AddedToken] = []
    for (place, entry) in entries.enumerated() {
      let key = "added_tokens[\(place)]"
      guard let id = entry["id"]?.int else {
        throw files.wrong(name, "\(key).id", entry["id"]?.kindName ?? "nothing", "an integer")
      }
      added.append(try token(entry, id: id, key: key, isStrict: true))
    }
    try check(added, beside: tokens, key: "added_tokens")
    return added
  }

  /// Reads one token's object.
  ///
  /// - Parameter isStrict: whether every flag must be there, as in `tokenizer.json`.
  func token(_ entry: JSON, id: Int, key: String, isStrict: Bool = false) throws -> AddedToken {
    guard let content = entry["content"]?.text, !content.isEmpty else {
      throw files.wrong(
        name, "\(key).content", entry["content"]?.kindName ?? "nothing", "the token's text")
    }
    func flag(_ field: String, _ absent: Bool = false) throws -> Bool {
      try files.flag(name, entry, field, of: key, absent: isStrict ? nil : absent)
    }
    let isSpecial = try flag("special")
    return AddedToken(
      id: id, content: content, isSingleWord: try flag("single_word"),
      takesSpaceBefore: try flag("lstrip"), takesSpaceAfter: try flag("rstrip"),
      isNormalized: try flag("normalized", !isSpecial), isSpecial: isSpecial)
  }

  /// Refuses tokens that contradict each other or the vocabulary.
  func check(_ added: [AddedToken], beside tokens: TokenTable, key: String) throws {
    var contents: [Int: String] = [:]
    var ids: [[UInt8]: Int] = [:]
    for token in added {
      let place = "\(key)[\(token.content.quoted)]"
      guard token.id >= 0 && token.id < TokenTable.idLimit else {
        throw files.wrong(
          name, place, "id \(token.id)", "ids from 0 to \(TokenTable.idLimit - 1)")
      }
      if let other = contents.updateValue(token.content, forKey: token.id) {
        throw files.wrong(
          name, place, "id \(token.id), which is also \(other.quoted)'s", "one token an id")
      }
      if let other = ids.updateValue(token.id, forKey: Array(token.content.utf8)) {
        throw files.wrong(name, place, "ids \(other) and \(token.id)", "the token once")
      }
      if let known = tokens.id(token.content), known != token.id {
        throw files.wrong(
          name, place, "id \(token.id)", "id \(known), as in the vocabulary")
      }
      if let other = tokens.string(token.id), !other.utf8.elementsEqual(token.content.utf8) {
        throw files.wrong(
          name, place, "id \(token.id)",
          "an id of its own; in the vocabulary it is \(other.quoted)'s")
      }
    }
  }

  /// The ids of the roles whose tokens there are.
  static func roles(
    _ spellings: [(role: SpecialRole, token: JSON)], _ tokens: TokenTable, _ added: [AddedToken]
  ) -> [SpecialRole: Int] {
    var roles: [SpecialRole: Int] = [:]
    for (role, token) in spellings {
      guard let spelling = token.spelling else { continue }
      roles[role] = added.first { $0.content == spelling }?.id ?? tokens.id(spelling)
    }
    return roles
  }
}
