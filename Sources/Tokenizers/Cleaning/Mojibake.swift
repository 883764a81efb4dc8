/// Tells whether a text looks like UTF-8 that was read in an encoding of one byte a character.
///
/// The heuristic of ftfy 6 (Speer): characters that such a mistake makes, next to each other as they
/// hardly are in any language.
enum Mojibake {
  /// A character of a sequence.
  private enum Item: Sendable {
    case of(ScalarSet)
    case notOf(ScalarSet)
    /// A letter, a digit or an underscore.
    case word
    case space
    /// White space that may be missing.
    case maybeSpace
    /// Any but the end of a line.
    case any
    /// The beginning of the text.
    case start
  }

  /// Whether a sequence stands somewhere in the text that is hardly meant.
  static func isLikely(in text: [Unicode.Scalar]) -> Bool {
    guard text.contains(where: { $0.value >= 0x80 }) else { return false }
    return text.indices.contains { place in
      (starts[text[place]] ?? otherStarts).contains { matches(sequences[$0][...], text, place) }
    }
  }

  /// Which sequences can start with a character, of those in a class and of ASCII.
  private static let starts: [Unicode.Scalar: [Int]] = {
    let known = ScalarSet(points: classes.map(\.points).joined(separator: " ") + " 0-FF")
    var starts: [Unicode.Scalar: [Int]] = [:]
    for scalar in known.scalars {
      starts[scalar] = sequences.indices.filter { place in
        switch sequences[place].first {
        case .of(let set): set.contains(scalar)
        case .space: TokenDecoder.isStripped(scalar)
        default: true
        }
      }
    }
    return starts
  }()
  /// Which can start with any other.
  private static let otherStarts = sequences.indices.filter { place in
    if case .of = sequences[place].first { false } else { true }
  }

  private static func matches(
    _ items: ArraySlice<Item>, _ text: [Unicode.Scalar], _ place: Int
  ) -> Bool {
    guard let item = items.first else { return true }
    let rest = items.dropFirst()
    if case .start = item { return place == 0 && matches(rest, text, place) }
    let next = place < text.count ? text[place] : nil
    let fits =
      next.map { scalar in
        switch item {
        case .of(let set): set.contains(scalar)
        case .notOf(let set): !set.contains(scalar)
        case .word: scalar.isPythonWord
        case .space, .maybeSpace: TokenDecoder.isStripped(scalar)
        case .any: scalar != "\n"
        case .start: false
        }
      } ?? false
    if fits, matches(rest, text, place + 1) { return true }
    if case .maybeSpace = item { return matches(rest, text, place) }
    return false
  }

  private static func one(_ names: String...) -> Item {
    .of(
      names.dropFirst().reduce(ScalarSet(points: points(names[0]))) {
        $0 + ScalarSet(points: points($1))
      })
  }

  private static func points(_ name: String) -> String {
    classes.first { $0.name == name }?.points ?? ""
  }

  private static func any(of characters: String, or names: String...) -> Item {
    .of(
      names.reduce(ScalarSet(characters)) { $0 + ScalarSet(points: points($1)) })
  }

  /// A sequence that is one certain text, or ends in one of several characters.
  private static func text(_ exact: String, then last: String? = nil) -> [Item] {
    exact.unicodeScalars.map { .of(ScalarSet(String(Character($0)))) }
      + (last.map { [.of(ScalarSet($0))] } ?? [])
  }

  private static let arabic = any(
    of: "ŸŠ®°µ»", or: "common", "currency", "bad", "numeric", "startPunctuation")
  private static let cyrillic = any(
    of: "°µ", or: "c1", "bad", "startPunctuation", "endPunctuation", "currency")
  private static let greek = any(
    of: "°", or: "c1", "bad", "startPunctuation", "endPunctuation", "currency")

  private static let sequences: [[Item]] = general + encodings

