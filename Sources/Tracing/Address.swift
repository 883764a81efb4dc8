/// Where something sits in a model, such as `vision.blocks.3.attention`.
///
/// The same address finds a layer's weights, names its taps, is an argument of commands and a part
/// of file names.
public struct Address: Hashable, Sendable, CustomStringConvertible, Comparable {
  /// The parts joined by dots.
  public let description: String

  /// Makes an address of dotted parts.
  public init(_ description: String) { self.description = description }

  /// The address of `child` inside `parent`.
  public static func / (parent: Address, child: String) -> Address {
    Address(parent.description.isEmpty ? child : "\(parent).\(child)")
  }

  /// The address of entry `index` inside `parent`.
  public static func / (parent: Address, index: Int) -> Address { parent / "\(index)" }

  /// The parts between the dots.
  public var parts: [Substring] { description.split(separator: ".") }

  /// The same place on the way of picture number `index`, counted from 0.
  ///
  /// The first picture's places have no number, the second's begin with `vision2`, `picture2` and so on.
  public func ofPicture(_ index: Int) -> Address {
    guard index > 0 else { return self }
    let root = description.prefix { $0 != "." }
    return Address("\(root)\(index + 1)\(description.dropFirst(root.count))")
  }

  /// Which picture's way the place lies on, counted from 0, and the same place on the first's.
  public var picture: (index: Int, place: Address) {
    let root = description.prefix { $0 != "." }
    let name = root.prefix { !$0.isNumber }
    guard !name.isEmpty, name.count < root.count, let number = Int(root.dropFirst(name.count)),
      number > 1
    else { return (0, self) }
    return (number - 1, Address("\(name)\(description.dropFirst(root.count))"))
  }

  /// Orders numbers as numbers: block 2 comes before block 10.
  public static func < (a: Address, b: Address) -> Bool {
    for (x, y) in zip(a.parts, b.parts) where x != y {
      if let m = Int(x), let n = Int(y) { return m < n }
      return x < y
    }
    return a.parts.count < b.parts.count
  }

  /// Whether the address fits `pattern`: `*` stands for any characters, dots included, `?` for one.
  public func matches(_ pattern: String) -> Bool {
    let text = Array(description.unicodeScalars)
    let glob = Array(pattern.unicodeScalars)
    var (t, g, star, mark) = (0, 0, -1, 0)
    while t < text.count {
      if g < glob.count, glob[g] == "?" || (glob[g] == text[t] && glob[g] != "*") {
        t += 1
        g += 1
      } else if g < glob.count, glob[g] == "*" {
        star = g
        mark = t
        g += 1
      } else if star >= 0 {
        mark += 1
        t = mark
        g = star + 1
      } else {
        return false
      }
    }
    return glob[g...].allSatisfy { $0 == "*" }
  }
}

extension Address {
  /// Whether this is `parent`, or a place below it.
  public func isInside(_ parent: Address) -> Bool {
    description.hasPrefix(parent.description)
      && (description.utf8.count == parent.description.utf8.count
        || description.utf8.dropFirst(parent.description.utf8.count).first == UInt8(ascii: "."))
  }
}
