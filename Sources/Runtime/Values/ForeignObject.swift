public import Tensors

/// A value that the language knows nothing of: a picture, a model, a trace, a figure.
public protocol ForeignObject: Sendable {
  /// What `type(x)` gives, such as `Image`.
  var typeName: String { get }
  /// What showing it prints; may have several lines.
  var shown: String { get }
  /// What it is in one line, inside a list or an error message.
  var brief: String { get }
  /// The names after the dot, for completion and near misses.
  var attributeNames: [String] { get }
  /// What stands behind a name after the dot; nil where there is no such name.
  ///
  /// A method is a `.function`.
  func attribute(_ name: String) throws -> Value?
  /// What stands at an index; nil where the object cannot be indexed at all.
  ///
  /// - Throws: `RuntimeFailure` where there is no such element, with the nearest name.
  func element(_ index: Value) throws -> Value?
  /// What there is to say beside an element that is not what a reader expects; nil for nothing.
  func remark(on index: Value) -> String?
  /// The names that `element` knows, for completion inside brackets.
  var elementNames: [String] { get }
  /// How many elements there are for `len` and `for`; nil where it is no sequence.
  var elementCount: Int? { get }
  /// The tensor that stands for it in arithmetic and indexing; nil where there is none.
  var tensor: Tensor? { get }
  /// Where the numbers of that tensor come from; nil where that is not known.
  var provenance: Provenance? { get }
  /// What a method does, in one sentence, for completion; nil where that is not known without making
  /// something.
  func summary(of attribute: String) -> String?
  /// About how many bytes it keeps alive.
  var heldByteCount: Int { get }
}

extension ForeignObject {
  /// The first line of `shown`.
  public var brief: String {
    shown.split(separator: "\n", maxSplits: 1).first.map(String.init) ?? typeName
  }
  /// No names.
  public var attributeNames: [String] { [] }
  /// No attributes.
  public func attribute(_ name: String) throws -> Value? { nil }
  /// Not indexable.
  public func element(_ index: Value) throws -> Value? { nil }
  /// Nothing.
  public func remark(on index: Value) -> String? { nil }
  /// Nothing.
  public func summary(of attribute: String) -> String? { nil }
  /// Those of its tensor.
  public var heldByteCount: Int { 4 * (tensor?.count ?? 0) }
  /// No names.
  public var elementNames: [String] { [] }
  /// No sequence.
  public var elementCount: Int? { nil }
  /// No tensor.
  public var tensor: Tensor? { nil }
  /// Not known.
  public var provenance: Provenance? { nil }
}
