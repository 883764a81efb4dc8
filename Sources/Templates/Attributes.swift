/// Which attributes Python's types have; those that are not built are refused by name, as they would
/// otherwise seem to be absent.
enum Attributes {
  static let text: Set = [
    "capitalize", "casefold", "center", "count", "encode", "endswith", "expandtabs", "find",
    "format",
    "format_map", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
    "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "join", "ljust",
    "lower",
    "lstrip", "maketrans", "partition", "removeprefix", "removesuffix", "replace", "rfind",
    "rindex",
    "rjust", "rpartition", "rsplit", "rstrip", "split", "splitlines", "startswith", "strip",
    "swapcase", "title", "translate", "upper", "zfill",
  ]
  static let list: Set = [
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse",
    "sort",
  ]
  static let changingList: Set = [
    "append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort",
  ]
  static let dictionary: Set = [
    "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update",
    "values",
  ]
  static let changingDictionary: Set = ["clear", "pop", "popitem", "setdefault", "update"]
  static let tuple: Set = ["count", "index"]
  static let range: Set = ["count", "index", "start", "step", "stop"]
  static let integer: Set = [
    "as_integer_ratio", "bit_count", "bit_length", "conjugate", "denominator", "from_bytes", "imag",
    "is_integer", "numerator", "real", "to_bytes",
  ]
  static let float: Set = [
    "as_integer_ratio", "conjugate", "fromhex", "hex", "imag", "is_integer", "real",
  ]
  static let loop: Set = [
    "index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem",
    "depth", "depth0", "cycle", "changed",
  ]
  static let macro: Set = [
    "name", "arguments", "catch_kwargs", "catch_varargs", "caller", "explicit_caller",
  ]
  /// What even an undefined value has in Python, and what is not for templates either.
  static let undefined: Set = [
    "__bool__", "__call__", "__class__", "__doc__", "__eq__", "__getitem__", "__hash__", "__init__",
    "__iter__", "__len__", "__module__", "__ne__", "__repr__", "__str__",
  ]
  static let view: Set = ["isdisjoint", "mapping"]
  static let iterator: Set = [
    "close", "send", "throw", "gi_running", "gi_suspended", "gi_yieldfrom",
  ]
}

extension Renderer {
  /// `object.name`: an attribute, else an element.
  func attribute(_ name: String, of object: Item) throws(Fault) -> Item {
    if case .undefined(let value) = object, !Attributes.undefined.contains(name) {
      throw value.fault
    }
    if let own = try ownAttribute(name, of: object) { return own }
    if case .dictionary(let dictionary) = object, let value = dictionary[name] { return value }
    return .undefined(Undefined("\(object.kind) has no attribute '\(name)'"))
  }

  private static func isInternal(_ name: String) -> Bool {
    name.hasPrefix("__") && name.hasSuffix("__") && name.utf8.count > 4
  }

  /// What Python's `getattr` finds, held to what a sandbox allows.
  func ownAttribute(_ name: String, of object: Item) throws(Fault) -> Item? {
    if Self.isInternal(name) {
      if case .namespace(let namespace) = object, let value = namespace.value(name) { return value }
      // Nobody's element is called so; what Python has by that name is not for templates.
      if case .dictionary(let dictionary) = object, let value = dictionary[name] { return value }
      return .undefined(Undefined("the attribute '\(name)' of \(object.kind) is not for templates"))
    }
    func method(_ names: Set<String>, changing: Set<String> = []) -> Item? {
      guard names.contains(name) else { return nil }
      if changing.contains(name) {
        return .undefined(
          Undefined("'\(name)' would change \(object.kind), which a template must not"))
      }
      return .method(Method(object, name))
    }
    switch object {
    case .text: return method(Attributes.text)
    case .list: return method(Attributes.list, changing: Attributes.changingList)
    case .tuple: return method(Attributes.tuple)
    case .dictionary: return method(Attributes.dictionary, changing: Attributes.changingDictionary)
    case .namespace(let namespace): return namespace.value(name)
    case .loop(let loop):
      return Attributes.loop.contains(name) ? try attribute(name, of: loop) : nil
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      default: return method(Attributes.range)
      }
    case .macro(let macro):
      switch name {
      case "name": return macro.definition.name.map { .text($0) } ?? Item.none
      case "arguments": return try .tuple(macro.definition.parameters.map { .text($0) })
      case "catch_kwargs": return .bool(macro.definition.reads.contains("kwargs"))
      case "catch_varargs": return .bool(macro.definition.reads.contains("varargs"))
      case "caller": return .bool(macro.definition.reads.contains("caller"))
      default: return method(Attributes.macro)
      }
    case .integer(let number):
      switch name {
      case "real", "numerator": return .integer(number)
      case "imag": return .integer(0)
      case "denominator": return .integer(1)
      default: return method(Attributes.integer)
      }
    case .bool: return method(Attributes.integer)
    case .float: return method(Attributes.float)
    case .view(let view):
      return method(view.part == .values ? ["mapping"] : Attributes.view)
    case .iterator: return method(Attributes.iterator)
    case .cycler(let cycler):
      switch name {
      case "current": return cycler.items.values[cycler.position]
      case "next", "reset": return .method(Method(object, name))
      case "items": return .tuple(cycler.items)
      case "pos": return .integer(cycler.position)
      default: return nil
      }
    case .joiner(let joiner):
      switch name {
      case "sep": return joiner.separator
      case "used": return .bool(joiner.isUsed)
      default: return nil
      }
    case .function(let function):
      if function == "dict", name == "fromkeys" { return .method(Method(object, name)) }
      throw .notBuilt("the attribute '\(name)' of the function '\(function)'")
    case .method: throw .notBuilt("the attribute '\(name)' of a function")
    case .none, .undefined: return nil
    case .markup: throw .notBuilt("going on with \(object.kind)")
    }
  }

  private func attribute(_ name: String, of loop: Loop) throws(Fault) -> Item {
    switch name {
    case "index": return .integer(loop.index + 1)
    case "index0": return .integer(loop.index)
    case "revindex": return .integer(try loop.length() - loop.index)
    case "revindex0": return .integer(try loop.length() - loop.index - 1)
    case "first": return .bool(loop.index == 0)
    case "last": return .bool(try loop.peek() == nil)
    case "length": return .integer(try loop.length())
    case "previtem":
      return loop.before ?? .undefined(Undefined("there is no value before the first"))
    case "nextitem":
      return try loop.peek() ?? .undefined(Undefined("there is no value behind the last"))
    case "depth": return .integer(loop.level + 1)
    case "depth0": return .integer(loop.level)
    default: return .method(Method(.loop(loop), name))
    }
  }
}
