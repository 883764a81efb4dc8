internal import Tracing

/// A table between addresses and a published checkpoint's module names, used in both directions.
///
/// `#` in an entry stands for one whole number, the same on both sides.
struct NameTable: Sendable {
  private let toPublished: [String: String]
  private let toAddress: [String: String]

  init(modules: [(address: String, published: String)]) {
    var (forth, back): ([String: String], [String: String]) = ([:], [:])
    for entry in modules {
      precondition(
        forth.updateValue(entry.published, forKey: entry.address) == nil
          && back.updateValue(entry.address, forKey: entry.published) == nil,
        "\(entry.address) is in the table twice")
    }
    (toPublished, toAddress) = (forth, back)
  }

  /// The published name of a module or of a parameter listed by itself; nil where it has none.
  func published(_ address: Address) -> String? {
    Self.translate(address.description, by: toPublished)
  }

  /// The address of a published module.
  func address(_ published: String) -> Address? {
    Self.translate(published, by: toAddress).map { Address($0) }
  }

  /// The key of a weight: a parameter listed by itself, or `weight` and `bias` of a module.
  func key(_ address: Address) -> String? {
    if let name = published(address) { return name }
    guard let parameter = address.parts.last, parameter == "weight" || parameter == "bias",
      let module = published(Address(address.parts.dropLast().joined(separator: ".")))
    else { return nil }
    return "\(module).\(parameter)"
  }

  /// The file's only name of a weight; its address where the table has none.
  var keys: @Sendable (Address) -> [String] { { [self.key($0) ?? $0.description] } }

  private static func translate(_ name: String, by table: [String: String]) -> String? {
    var numbers: [Substring] = []
    let template = name.split(separator: ".", omittingEmptySubsequences: false).map { part in
      guard Int(part) != nil else { return part }
      numbers.append(part)
      return "#"
    }
    guard let found = table[template.joined(separator: ".")] else { return nil }
    var next = numbers.makeIterator()
    return found.split(separator: ".", omittingEmptySubsequences: false)
      .map { $0 == "#" ? next.next() ?? $0 : $0 }.joined(separator: ".")
  }
}

extension String {
  /// The string without `suffix`, or nil where it does not end so.
  func droppingSuffix(_ suffix: String) -> String? {
    hasSuffix(suffix) ? String(dropLast(suffix.count)) : nil
  }
}
