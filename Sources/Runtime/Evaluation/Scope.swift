internal import Synchronization

/// The variables of one function call, one comprehension, or the whole session.
final class Scope: Sendable {
  /// Names that belong to this scope even before they have a value; nil for the session's own,
  /// where any name may be set.
  let localNames: Set<String>?
  let parent: Scope?
  private let storage: Mutex<Variables>

  struct Variables: Sendable {
    var values: [String: Value] = [:]
    /// In the order of their first assignment; kept for the session's own scope only.
    var order: [String] = []
  }

  init(parent: Scope? = nil, localNames: Set<String>? = nil, values: [String: Value] = [:]) {
    (self.parent, self.localNames) = (parent, localNames)
    storage = Mutex(Variables(values: values))
  }

  subscript(_ name: String) -> Value? { storage.withLock { $0.values[name] } }

  func set(_ name: String, to value: Value) {
    // What was there is freed after the lock is given up.
    let old = storage.withLock { variables -> Value? in
      let old = variables.values.updateValue(value, forKey: name)
      if old == nil, parent == nil { variables.order.append(name) }
      return old
    }
    withExtendedLifetime(old) {}
  }

  /// Adds to the text that a name of this scope stands for, in place; false where it stands for
  /// something else.
  ///
  /// - Parameter more: gets the bytes that there are and gives what is added.
  func extendText(_ name: String, _ more: (_ byteCount: Int) throws -> String) throws -> Bool {
    let count = storage.withLock { variables -> Int? in
      if case .text(let text)? = variables.values[name] { text.string.utf8.count } else { nil }
    }
    guard let count else { return false }
    let addition = try more(count)
    return storage.withLock { variables in
      guard let place = variables.values.index(forKey: name),
        case .text(var text) = variables.values.values[place]
      else { return false }
      // Held twice, it would be copied.
      variables.values.values[place] = .none
      text.append(addition)
      variables.values.values[place] = .text(text)
      return true
    }
  }

  func remove(_ name: String) {
    let old = storage.withLock { variables in
      variables.order.removeAll { $0 == name }
      return variables.values.removeValue(forKey: name)
    }
    withExtendedLifetime(old) {}
  }

  func removeAll() {
    let old = storage.withLock { variables in
      let old = variables.values
      variables = Variables()
      return old
    }
    withExtendedLifetime(old) {}
  }

  var names: [String] { storage.withLock { $0.order } }
  var allNames: [String] { storage.withLock { $0.values.keys.sorted() } }
}
