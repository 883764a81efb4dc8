/// An expression of a template.
final class Expression: Sendable {
  enum Kind: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case text(Text)
    case name(String)
    /// What stands in a block that a filter is applied to.
    case block
    case list([Expression])
    case tuple([Expression])
    case dictionary([(key: Expression, value: Expression)])
    case attribute(Expression, String)
    case index(Expression, Expression)
    case slice(Expression, Expression?, Expression?, Expression?)
    case call(Expression, CallArguments)
    case filter(Expression, String, CallArguments)
    case test(Expression, String, CallArguments)
    case not(Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case sign(Expression, isMinus: Bool)
    case arithmetic(Operator, Expression, Expression)
    case concatenation([Expression])
    case comparison(Expression, [(Comparison, Expression)])
    case conditional(Expression, condition: Expression, otherwise: Expression?)
  }

  enum Operator: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//"
    case remainder = "%", power = "**"
  }

  enum Comparison: String, Sendable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">"
    case greaterOrEqual = ">=", isIn = "in", isNotIn = "not in"
  }

  let kind: Kind
  /// Where it stands, as an index into the template's scalars.
  let place: Int
  /// How many expressions stand inside one another, this one counted.
  let depth: Int
  /// Whether jinja2 may compute it beforehand: it names nothing.
  let isConstant: Bool

  init(_ kind: Kind, at place: Int, over parts: [Expression?] = []) {
    (self.kind, self.place) = (kind, place)
    depth = 1 + parts.reduce(0) { max($0, $1?.depth ?? 0) }
    switch kind {
    case .name, .block: isConstant = false
    default: isConstant = parts.allSatisfy { $0?.isConstant ?? true }
    }
  }
}

extension Expression {
  /// Whether what is written out counts as true; nil for what must be computed.
  var literalTruth: Bool? {
    switch kind {
    case .none: false
    case .bool(let truth): truth
    case .integer(let number): number != 0
    case .float(let number): number != 0
    case .text(let text): !text.isEmpty
    case .list(let parts), .tuple(let parts): isConstant ? !parts.isEmpty : nil
    case .dictionary(let pairs): isConstant ? !pairs.isEmpty : nil
    default: nil
    }
  }
}

/// What stands between the parentheses of a call.
struct CallArguments: Sendable {
  var positional: [Expression] = []
  var keywords: [(name: String, value: Expression)] = []
  /// `*values` and `**values`.
  var list: Expression?
  var mapping: Expression?

  var parts: [Expression?] { positional + keywords.map(\.value) + [list, mapping] }
}

/// What a value is given to.
indirect enum Target: Sendable {
  case name(String)
  /// An attribute of a namespace.
  case attribute(of: String, String, place: Int)
  case tuple([Target])
}

/// What a macro takes and does; the body of a `call` block is one without a name.
final class MacroDefinition: Sendable {
  let name: String?
  let parameters: [String]
  /// The last parameters' defaults.
  let defaults: [Expression]
  let body: [Statement]
  /// Of `caller`, `kwargs` and `varargs` those that the body reads.
  let reads: Set<String>

  init(
    name: String?, parameters: [String], defaults: [Expression], body: [Statement],
    reads: Set<String>
  ) {
    (self.name, self.parameters, self.defaults) = (name, parameters, defaults)
    (self.body, self.reads) = (body, reads)
  }
}

/// A `for` block.
final class ForBlock: Sendable {
  let target: Target
  let sequence: Expression
  let test: Expression?
  let isRecursive: Bool
  let body: [Statement]
  let otherwise: [Statement]

  init(
    target: Target, sequence: Expression, test: Expression?, isRecursive: Bool,
    body: [Statement], otherwise: [Statement]
  ) {
    (self.target, self.sequence, self.test) = (target, sequence, test)
    (self.isRecursive, self.body, self.otherwise) = (isRecursive, body, otherwise)
  }
}

/// A part of a template, with its place.
struct Statement: Sendable {
  indirect enum Kind: Sendable {
    case data(Text)
    case output(Expression)
    case set(Target, Expression)
    case setBlock(Target, filter: Expression?, [Statement])
    case loop(ForBlock)
    case choice([(test: Expression, body: [Statement])], otherwise: [Statement])
    case macro(MacroDefinition)
    case call(Expression, CallArguments, MacroDefinition)
    case filter(Expression, [Statement])
    case with([(Target, Expression)], [Statement])
    case generation([Statement])
    case leave
    case next
  }

  let kind: Kind
  let place: Int
}
