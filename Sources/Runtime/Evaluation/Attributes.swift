internal import Language
internal import Tensors

/// What stands after a dot.
enum Attributes {
  static func of(_ value: Value, _ name: String, _ session: Session) throws -> Value {
    if let found = try find(value, name) { return found }
    let known = names(of: value)
    var hint = Wording.nearest(name, known)
    if hint == nil, !known.isEmpty, known.count <= 12 {
      hint = "it has " + known.joined(separator: ", ")
    }
    if hint == nil, case .list = value, name == "size" || name == "shape" { hint = "write len(x)" }
    throw RuntimeFailure(
      .attribute, "\(Wording.article(value.typeName)) \(value.typeName) has no '\(name)'",
      hint: hint)
  }

  /// Every name after the dot, for completion and near misses.
  static func names(of value: Value) -> [String] {
    switch value {
    case .text: return TextMethods.names
    case .list: return ListMethods.names
    case .dictionary: return MappingMethods.names
    case .tuple: return ["count", "index"]
    case .range: return ["start", "stop", "step"]
    case .tensor: return TensorMethods.names
    case .object(let object):
      return object.attributeNames + (object.tensor == nil ? [] : TensorMethods.names)
    case .command, .function: return ["name", "summary"]
    default: return []
    }
  }

  /// What a method does, in one sentence; nil for what is no method, and where nothing is known without
  /// making it.
  static func summary(of name: String, in value: Value) -> String? {
    let method: Callable?
    switch value {
    case .text: method = TextMethods.method("", name)
    case .list: method = ListMethods.method(List([]), name)
    case .dictionary: method = MappingMethods.method(Mapping(), name)
    case .tensor: method = methodOfTensors(name)
    case .object(let object as CommandSpace):
      return object.commands.first { $0.name == "\(object.name).\(name)" }?.summary
    case .object(let object):
      if let known = object.summary(of: name) { return known }
      method =
        object.tensor == nil || object.attributeNames.contains(name) ? nil : methodOfTensors(name)
    default: method = nil
    }
    return method?.summary
  }

  private static func methodOfTensors(_ name: String) -> Callable? {
    guard case .function(let method)? = try? TensorMethods.attribute(Tensor(0), name) else {
      return nil
    }
    return method
  }

  private static func find(_ value: Value, _ name: String) throws -> Value? {
    switch value {
    case .text(let text): return TextMethods.method(text.string, name).map { .function($0) }
    case .list(let list): return ListMethods.method(list, name).map { .function($0) }
    case .dictionary(let mapping): return MappingMethods.method(mapping, name).map { .function($0) }
    case .tuple(let values):
      return ["count", "index"].contains(name)
        ? ListMethods.method(List(values), name).map { .function($0) } : nil
    case .range(let range):
      switch name {
      case "start": return .integer(range.start)
      case "stop": return .integer(range.stop)
      case "step": return .integer(range.step)
      default: return nil
      }
    case .tensor(let tensor, let origin):
      return try TensorMethods.attribute(tensor, name, from: origin)
    case .object(let object):
      if let found = try object.attribute(name) { return found }
      return try object.tensor.flatMap {
        try TensorMethods.attribute($0, name, from: object.provenance)
      }
    case .command(let command):
      return name == "name" ? .text(command.name) : name == "summary" ? .text(command.summary) : nil
    case .function(let function):
      return name == "name" || name == "__name__"
        ? .text(function.name) : name == "summary" ? .text(function.summary) : nil
    case .float, .integer, .bool, .none, .slice, .ellipsis: return nil
    }
  }
}

extension Session {
  /// The names after the dot of a value, for completion.
  public func attributeNames(of value: Value) -> [String] { Attributes.names(of: value) }

  /// What a method of a value does, in one sentence, for completion; nil where there is nothing to say.
  public func summary(of name: String, in value: Value) -> String? {
    Attributes.summary(of: name, in: value)
  }

  /// The built-in functions, such as `len`, for completion.
  public var builtInNames: [String] { BuiltIns.names }
}
