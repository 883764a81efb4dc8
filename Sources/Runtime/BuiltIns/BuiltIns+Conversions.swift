internal import Budget
internal import Language
internal import Tensors

extension BuiltIns {
  static let conversions: [Callable] = [
    Callable("repr", "The value as it would be typed.", .any("object", "A value.")) {
      session, value in
      .text(try Representation.text(of: value, quoted: true, session))
    },
    Callable("type", "The type of a value.", .any("object", "A value.")) { _, value in
      .function(
        functions[value.typeName].flatMap { $0.isType ? $0 : nil }
          ?? type(
            Callable(unchecked: value.typeName, takes: "", "") { _, _ in
              throw RuntimeFailure(.type, "this type cannot be called")
            }))
    },
    type(
      Callable("str", "A value as text.", .any("object", default: .text(""), "A value.")) {
        .text(try Showing.printed($1, in: $0))
      }),
    type(
      Callable(
        "int", "A whole number from a number (cut) or a text.",
        .any("x", default: .integer(0), "A number or a text."),
        .integer("base", in: 2...36, default: 10, "The base of the text's digits.")
      ) { _, value, base in try integer(value, base) }),
    type(
      Callable(
        "float", "A float from a number or a text.",
        .any("x", default: .float(0), "A number or a text.")
      ) {
        try float($1)
      }),
    type(
      Callable(
        "bool", "Whether a value counts as true.", .any("x", default: .bool(false), "A value.")
      ) {
        .bool(try Comparison.isTrue($1))
      }),
    type(
      Callable(
        "list", "A new list of the elements.",
        .any("iterable", default: .tuple([]), "The elements.")
      ) {
        .newList(try Sequences.values(of: $1, limit: $0.limits.elements))
      }),
    type(
      Callable(
        "tuple", "A tuple of the elements.", .any("iterable", default: .tuple([]), "The elements.")
      ) {
        try Sequences.tuple(try Sequences.values(of: $1, limit: $0.limits.elements))
      }),
    type(
      Callable(
        unchecked: "dict", takes: "*pairs, **values",
        "A new dict, from another, from pairs, or from keywords."
      ) {
        arguments, session in
        let mapping = Mapping()
        for argument in arguments {
          if let label = argument.label {
            try mapping.set(.text(label), to: argument.value)
          } else if case .dictionary(let other) = argument.value {
            try mapping.add(other)
          } else {
            for pair in try Sequences.values(of: argument.value, limit: session.limits.elements) {
              try Stop.check()
              let parts = try Sequences.values(of: pair, limit: 2)
              guard parts.count == 2 else {
                throw RuntimeFailure(.value, "dict takes pairs of key and value")
              }
              try mapping.set(parts[0], to: parts[1])
            }
          }
        }
        return .dictionary(mapping)
      }),
  ]

  private static func integer(_ value: Value, _ base: Int) throws -> Value {
    if let number = value.integer { return .integer(number) }
    if case .float(let number) = value {
      guard number.isFinite, let whole = Int(exactly: number.rounded(.towardZero)) else {
        throw RuntimeFailure(
          .arithmetic, "\(value.represented) does not fit a whole number of 64 bits")
      }
      return .integer(whole)
    }
    if let tensor = value.tensor, tensor.count == 1 {
      return try integer(.float(Double(tensor.elements[0])), base)
    }
    guard let text = value.text else {
      throw ArgumentFailure(parameter: "x", "must be a number or a text, not \(value.inMessage)")
    }
    let digits = try digits(of: text).filter { $0 != "_" }
    guard let number = Int(digits, radix: base) else {
      throw ArgumentFailure(
        parameter: "x", "must be the digits of a whole number of 64 bits, not \(value.inMessage)",
        note: Double(digits) == nil ? nil : "int(float(x)) cuts the decimals off")
    }
    return .integer(number)
  }

  private static func float(_ value: Value) throws -> Value {
    if let number = value.number { return .float(number) }
    if let tensor = value.tensor, tensor.count == 1 { return .float(Double(tensor.elements[0])) }
    guard let text = value.text else {
      throw ArgumentFailure(parameter: "x", "must be a number or a text, not \(value.inMessage)")
    }
    let digits = try digits(of: text).lowercased()
    // Swift would also read hexadecimal floats and the payload of a NaN.
    let isPlain = digits.unicodeScalars.allSatisfy { "0123456789+-.e_".unicodeScalars.contains($0) }
    let isWord = ["inf", "infinity", "nan"].contains(digits.drop { $0 == "-" || $0 == "+" })
    guard isPlain || isWord, var number = Double(digits.filter { $0 != "_" }) ?? padded(digits)
    else {
      throw ArgumentFailure(
        parameter: "x", "must be the digits of a number, not \(value.inMessage)")
    }
    if number.isNaN { number = .nan }
    return .float(number)
  }

