/// What OpenCLIP does to a text before it is cut into tokens (`open_clip.tokenizer`, clean `lower`).
enum OpenCLIPText {
  /// The text mended, HTML's references read twice, white space made single spaces, in small letters.
  static func cleaned(_ text: String) -> String {
    // Most texts are plain: nothing of what follows would change them.
    if let plain = plain(text) { return plain }
    var scalars = TextRepair.repaired(Array(text.unicodeScalars))
    scalars = HTMLEntities.unescaped(HTMLEntities.unescaped(scalars))
    return lowercased(withSingleSpaces(scalars))
  }

  /// A text of ASCII letters, digits and single spaces, in small letters; nil for any other.
  private static func plain(_ text: String) -> String? {
    let isPlain = text.utf8.allSatisfy { byte in
      byte == 0x20 || byte == 0x2C || byte == 0x2E || 0x30...0x39 ~= byte || 0x41...0x5A ~= byte
        || 0x61...0x7A ~= byte
    }
    guard isPlain, !text.hasPrefix(" "), !text.hasSuffix(" "), !text.contains("  ") else {
      return nil
    }
    return text.lowercased()
  }

  private static func withSingleSpaces(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    Array(text.split(whereSeparator: TokenDecoder.isStripped).joined(separator: [" "]))
  }

  /// Small letters; a sigma at the end of a word is ς.
  static func lowercased(_ text: [Unicode.Scalar]) -> String {
    var result = String.UnicodeScalarView()
    for (place, scalar) in text.enumerated() {
      if scalar == "Σ" {
        let before = text[..<place].last { !$0.properties.isCaseIgnorable }
        let after = text[(place + 1)...].first { !$0.properties.isCaseIgnorable }
        let isLast = before?.properties.isCased == true && after?.properties.isCased != true
        result.append(isLast ? "ς" : "σ")
      } else {
        for small in scalar.properties.lowercaseMapping.unicodeScalars { result.append(small) }
      }
    }
    return String(result)
  }
}

extension FileTokenizer {
  /// The same vocabulary, with texts handled as OpenCLIP does: cleaned first, only its own spellings of
  /// begin and end are those tokens, and words are cut by its pattern alone.
  func asOpenCLIP() -> any Tokenizer { OpenCLIPTokenizer(self) }
}

/// A CLIP's vocabulary with OpenCLIP's handling of texts.
struct OpenCLIPTokenizer: Tokenizer {
  private let vocabulary: FileTokenizer
  private let words: FileTokenizer
  private let begin, end: Int?

  fileprivate init(_ vocabulary: FileTokenizer) {
    self.vocabulary = vocabulary
    words = vocabulary.with(normalizers: [], preTokenizers: [.pattern(.openCLIPPlain)])
    begin = vocabulary.id("<|startoftext|>") ?? vocabulary.id(for: .beginning)
    end = vocabulary.id("<|endoftext|>") ?? vocabulary.id(for: .end)
  }

  func encode(_ text: String, addSpecialTokens: Bool) -> [Int] {
    encode(text, EncodingOptions(addSpecialTokens: addSpecialTokens))
  }

  func encode(_ text: String, options: EncodingOptions) throws(PathFailure) -> [Int] {
    encode(text, options)
  }

  private func encode(_ text: String, _ options: EncodingOptions) -> [Int] {
    let bytes = ArraySlice(Array(OpenCLIPText.cleaned(text).utf8))
    var ids: [Int] = []
    var start = bytes.startIndex
    func finish(at end: Int) {
      guard start < end else { return }
      words.append(String(decoding: bytes[start..<end], as: UTF8.self), to: &ids)
    }
    let parses = options.parseSpecialTokens == .usual || options.parseSpecialTokens == .all
    let found = parses ? WordPattern.openCLIP.words(in: bytes) : []
    for word in found where bytes[word.lowerBound] == UInt8(ascii: "<") {
      let isBegin = bytes[word].elementsEqual("<start_of_text>".utf8)
      guard isBegin || bytes[word].elementsEqual("<end_of_text>".utf8),
        let id = isBegin ? begin : end
      else { continue }
      finish(at: word.lowerBound)
      ids.append(id)
      start = word.upperBound
    }
    finish(at: bytes.endIndex)
    guard options.addSpecialTokens else { return ids }
    return [begin].compactMap { $0 } + ids + [end].compactMap { $0 }
  }

  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String {
    vocabulary.decode(ids, skipSpecialTokens: skipSpecialTokens)
  }
  func token(_ id: Int) -> String? { vocabulary.token(id) }
  func id(_ token: String) -> Int? { vocabulary.id(token) }
  func isSpecial(_ id: Int) -> Bool { vocabulary.isSpecial(id) }
  func id(for role: SpecialRole) -> Int? { vocabulary.id(for: role) }
  var vocabularySize: Int { vocabulary.vocabularySize }
  var tokenDecoder: TokenDecoder { vocabulary.tokenDecoder }
}
