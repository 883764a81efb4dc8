internal import Files

/// The named tensors in what a pickle made.
///
/// A training file has them one level down, beside its optimizer's state; what is not named tensors
/// is left aside, and said.
struct StateDictionary {
  let tensors: [(name: String, view: TorchView)]
  let storages: [TorchStorage]
  let notes: [String]

  /// Where training files keep the tensors.
  private static let homes = ["state_dict", "model_state_dict", "model", "module", "model_state"]

  /// Finds the tensors in `value`.
  init(_ value: PickleValue, of machine: PickleMachine) throws(PickleMachine.Failure) {
    storages = machine.storages
    guard case .dictionary(let place) = value else {
      throw machine.fail(
        .pickleContents, "its pickle holds \(value.words), expected tensors by name: a state dict")
    }
    let top = machine.dictionaries[place]
    let inner = top.compactMap { entry -> (name: String, tensors: [(String, TorchView)])? in
      guard case .text(let name) = entry.key, case .dictionary(let place) = entry.value else {
        return nil
      }
      let found = Self.tensors(in: machine.dictionaries[place], of: machine)
      return found.isEmpty ? nil : (name, found)
    }
    // A training file may have tensors of its own at the top, such as a generator's state.
    let named = Self.homes.compactMap { home in inner.last { $0.name == home } }.first
    let own = Self.tensors(in: top, of: machine)
    if named == nil, !own.isEmpty || top.isEmpty {
      tensors = own
      notes = Self.notes(top.filter { if case .tensor = $0.value { false } else { true } })
      return
    }
    guard let home = named ?? (inner.count == 1 ? inner.first : nil) else {
      throw machine.fail(
        .pickleContents,
        inner.isEmpty
          ? "its pickle holds a dictionary without named tensors, expected a state dict"
          : "its pickle holds several dictionaries of tensors ("
            + inner.prefix(5).map { "'\($0.name.withVisibleControls)'" }.joined(separator: ", ")
            + "), and none is called state_dict or model; save the one you mean")
    }
    tensors = home.tensors
    notes =
      ["its tensors stand under '\(home.name.withVisibleControls)'"]
      + Self.notes(
        top.filter { if case .text(home.name) = $0.key { false } else { true } })
  }

  /// The tensors of a dictionary by name; of two with one name the later counts, as in Python.
  private static func tensors(
    in entries: [(key: PickleValue, value: PickleValue)], of machine: PickleMachine
  ) -> [(String, TorchView)] {
    var names: [String] = []
    var table = KeyTable()
    var found: [(String, TorchView)] = []
    for entry in entries {
      guard case .text(let name) = entry.key, case .tensor(let place) = entry.value else {
        continue
      }
      if let earlier = table.insert(name, into: &names) {
        found[earlier] = (name, machine.views[place])
      } else {
        found.append((name, machine.views[place]))
      }
    }
    return found
  }

  /// What stands beside the tensors, in words.
  private static func notes(_ others: [(key: PickleValue, value: PickleValue)]) -> [String] {
    let names = others.compactMap { entry in
      if case .text(let name) = entry.key { "'\(name.withVisibleControls)'" } else { nil }
    }
    guard let first = names.first else { return [] }
    return [
      names.count == 1
        ? "\(first) beside the tensors is left aside"
        : "\(first) and \(names.count - 1) more beside the tensors are left aside"
    ]
  }
}
