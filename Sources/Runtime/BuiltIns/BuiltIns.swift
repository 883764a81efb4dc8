internal import Budget
internal import Foundation
internal import Language
internal import Tensors

/// The functions that are always there.
enum BuiltIns {
  static let functions: [String: Callable] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })
  static let names = all.map(\.name)

  private static let all: [Callable] =
    numbers + sequences + conversions + tensors + [printing, help]

  private static let printing = Callable(
    unchecked: "print", takes: "*values, sep=\" \", end=\"\\n\", raw=False",
    "Writes values, a space between them and a line end after them. A terminal shows control and "
      + "invisible characters as ⟨U+001B⟩ and obeys them only with raw=True; a pipe or file gets "
      + "the exact text."
  ) { arguments, session in
    var (separator, end, isRaw) = (" ", "\n", false)
    var texts: [String] = []
    for argument in arguments {
      switch (argument.label, argument.value) {
      case (nil, let value): texts.append(try session.printed(value))
      case ("sep"?, .text(let text)): separator = text.string
      case ("end"?, .text(let text)): end = text.string
      case ("raw"?, .bool(let truth)): isRaw = truth
      case (let label?, _):
        throw RuntimeFailure(
          .argument, "print: there is no argument '\(label)' of that kind",
          notes: ["print takes values, sep, end and raw"], range: argument.range)
      }
    }
    let text = texts.joined(separator: separator) + end
    if isRaw { session.print(exactly: text) } else { session.print(text) }
    return .none
  }

  private static let help = Callable(
    "help", "Explains a command, a function, or the language; finds the pages on a subject.",
    .any("name", default: Value.none, "A command, or a subject such as \"language\" or \"pixels\".")
  ) { session, value in
    switch value {
    case .none: session.page(session.help(on: ""))
    case .text(let name): session.page(session.help(on: name.string))
    case .command(let command):
      session.page(command.helpText(columns: session[Screen.self]))
    default: session.page(Showing.help(value))
    }
    return .none
  }

  // MARK: Sequences

  private static let sequences: [Callable] = [
    Callable("len", "How many elements there are.", .any("object", "A sequence.")) { _, value in
      .integer(try Sequences.count(value))
    },
    type(
      Callable(
        unchecked: "range", takes: "[start, ]stop[, step]", "Whole numbers at equal distances."
      ) { arguments, _ in
        let numbers = try TensorMethods.integers(
          arguments.map { argument in
            guard !argument.value.isContainer else {
              throw RuntimeFailure(
                .type, "range takes whole numbers, not \(argument.value.inMessage)",
                hint: "write range(len(x))", range: argument.range)
            }
            return argument
          }, "range")
        guard (1...3).contains(numbers.count) else {
          throw RuntimeFailure(
            .argument, "range takes stop, or start and stop, or start, stop and step")
        }
        let (start, stop) = numbers.count == 1 ? (0, numbers[0]) : (numbers[0], numbers[1])
        guard
          let range = RangeValue(start: start, stop: stop, step: numbers.count > 2 ? numbers[2] : 1)
        else { throw RuntimeFailure(.value, "the step of a range cannot be 0") }
        return .range(range)
      }),
    Callable(
      "sorted", "A new list in order.", .any("iterable", "The elements."),
      .any("key", default: Value.none, "What to order by."), .flag("reverse", "Largest first.")
    ) { session, value, key, reverse in
      let values = try Sequences.values(of: value, limit: session.limits.elements)
      return .newList(try Sorting.sorted(values, key: key, reverse: reverse, session))
    },
    Callable("reversed", "The elements, last first.", .any("sequence", "The elements.")) {
      session, value in
      let values = try Sequences.values(of: value, limit: session.limits.elements)
      try [Value].askForRoom(of: values.count)
      return .newList(try [Value].made(values.count) { values[values.count - 1 - $0] })
    },
    Callable(
      "enumerate", "The elements with their numbers.", .any("iterable", "The elements."),
      .integer("start", default: 0, "The first number.")
    ) { session, value, start in
      let values = try Sequences.values(of: value, limit: session.limits.elements)
      // A tuple is an array of its own.
      try [Value].askForRoom(of: 4 * values.count)
      return .newList(
        try [Value].made(values.count) { place in
          try Sequences.tuple([.integer(start &+ place), values[place]])
        })
    },
    Callable(
      unchecked: "zip", takes: "*iterables",
      "The first elements together, the second together, and so on."
    ) {
      arguments, session in
      let columns = try arguments.map {
        try Sequences.values(of: $0.value, limit: session.limits.elements)
      }
      let count = columns.map(\.count).min() ?? 0
      try [Value].askForRoom(of: (2 + columns.count) * count)
      return .newList(
        try [Value].made(count) { row in try Sequences.tuple(columns.map { $0[row] }) })
    },
    Callable("any", "Whether one element is true.", .any("iterable", "The elements.")) {
      session, value in
      .bool(
        try Sequences.values(of: value, limit: session.limits.elements).enumerated()
          .contains { place, value in
            if place & 0xFFF == 0 { try Stop.check() }
            return try Comparison.isTrue(value)
          })
    },
    Callable("all", "Whether every element is true.", .any("iterable", "The elements.")) {
      session, value in
      .bool(
        try Sequences.values(of: value, limit: session.limits.elements).enumerated()
          .allSatisfy { place, value in
            if place & 0xFFF == 0 { try Stop.check() }
            return try Comparison.isTrue(value)
          })
    },
  ]

  // MARK: Numbers

  private static let numbers: [Callable] = [
    Callable("abs", "The size without the sign.", .any("x", "A number or a tensor.")) { _, value in
      if let number = value.integer {
        return number < 0 ? try Arithmetic.unary(.minus, .integer(number)) : .integer(number)
      }
      if case .float(let number) = value { return .float(number.magnitude) }
      if let tensor = value.tensor {
        try Tensor.askForRoom(tensor.shape)
        return .tensor(tensor.map { $0.magnitude }, from: value.provenance?.doing("abs"))
      }
      throw ArgumentFailure(parameter: "x", "must be a number or a tensor, not \(value.inMessage)")
    },
    Callable(
      "round", "The nearest number of so many decimals; halves go to the even one.",
      .any("number", "A number."),
      .optional(
        .integer("ndigits", in: -300...300, "How many decimals; None gives a whole number."))
    ) { _, value, digits in try rounded(value, digits) },
    Callable(
      "sum", "The sum of the elements.", .any("iterable", "The elements."),
      .any("start", default: .integer(0), "What to begin with.")
    ) { session, value, start in
      if case .object(let object as DiscreteTensor) = value, object.numbers.rank == 1 {
        return .integer(object.total)
      }
      if let tensor = value.tensor, tensor.rank == 1 {
        var sum = 0.0
        Stop.parts(of: tensor.count) { part in
          for index in part { sum += Double(tensor.elements[index]) }
        }
        return .float(sum)
      }
      var total = start
      let values = try Sequences.values(of: value, limit: session.limits.elements)
      for (place, element) in values.enumerated() {
        if place & 0xFF == 0 { try Stop.check() }
        total = try Arithmetic.binary(.add, total, element, session)
      }
      return total
    },
    Callable(unchecked: "min", takes: "*values, key=None[, default]", "The smallest.") {
      try extreme("min", $0, $1) { $0 < 0 }
    },
    Callable(unchecked: "max", takes: "*values, key=None[, default]", "The largest.") {
      try extreme("max", $0, $1) { $0 > 0 }
    },
    Callable(
      "divmod", "The quotient rounded down, and the rest.", .any("x", "A number."),
      .any("y", "A number.")
    ) { session, x, y in
      .tuple([
        try Arithmetic.binary(.floorDivide, x, y, session),
        try Arithmetic.binary(.modulo, x, y, session),
      ])
    },
    Callable("ord", "The number of a character.", .text("c", "One character.")) { _, text in
      guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first else {
        throw ArgumentFailure(
          parameter: "c", "must be one character, not \(Value.text(text).inMessage)")
      }
      return .integer(Int(scalar.value))
    },
    Callable("chr", "The character of a number.", .integer("i", in: 0...0x10FFFF, "The number.")) {
      _, number in
      guard let scalar = Unicode.Scalar(UInt32(number)) else {
        throw ArgumentFailure(parameter: "i", "must be the number of a character, not \(number)")
      }
      return .text(String(scalar))
    },
  ]

  private static func rounded(_ value: Value, _ digits: Int?) throws -> Value {
    if let number = value.integer {
      guard let digits, digits < 0 else { return .integer(number) }
      let exact = Decimal(number)
      var (source, result) = (exact, Decimal())
      NSDecimalRound(&result, &source, digits, .bankers)
      guard let whole = Int("\(result)") else {
        throw RuntimeFailure(.arithmetic, "the result does not fit a whole number of 64 bits")
      }
      return .integer(whole)
    }
    guard case .float(let number) = value else {
      throw ArgumentFailure(parameter: "number", "must be a number, not \(value.inMessage)")
    }
    guard let digits else {
      guard number.isFinite, let whole = Int(exactly: number.rounded(.toNearestOrEven)) else {
        throw RuntimeFailure(
          .arithmetic, "\(value.represented) does not fit a whole number of 64 bits")
      }
      return .integer(whole)
    }
    guard number.isFinite, digits < 300 else { return value }
    if digits < 0 {
      let scale = pow(10, Double(-digits))
      return .float((number / scale).rounded(.toNearestOrEven) * scale)
    }
    return .float(Double(String(format: "%.\(digits)f", number)) ?? number)
  }

  private static func extreme(
    _ name: String, _ arguments: [Argument], _ session: Session, _ isBetter: (Int) -> Bool
  ) throws -> Value {
    var key = Value.none
    var fallback: Value?
    for argument in arguments {
      switch argument.label {
      case "key"?: key = argument.value
      case "default"?: fallback = argument.value
      case let label?:
        throw RuntimeFailure(
          .argument, "\(name): there is no argument '\(label)'", range: argument.range)
      case nil: break
      }
    }
    var values = arguments.filter { $0.label == nil }.map(\.value)
    guard !values.isEmpty else {
      throw RuntimeFailure(.argument, "\(name) takes a sequence, or several values")
    }
    if values.count == 1 {
      if let tensor = values[0].tensor, tensor.rank > 1 {
        throw RuntimeFailure(
          .type, "\(name) of a tensor of shape \(tensor.shape) is ambiguous",
          hint: "write x.\(name)()")
      }
      values = try Sequences.values(of: values[0], limit: session.limits.elements)
    }
    guard var best = values.first else {
      if let fallback { return fallback }
      throw RuntimeFailure(.value, "\(name) of no elements")
    }
    func keyed(_ value: Value) throws -> Value {
      if case .none = key { return value }
      return try session.call(key, [Argument(value)])
    }
    var bestKey = try keyed(best)
    for (place, value) in values.dropFirst().enumerated() {
      if place & 0xFFF == 0 { try Stop.check() }
      let candidate = try keyed(value)
      if let order = try Comparison.order(candidate, bestKey, name == "min" ? "<" : ">"),
        isBetter(order)
      {
        (best, bestKey) = (value, candidate)
      }
    }
    return best
  }

  static func type(_ function: Callable) -> Callable {
    var function = function
    function.isType = true
    return function
  }
}