  /// A text without the space around it, refused where no number is that long.
  private static func digits(of text: String) throws -> String {
    let digits = try Texts.stripped(text, nil, left: true, right: true)
    guard digits.utf8.count <= 10_000 else {
      throw ArgumentFailure(
        parameter: "x", "must be the digits of a number, not \(digits.utf8.count) characters")
    }
    return digits
  }

  /// `5.` and `.5`, which Swift's own reader may refuse.
  private static func padded(_ digits: String) -> Double? {
    Double(digits.hasSuffix(".") ? digits + "0" : digits)
  }

  // MARK: Tensors

  static let tensors: [Callable] = [
    Callable(
      "tensor", "A tensor of the numbers in nested lists.",
      .any("values", "Numbers, or lists of them.")
    ) {
      session, value in
      if let tensor = value.tensor { return .tensor(tensor) }
      var elements: [Float] = []
      let shape = try fill(value, &elements, session, depth: 0)
      return .tensor(Tensor(elements, shape: shape))
    },
    Callable(unchecked: "zeros", takes: "*shape", "A tensor of zeros of a shape.") {
      arguments, session in
      try filled(0, "zeros", arguments, session)
    },
    Callable(unchecked: "ones", takes: "*shape", "A tensor of ones of a shape.") {
      arguments, session in
      try filled(1, "ones", arguments, session)
    },
    Callable(
      "where", "One tensor where a mask is true, another elsewhere.",
      .tensor("mask", "Zeros and others."),
      .any("yes", "A tensor or number."), .any("no", "A tensor or number.")
    ) { _, mask, yes, no in
      guard let a = TensorArithmetic.operand(yes), let b = TensorArithmetic.operand(no),
        let outer = Tensor.broadcast(a.shape, b.shape),
        let shape = Tensor.broadcast(mask.shape, outer)
      else {
        throw RuntimeFailure(
          .shape,
          "where: a mask of shape \(mask.shape), \(yes.inMessage) and \(no.inMessage) "
            + "do not fit each other")
      }
      try Tensor.askForRoom(
        shape, copies: 1 + [mask, a, b].count { $0.shape != shape })
      let (m, x, y) = (mask.broadcast(to: shape), a.broadcast(to: shape), b.broadcast(to: shape))
      var elements: [Float] = []
      elements.reserveCapacity(m.count)
      Stop.parts(of: m.count) { part in
        for i in part { elements.append(m.elements[i] != 0 ? x.elements[i] : y.elements[i]) }
      }
      try Stop.check()
      let named = [(yes, a), (no, b)].map { $1.shape == shape ? $0.provenance : nil }
      return .tensor(
        Tensor(elements, shape: shape),
        from: Provenance.joining(
          named[0], "where a mask is true, else", named[1],
          numbers: (TensorArithmetic.unnamed(yes), TensorArithmetic.unnamed(no))))
    },
  ]

  private static func filled(
    _ number: Float, _ name: String, _ arguments: [Argument], _ session: Session
  ) throws -> Value {
    let shape = try TensorMethods.integers(arguments, name)
    for length in shape where length < 0 {
      throw RuntimeFailure(.value, "\(name): a length cannot be negative, as \(length) is")
    }
    try TensorArithmetic.checkCount(shape, "\(name): shape \(shape)")
    try Tensor.askForRoom(shape)
    return .tensor(Tensor(repeating: number, shape: shape))
  }

  /// Adds the numbers in `value` and gives their shape.
  static func fill(
    _ value: Value, _ elements: inout [Float], _ session: Session, depth: Int
  ) throws -> [Int] {
    if let number = value.number {
      if elements.count == elements.capacity {
        try Stop.check()
        try MemoryGate.take(2 * elements.count, of: 4, for: "a tensor of \(elements.count) numbers")
      }
      elements.append(Float(number))
      return []
    }
    if let tensor = value.tensor {
      try MemoryGate.take(
        2 * (elements.count + tensor.count), of: 4,
        for: "a tensor of \(elements.count + tensor.count) numbers")
      elements += tensor.elements
      return tensor.shape
    }
    guard depth < 16 else { throw RuntimeFailure(.limit, "tensor: lists nested more than 16 deep") }
    if value.text != nil || !(value.isContainer || isRange(value)) {
      throw RuntimeFailure(.type, "tensor: \(value.inMessage) is no number and no list of numbers")
    }
    let parts = try Sequences.values(of: value, limit: session.limits.elements)
    var inner: [Int]?
    for (index, part) in parts.enumerated() {
      if index & 0xFFF == 0 { try Stop.check() }
      let shape = try fill(part, &elements, session, depth: depth + 1)
      if let inner, inner != shape {
        throw RuntimeFailure(
          .shape, "tensor: element \(index) has shape \(shape), those before it have shape \(inner)"
        )
      }
      inner = shape
    }
    return [parts.count] + (inner ?? [])
  }

  private static func isRange(_ value: Value) -> Bool {
    if case .range = value { true } else { false }
  }
}
