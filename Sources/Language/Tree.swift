/// An expression and the text it was read from.
public struct Expression: Sendable {
  /// What it is.
  public let kind: Kind
  /// Where it stands.
  public let range: SourceRange

  /// An expression read from `range`.
  public init(_ kind: Kind, _ range: SourceRange) { (self.kind, self.range) = (kind, range) }

  /// The forms of expressions.
  public indirect enum Kind: Sendable {
    /// `None`.
    case none
    /// `...`
    case ellipsis
    /// `True` or `False`.
    case bool(Bool)
    /// A whole number.
    case integer(Int)
    /// A number with a point or an exponent.
    case float(Double)
    /// A string, its escapes resolved.
    case text(String)
    /// An f-string.
    case formatted([FormattedPart])
    /// A name.
    case name(String)
    /// `[a, b]`
    case list([Expression])
    /// `a, b`
    case tuple([Expression])
    /// `{key: value}`
    case dictionary([(key: Expression, value: Expression)])
    /// `[element for … if …]`
    case listComprehension(Expression, [ComprehensionClause])
    /// `{key: value for … if …}`
    case dictionaryComprehension(key: Expression, value: Expression, [ComprehensionClause])
    /// `-x`
    case unary(UnaryOperator, Expression)
    /// `a + b`
    case binary(BinaryOperator, Expression, Expression)
    /// `a < b <= c`
    case comparison(Expression, [(operation: ComparisonOperator, operand: Expression)])
    /// `a and b and c`
    case and([Expression])
    /// `a or b or c`
    case or([Expression])
    /// `yes if test else no`
    case conditional(test: Expression, yes: Expression, no: Expression)
    /// `lambda x: x + 1`
    case lambda(Function)
    /// `x.name`
    case attribute(Expression, name: String, nameRange: SourceRange)
    /// `x[index]`; several indices are a tuple.
    case index(Expression, Expression)
    /// `first:last:step` inside an index.
    case slice(Expression?, Expression?, Expression?)
    /// `f(a, key=b)`
    case call(Expression, [CallArgument])
  }
}

/// A part of an f-string.
public enum FormattedPart: Sendable {
  /// Plain text.
  case text(String)
  /// `{value!conversion:format}`; the format may hold fields of its own.
  case field(Expression, conversion: Character?, format: [FormattedPart])
}

/// One `for … in …` or `if …` of a comprehension.
public enum ComprehensionClause: Sendable {
  /// `for target in sequence`
  case loop(target: Target, sequence: Expression)
  /// `if test`
  case condition(Expression)
}

/// An argument of a call.
public struct CallArgument: Sendable {
  /// The keyword, where there is one.
  public let keyword: String?
  /// What is passed.
  public let value: Expression
  /// The whole argument, keyword included.
  public let range: SourceRange
}

/// Operators before one operand.
public enum UnaryOperator: String, Sendable {
  /// Changes the sign.
  case minus = "-"
  /// Leaves a number as it is.
  case plus = "+"
  /// Turns truth around.
  case not
  /// Turns every truth of a mask around, or every bit of a whole number.
  case invert = "~"
}

/// Operators between two operands.
public enum BinaryOperator: String, Sendable {
  /// Sum; joins texts and lists.
  case add = "+"
  /// Difference.
  case subtract = "-"
  /// Product; repeats texts and lists.
  case multiply = "*"
  /// Quotient, always a float.
  case divide = "/"
  /// Quotient rounded down.
  case floorDivide = "//"
  /// What floor division leaves.
  case modulo = "%"
  /// Power.
  case power = "**"
  /// Matrix product.
  case matmul = "@"
  /// Both: of two masks, truths or whole numbers' bits.
  case and = "&"
  /// One or both.
  case or = "|"
  /// One of the two.
  case exclusiveOr = "^"
}

/// Operators that compare.
public enum ComparisonOperator: String, Sendable {
  /// Equal.
  case equal = "=="
  /// Not equal.
  case notEqual = "!="
  /// Smaller.
  case less = "<"
  /// Smaller or equal.
  case lessOrEqual = "<="
  /// Larger.
  case greater = ">"
  /// Larger or equal.
  case greaterOrEqual = ">="
  /// Contained.
  case isIn = "in"
  /// Not contained.
  case isNotIn = "not in"
  /// The same thing.
  case isSame = "is"
  /// Not the same thing.
  case isNotSame = "is not"
}

/// A function's parameters and what it does.
public final class Function: Sendable {
  /// A parameter and its default.
  public struct Parameter: Sendable {
    /// Its name.
    public let name: String
    /// What it is when it is not given.
    public let defaultValue: Expression?
    /// Where it stands.
    public let range: SourceRange
  }