  private static let general: [[Item]] = [
    [one("c1")],
    [
      one(
        "bad", "lowerAccented", "upperAccented", "box", "startPunctuation", "endPunctuation",
        "currency", "numeric", "law"), one("bad"),
    ],
    [.of(.latin), one("lowerCommon", "upperCommon"), one("bad")],
    [
      one("bad"),
      one(
        "lowerAccented", "upperAccented", "box", "startPunctuation", "endPunctuation", "currency",
        "numeric", "law"),
    ],
    [
      one("lowerAccented", "lowerCommon", "box", "endPunctuation", "currency", "numeric"),
      one("upperAccented"),
    ],
    [one("box", "endPunctuation", "currency", "numeric"), one("lowerAccented")],
    [one("lowerAccented", "box", "endPunctuation"), one("currency")],
    [.space, one("upperAccented"), one("currency")],
    [one("upperAccented", "box"), one("numeric", "law")],
    [
      one("lowerAccented", "upperAccented", "box", "currency", "endPunctuation"),
      one("startPunctuation"), one("numeric"),
    ],
    [
      one("lowerAccented", "upperAccented", "currency", "numeric", "box", "law"),
      one("endPunctuation"), one("startPunctuation"),
    ],
    [one("currency", "numeric", "box"), one("startPunctuation")],
    [.of(.smallLatin), one("upperAccented"), one("startPunctuation", "currency")],
    [one("box"), one("kaomoji")],
    [
      one(
        "lowerAccented", "upperAccented", "currency", "numeric", "startPunctuation",
        "endPunctuation", "law"), one("box"),
    ],
    [one("box"), one("endPunctuation")],
    [one("lowerAccented", "upperAccented"), one("startPunctuation", "endPunctuation"), .word],
    [.of(ScalarSet("Œœ")), .notOf(.latin)],
    [one("upperAccented"), .of(ScalarSet("°"))],
  ]

  /// What certain encodings make of certain characters.
  private static let encodings: [[Item]] =
    [
      // Windows-1252.
      [
        .of(ScalarSet("ÂÃÎÐ")),
        any(
          of: "€œŠš¢£Ÿž\u{A0}\u{AD}®©°·»–—´", or: "startPunctuation", "endPunctuation"),
      ],
      text("×", then: "²³"),
      [.of(ScalarSet("ØÙ")), arabic, .of(ScalarSet("ØÙ")), arabic],
      text("à", then: "²µ¹¼½¾"),
      // MacRoman.
      text("√", then: "±∂†≠®™´≤≥¥µø"), text("≈", then: "°¢"), text("‚Ä", then: "ìîïòôúùû†°¢π"),
      [.of(ScalarSet("‚")), .of(ScalarSet("âó")), .of(ScalarSet("àä°ê"))],
      // Windows-1251.
      text("вЂ"), [.of(ScalarSet("ВГРС")), cyrillic, .of(ScalarSet("ВГРС"))],
      text("ГўВЂВ") + [.any, .of(ScalarSet.latin + ScalarSet(" "))],
      // à, á and the space that does not break.
      text("Ã", then: "\u{A0}¡"),
      [.of(.smallLatin), .maybeSpace, .of(ScalarSet("ÃÂ")), .of(ScalarSet(" "))],
      [.start, .of(ScalarSet("ÃÂ")), .of(ScalarSet(" "))],
      [
        .of(ScalarSet.smallLatin + ScalarSet(".,?!") + ScalarSet(points: points("endPunctuation"))),
        .of(ScalarSet("Â")), any(of: " ", or: "startPunctuation", "endPunctuation"),
      ],
      // Windows-1253 and Windows-1257.
      text("β€", then: "™\u{A0}Ά\u{AD}®°"),
      [.of(ScalarSet("ΒΓΞΟ")), greek, .of(ScalarSet("ΒΓΞΟ"))], text("ā€"),
    ]
}

extension Unicode.Scalar {
  /// Whether it is a letter, a digit or number, or an underscore: Python's `\w`, to which marks do not
  /// belong.
  fileprivate var isPythonWord: Bool {
    switch properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
    default: properties.numericType != nil || self == "_"
    }
  }
}
