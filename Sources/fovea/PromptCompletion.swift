internal import Foundation
internal import Language
internal import Runtime
internal import Tensors
internal import Terminal

/// What can follow at a place of an unfinished text: commands, parameters, their values,
/// variables, names behind a dot, addresses in brackets, files.
struct PromptCompletion {
  private let session: Session
  private let text: String
  private let cursor: String.Index
  private let place: Place

  init(session: Session, text: String, cursor: String.Index) {
    (self.session, self.text, self.cursor) = (session, text, cursor)
    place = Place(String(text[..<cursor]))
  }

  var completions: Completions? {
    switch place.kind {
    case .comment: nil
    case .string(let begun, let subject):
      replacing(begun, subject.map(elementNames) ?? texts(begun))
    case .member(let begun, let owner): replacing(begun, memberNames(owner))
    case .word(let begun): replacing(begun, words)
    case .magic(let begun):
      replacing(begun, Magic.all.map { Candidate($0.written, detail: $0.summary) })
    }
  }

  /// Candidates that go on from what stands behind `offset` characters; case counts only where
  /// nothing would fit otherwise.
  private func replacing(_ offset: Int, _ candidates: [Candidate]) -> Completions? {
    let start = text.index(text.startIndex, offsetBy: offset)
    let typed = text[start..<cursor]
    var fitting = candidates.filter { $0.replacement.hasPrefix(typed) }
    if fitting.isEmpty {
      let lowered = typed.lowercased()
      fitting = candidates.filter { $0.replacement.lowercased().hasPrefix(lowered) }
    }
    return fitting.isEmpty ? nil : Completions(replacing: start..<cursor, with: fitting)
  }

  // MARK: Words

  private var words: [Candidate] {
    guard let call = place.call, let callee = parameters(of: call.name) else { return names }
    if let keyword = call.keyword {
      guard let fact = callee.first(where: { $0.name == keyword }) else { return names }
      return Self.withoutRepeats(values(of: fact) + variables)
    }
    let open = callee.enumerated().filter { index, fact in
      index >= call.argumentCount && !call.keywords.contains(fact.name)
    }.map(\.element)
    let given = open.map { fact in
      Candidate("\(fact.name)=", detail: "\(fact.expects). \(fact.summary)")
    }
    let next = open.first.map(values) ?? []
    // An expression may stand here as well, but what the call takes comes first.
    return Self.withoutRepeats(next + given + names)
  }

  private static func withoutRepeats(_ candidates: [Candidate]) -> [Candidate] {
    var seen: Set<String> = []
    return candidates.filter { seen.insert($0.replacement).inserted }
  }

  private func parameters(of name: String) -> [ParameterFacts]? {
    if let command = session.command(name) { return command.parameters }
    if case .function(let function)? = session[name] { return function.parameters }
    return nil
  }

  private func values(of fact: ParameterFacts) -> [Candidate] {
    let choices = fact.choices.map { Candidate(Shorthand.quoted($0), label: $0, detail: fact.name) }
    let known = Set(variables.map(\.replacement))
    return choices
      + fact.suggestions(session).filter { !fact.choices.contains($0) }.map { suggestion in
        known.contains(suggestion) || fact.words == .expression
          ? Candidate(suggestion, detail: session[suggestion].map(brief) ?? fact.name)
          : Candidate(Shorthand.quoted(suggestion), label: suggestion, detail: fact.name)
      }
  }

  private var names: [Candidate] {
    let commands = session.commands.map { Candidate($0.name, detail: $0.summary) }
    let taken = Set(commands.map(\.replacement))
    let functions = session.builtInNames.filter { !taken.contains($0) }
      .map { Candidate($0, detail: "function") }
    let keywords = ["True", "False", "None", "for", "if", "while", "def", "return", "assert"]
      .map { Candidate($0) }
    return variables + commands + functions + keywords
  }

  private var variables: [Candidate] {
    session.variables.map { Candidate($0.name, detail: brief($0.value)) }
  }

  private func brief(_ value: Value) -> String {
    switch value {
    case .tensor(let tensor, _):
      "Tensor [" + tensor.shape.map(String.init).joined(separator: ", ") + "]"
    case .object(let object): object.brief
    default: value.typeName
    }
  }

  // MARK: Behind a dot, in quotes

  private func memberNames(_ owner: String) -> [Candidate] {
    guard let value = session[owner] ?? session.space(owner).map({ .object($0) }) else { return [] }
    return session.attributeNames(of: value).map {
      Candidate($0, detail: session.summary(of: $0, in: value) ?? "")
    }
  }

  private func elementNames(_ owner: String) -> [Candidate] {
    switch session[owner] {
    case .object(let object)?: object.elementNames.map { Candidate($0) }
    case .dictionary(let mapping)?:
      mapping.keys.compactMap(\.text).map { Candidate($0) }
    default: []
    }
  }

  /// What a text that began at `begun` may be: one of those its parameter takes, or a file's path.
  private func texts(_ begun: Int) -> [Candidate] {
    guard let call = place.call, let callee = parameters(of: call.name) else {
      return fileNames(begun)
    }
    let fact =
      call.keyword.map { keyword in callee.first { $0.name == keyword } }
      ?? callee.dropFirst(call.argumentCount).first
    // What is read as an expression may hold the path of what it expects.
    guard let fact, fact.words != .expression else { return fileNames(begun) }
    let variables = Set(variables.map(\.replacement))
    let known =
      fact.choices
      + fact.suggestions(session).filter { !fact.choices.contains($0) && !variables.contains($0) }
    if fact.words == .path {
      return known.map { Candidate($0, detail: fact.name) } + fileNames(begun)
    }
    return known.isEmpty ? fileNames(begun) : known.map { Candidate($0, detail: fact.name) }
  }

  private func fileNames(_ begun: Int) -> [Candidate] {
    Self.fileNames(
      from: String(text[text.index(text.startIndex, offsetBy: begun)..<cursor]), in: session)
  }

  /// The files and folders that a path may go on to.
  static func fileNames(from typed: String, in session: Session) -> [Candidate] {
    let slash = typed.lastIndex(of: "/").map { typed.index(after: $0) } ?? typed.startIndex
    let folder = String(typed[..<slash])
    let url = session.readableURL(for: folder.isEmpty ? "." : folder)
    let found = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    let isHiddenWanted = typed[slash...].hasPrefix(".")
    return found.sorted().filter { isHiddenWanted || !$0.hasPrefix(".") }.prefix(1000).map { name in
      var isFolder: ObjCBool = false
      let path = url.appending(path: name).path
      _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let mark = isFolder.boolValue ? "/" : ""
      return Candidate(folder + name + mark, label: name + mark)
    }
  }
}