  /// The name, `<lambda>` for a lambda.
  public let name: String
  /// What it takes, in order.
  public let parameters: [Parameter]
  /// What it does; a lambda has one `return`.
  public let body: [Statement]
  /// Names that are its own: parameters and everything it assigns to.
  public let localNames: Set<String>
  /// The string that opens the body, if one does.
  public let documentation: String?
  /// Where the definition stands, its body included.
  public let range: SourceRange

  init(name: String, parameters: [Parameter], body: [Statement], range: SourceRange) {
    (self.name, self.parameters, self.body, self.range) = (name, parameters, body, range)
    var names = Set(parameters.map(\.name))
    for statement in body { statement.collectAssignedNames(into: &names) }
    localNames = names
    if case .expression(let first, _)? = body.first?.kind, case .text(let text) = first.kind {
      documentation = text
    } else {
      documentation = nil
    }
  }
}

/// What can be assigned to.
public struct Target: Sendable {
  /// What it is.
  public let kind: Kind
  /// Where it stands.
  public let range: SourceRange

  /// The forms of targets.
  public indirect enum Kind: Sendable {
    /// A variable.
    case name(String)
    /// An element.
    case index(Expression, Expression)
    /// Several, taken apart.
    case tuple([Target])
  }
}

/// A statement and the text it was read from.
public struct Statement: Sendable {
  /// What it is.
  public let kind: Kind
  /// Where it stands; a block's statement includes the block.
  public let range: SourceRange

  /// The forms of statements.
  public indirect enum Kind: Sendable {
    /// An expression; `quiet` where a `;` follows.
    case expression(Expression, quiet: Bool)
    /// `a = b = value`
    case assignment([Target], Expression)
    /// `a += value`
    case augmented(Target, BinaryOperator, Expression)
    /// `if`, every `elif`, and `else`.
    case branches([(test: Expression, body: [Statement])], otherwise: [Statement])
    /// `for target in sequence:`
    case loop(Target, Expression, [Statement])
    /// `while test:`
    case whileLoop(Expression, [Statement])
    /// `break`
    case breakLoop
    /// `continue`
    case continueLoop
    /// `def`
    case definition(Function)
    /// `return value`
    case returnValue(Expression?)
    /// `assert test, message`
    case assertion(Expression, Expression?)
    /// `pass`
    case pass
    /// `del a, b[key]`
    case deletion([Target])
    /// `name?`
    case help(String)
    /// `%name rest`, without the sign; the statement, an expression or an assignment, is what `time`
    /// and `timeit` measure.
    case magic(String, Statement?)
    /// `%%name` and all that follows, which it measures; the only statement of its text.
    case cell(String, [Statement])
  }

  func collectAssignedNames(into names: inout Set<String>) {
    switch kind {
    case .assignment(let targets, _):
      for target in targets { target.collectNames(into: &names) }
    case .augmented(let target, _, _): target.collectNames(into: &names)
    case .branches(let branches, let otherwise):
      for statement in branches.flatMap(\.body) + otherwise {
        statement.collectAssignedNames(into: &names)
      }
    case .loop(let target, _, let body):
      target.collectNames(into: &names)
      for statement in body { statement.collectAssignedNames(into: &names) }
    case .whileLoop(_, let body):
      for statement in body { statement.collectAssignedNames(into: &names) }
    case .definition(let function): names.insert(function.name)
    case .deletion(let targets):
      for target in targets { target.collectNames(into: &names) }
    case .magic(_, let measured): measured?.collectAssignedNames(into: &names)
    default: break
    }
  }
}

extension Target {
  func collectNames(into names: inout Set<String>) {
    switch kind {
    case .name(let name): names.insert(name)
    case .tuple(let targets): for target in targets { target.collectNames(into: &names) }
    case .index: break
    }
  }
}

/// A parsed text: what could be read, and everything that is wrong with it.
public struct Program: Sendable {
  /// The text.
  public let source: Source
  /// The statements, in order; meant to run only when there is no error.
  public let statements: [Statement]
  /// What is wrong, in order.
  public let diagnostics: [Diagnostic]
  /// Whether a `;` ends the text, which keeps the last value unshown.
  public var isQuiet: Bool {
    guard let last = statements.last else { return false }
    var statement = last
    if case .cell(_, let body) = last.kind, let inner = body.last { statement = inner }
    if case .magic(_, let measured?) = statement.kind { statement = measured }
    return if case .expression(_, let quiet) = statement.kind { quiet } else { false }
  }
}
