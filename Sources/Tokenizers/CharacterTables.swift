internal import CGLib

/// Unicode's tables of single characters, from GLib: what two make, what one is made of.
///
/// The one door to GLib. Foundation's own composition takes characters beyond the first 65,536 for
/// others, because it cuts them to 16 bits.
enum CharacterTables {
  /// The character that two make; nil where they stay two.
  static func composed(_ first: Unicode.Scalar, _ second: Unicode.Scalar) -> Unicode.Scalar? {
    var one: gunichar = 0
    guard g_unichar_compose(first.value, second.value, &one) != 0 else { return nil }
    return Unicode.Scalar(one)
  }

  /// The characters that one is made of, all the way down; itself where it is not made of any.
  ///
  /// - Parameter isCompatible: whether forms of a character count as it, as in Unicode's KD.
  static func decomposed(_ scalar: Unicode.Scalar, isCompatible: Bool = false) -> [Unicode.Scalar] {
    // No character has more than 18 parts.
    var parts = [gunichar](repeating: 0, count: Int(G_UNICHAR_MAX_DECOMPOSITION_LENGTH))
    let count = g_unichar_fully_decompose(
      scalar.value, isCompatible ? 1 : 0, &parts, gsize(parts.count))
    return parts.prefix(Int(clamping: count)).compactMap { Unicode.Scalar($0) }
  }

  /// The combining class: marks of unequal ones have one order, 0 is what never moves.
  static func combiningClass(_ scalar: Unicode.Scalar) -> UInt8 {
    UInt8(clamping: g_unichar_combining_class(scalar.value))
  }
}
