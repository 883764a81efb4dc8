internal import Files

/// What a state dict's calls stand for.
extension PickleMachine {
  /// Numbers in a row, from the tuple that the pickle names them by: `storage`, their type, a key, a
  /// device, how many; in old files a view of others behind it.
  mutating func storage(_ value: PickleValue) throws(Failure) -> PickleValue {
    let parts = try tuple(value, "the parts of a storage")
    guard parts.count == 5 || parts.count == 6, case .text("storage") = parts[0],
      case .name(let kind) = parts[1], case .text(let key) = parts[2],
      case .integer(let count) = parts[4], count >= 0
    else {
      throw fail(
        .pickleStorage,
        "a storage must be ('storage', type, key, device, count), found \(parts.map(\.words))")
    }
    var (type, unread, size): (StoredType?, String?, Int) = (nil, nil, 1)
    switch kind {
    case .storage(let known): (type, size) = (known, known?.size ?? 1)
    case .unreadStorage(let name, let each): (unread, size) = (name, each)
    default: throw fail(.pickleStorage, "storage '\(shown(key))' has no type of storages")
    }
    var (root, offset): (String, Int?) = (key, nil)
    if parts.count == 6, case .tuple = parts[5] {
      let view = try tuple(parts[5], "the parts of a storage's view")
      guard view.count == 3, case .text(let base) = view[0], case .integer(let place) = view[1],
        place >= 0, case .integer(count) = view[2]
      else { throw fail(.pickleStorage, "storage '\(shown(key))' is a view of nothing") }
      (root, offset) = (base, place)
    }
    storages.append(
      TorchStorage(
        key: root, type: type, unreadType: unread, elementSize: size, count: count, offset: offset)
    )
    return .storage(storages.count - 1)
  }

  /// What a call of `name` would have made.
  mutating func result(
    of name: PickleName, _ arguments: [PickleValue]
  ) throws(Failure) -> PickleValue {
    switch name {
    case .tensor, .typedTensor: return try view(arguments, isTyped: name == .typedTensor)
    case .parameter:
      guard let first = arguments.first, case .tensor = first else {
        throw fail(.pickleView, "a parameter is made of \(words(arguments)), expected a tensor")
      }
      return first
    case .withClass:
      guard arguments.count >= 3, case .name(let inner) = arguments[0],
        case .name(.tensorClass) = arguments[1], inner == .tensor || inner == .typedTensor
      else { throw fail(.pickleView, "a tensor of a class is made of \(words(arguments))") }
      return try result(of: inner, try tuple(arguments[2], "a tensor's parts"))
    case .unreadTensor(let kind):
      views.append(
        TorchView(
          storage: -1, offset: 0, shape: [], strides: [], unreadType: kind))
      return .tensor(views.count - 1)
    case .orderedDictionary: return newDictionary(try entries(arguments))
    case .otherDictionary: return newDictionary([])
    case .plain, .pythonType: return .other
    case .storage, .unreadStorage, .type, .unreadType, .tensorClass:
      throw fail(.pickleName, "it calls a type of PyTorch, which no state dict does")
    }
  }

  /// The entries of an ordered dictionary that is made of a list of pairs, as old files do.
  private func entries(
    _ arguments: [PickleValue]
  ) throws(Failure) -> [(key: PickleValue, value: PickleValue)] {
    guard let first = arguments.first else { return [] }
    guard case .list(let place) = first, arguments.count == 1 else {
      throw fail(.pickleSyntax, "a dictionary is made of \(words(arguments)), expected a list")
    }
    var entries: [(key: PickleValue, value: PickleValue)] = []
    for pair in lists[place] {
      let parts: [PickleValue]
      switch pair {
      case .tuple(let inner), .list(let inner): parts = lists[inner]
      default: parts = []
      }
      guard parts.count == 2 else {
        throw fail(.pickleSyntax, "a dictionary is made of \(pair.words), expected a pair")
      }
      entries.append((parts[0], parts[1]))
    }
    return entries
  }

  /// A tensor of `(storage, offset, shape, strides, …)`.
  private mutating func view(
    _ arguments: [PickleValue], isTyped: Bool
  ) throws(Failure) -> PickleValue {
    guard arguments.count >= (isTyped ? 7 : 4), arguments.count <= 8,
      case .storage(let storage) = arguments[0], case .integer(let offset) = arguments[1],
      offset >= 0
    else {
      throw fail(
        .pickleView,
        "a tensor is made of \(words(arguments)), expected storage, offset, shape and strides")
    }
    let shape = try lengths(arguments[2], "shape")
    let strides = try lengths(arguments[3], "strides")
    guard shape.count == strides.count, shape.count <= SafetensorsHeader.rankLimit else {
      throw fail(
        .pickleView,
        """
        a tensor has \(shape.count) lengths and \(strides.count) strides, at most \
        \(SafetensorsHeader.rankLimit) axes are read
        """)
    }
    var view = TorchView(storage: storage, offset: offset, shape: shape, strides: strides)
    if isTyped {
      switch arguments[6] {
      case .name(.type(let type)): view.type = type
      case .name(.unreadType(let name)): view.unreadType = name
      default: throw fail(.pickleView, "a tensor's type is \(arguments[6].words)")
      }
    } else {
      view.unreadType = storages[storage].unreadType
    }
    if let marks = try marks(arguments.dropFirst(isTyped ? 7 : 6).first), view.unreadType == nil {
      view.unreadType = [(view.type ?? storages[storage].type)?.name, marks]
        .compactMap(\.self).joined(separator: " ")
    }
    views.append(view)
    return .tensor(views.count - 1)
  }

  /// What a tensor's metadata says of its numbers that are not what its storage holds, in words; nil
  /// where it says nothing.
  ///
  /// `neg` and `conj` are PyTorch's for numbers that are yet to be negated or conjugated, as
  /// `x.conj().imag` is saved; real numbers are their own conjugates.
  private func marks(_ metadata: PickleValue?) throws(Failure) -> String? {
    guard let metadata else { return nil }
    if case .none = metadata { return nil }
    guard case .dictionary(let place) = metadata else {
      throw fail(.pickleView, "a tensor's metadata is \(metadata.words), expected a dictionary")
    }
    for (key, value) in dictionaries[place] {
      if case .bool(false) = value { continue }
      switch key {
      case .text("conj"): continue
      case .text("neg"): return "to be negated (PyTorch's neg bit)"
      case .text(let name): return "with the unknown mark '\(shown(name))'"
      default: return "with an unknown mark"
      }
    }
    return nil
  }

  private func lengths(_ value: PickleValue, _ what: String) throws(Failure) -> [Int] {
    var lengths: [Int] = []
    for part in try tuple(value, "a tensor's \(what)") {
      guard case .integer(let length) = part, length >= 0,
        length <= SafetensorsHeader.dimensionLimit
      else {
        throw fail(.pickleView, "a tensor's \(what) hold \(part.words) that is no length")
      }
      lengths.append(length)
    }
    return lengths
  }

  private func words(_ values: [PickleValue]) -> String {
    values.isEmpty ? "nothing" : values.prefix(8).map(\.words).joined(separator: ", ")
  }

  private func shown(_ text: String) -> String {
    String(text.unicodeScalars.prefix(64)).withVisibleControls
  }
}
