internal import Files
public import FoundationEssentials

/// Reads a tokenizer from a folder as published.
public enum TokenizerFolder {
  /// Which of a folder's files to read.
  public enum Layout: Sendable {
    /// `tokenizer.json` if there is one, else the older files.
    case newest
    /// `vocab.json` with `merges.txt`, `vocab.txt`, `tokenizer.model` or Qwen-VL's ranks.
    case older
  }

  /// How texts are handled before they are tokens.
  public enum TextHandling: Sendable {
    /// As the folder's own files say, which is transformers' way.
    case asWritten
    /// As OpenCLIP does where the vocabulary is CLIP's: cleaned first, see `OpenCLIPText`.
    case openCLIP
  }

  /// Reads the tokenizer of `folder`, with texts handled as another library does.
  ///
  /// - Throws: `TokenizerError`.
  public static func read(_ folder: URL, handling: TextHandling) throws -> any Tokenizer {
    let tokenizer = try read(folder)
    guard handling == .openCLIP, let own = tokenizer as? FileTokenizer, own.isCLIP else {
      return tokenizer
    }
    return own.asOpenCLIP()
  }

  /// Reads the tokenizer of `folder`.
  ///
  /// - Throws: `TokenizerError`.
  public static func read(
    _ folder: URL, layout: Layout = .newest
  ) throws -> any Tokenizer {
    let files = TokenizerFiles(folder: folder)
    if layout == .newest, files.has("tokenizer.json") {
      return try files.readingErrors { try TokenizerJSON.read(files) }
    }
    if let name = try files.readingErrors({ try RankFiles.name(files) }) {
      return try files.readingErrors { try RankFiles.read(files, name) }
    }
    if files.has("vocab.json") { return try files.readingErrors { try OlderFiles.readBPE(files) } }
    if files.has("vocab.txt") { return try files.readingErrors { try OlderFiles.readBERT(files) } }
    if files.has("tokenizer.model") {
      return try files.readingErrors { try SentencePieceFiles.read(files) }
    }
    throw TokenizerError.noTokenizer(folder: folder.path(percentEncoded: false))
  }
}

/// The files of one folder, and what the small ones say about special tokens.
struct TokenizerFiles {
  let folder: URL

  func url(_ name: String) -> URL { folder.appending(path: name) }

  /// The path of a file, as errors name it.
  func path(_ name: String) -> String { url(name).path(percentEncoded: false) }

  func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  /// All bytes of a file.
  func bytes(_ name: String) throws -> [UInt8] {
    try WholeFile.read(url(name), limit: 1 << 28)
  }

  /// A small file's JSON; `null` if the folder has no such file.
  func optionalJSON(_ name: String) throws -> JSON {
    has(name) ? try JSON(file: url(name), limit: 1 << 24) : .null
  }

  /// Gives failures to read the type that says so.
  func readingErrors<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let failure as FileFailure {
      throw TokenizerError.unreadable(failure)
    }
  }

  /// Reads `name` token by token.
  func scan<T>(_ name: String, _ body: (inout JSON.Scanner) throws -> T) throws -> T {
    let bytes = try bytes(name)
    do {
      return try bytes.withUnsafeBufferPointer { bytes in
        var scanner = try JSON.Scanner(bytes)
        let result = try body(&scanner)
        if scanner.peek() != nil {
          throw scanner.failure("the value has ended, but \(scanner.found()) follows")
        }
        return result
      }
    } catch let failure as JSON.Failure {
      throw FileFailure(path(name), .notJSON(failure))
    }
  }

  func wrong(_ name: String, _ key: String, _ found: String, _ expected: String) -> TokenizerError {
    .wrong(file: path(name), key: key, found: found, expected: expected)
  }

  func unsupported(
    _ name: String, _ key: String, _ found: String, _ supported: String
  ) -> TokenizerError {
    .unsupported(file: path(name), key: key, found: found, supported: supported)
  }

  /// The spelling of each role's token: `tokenizer_config.json` goes before
  /// `special_tokens_map.json`.
  func spellings(_ configuration: JSON) throws -> [(role: SpecialRole, token: JSON)] {
    let map = try optionalJSON("special_tokens_map.json")
    return SpecialRole.allCases.compactMap { role in
      // The map keeps flags that the newer file may leave out.
      let inMap = map[role.rawValue]
      let inFile = configuration[role.rawValue]
      let token = inFile?.object == nil && inMap?.object != nil ? inMap ?? .null : inFile ?? inMap
      guard let token, token.spelling != nil else { return nil }
      return (role, token)
    }
  }
}

extension JSON {
  /// A special token's text: written as such or as an object's `content`.
  var spelling: String? { text ?? self["content"]?.text }
}

extension JSON.Scanner {
  /// Calls `body` on each member of the object that comes next; `body` takes the value.
  mutating func eachMember(_ body: (String, inout JSON.Scanner) throws -> Void) throws {
    guard take("{") else { throw failure("expected an object, found \(found())") }
    if take("}") { return }
    while true {
      guard peek() == UInt8(ascii: "\"") else {
        throw failure("expected a member's name in quotes, found \(found())")
      }
      let key = try string()
      guard take(":") else { throw failure("expected ':', found \(found())") }
      try body(key, &self)
      if take(",") { continue }
      if take("}") { return }
      throw failure("expected ',' or '}', found \(found())")
    }
  }

  /// Calls `body` before each entry of the array that comes next; `body` takes the value.
  mutating func eachEntry(_ body: (inout JSON.Scanner) throws -> Void) throws {
    guard take("[") else { throw failure("expected an array, found \(found())") }
    if take("]") { return }
    while true {
      try body(&self)
      if take(",") { continue }
      if take("]") { return }
      throw failure("expected ',' or ']', found \(found())")
    }
  }

  /// The string that comes next.
  mutating func text() throws -> String {
    guard peek() == UInt8(ascii: "\"") else {
      throw failure("expected a string, found \(found())")
    }
    return try string()
  }
}
