/// What a file of no format that is read here seems to be, by its first bytes.
enum ForeignFile {
  /// A picture of a format that is not read here.
  case picture(String)
  /// No picture at all.
  case other(String)

  init(sniffing bytes: [UInt8]) {
    // Bytes as characters one to one, so that positions stay positions.
    let head = String(String.UnicodeScalarView(bytes.prefix(1024).map { UnicodeScalar($0) }))
      .unicodeScalars
    let start = String(String.UnicodeScalarView(head.drop { Self.isBlank($0) })).lowercased()
    if let known = Self.pictures.first(where: { head.starts(with: $0.magic.unicodeScalars) }) {
      self = .picture(known.name)
    } else if let known = Self.others.first(where: { head.starts(with: $0.magic.unicodeScalars) }) {
      self = .other(known.name)
    } else if head.starts(with: "RIFF".unicodeScalars) {
      self = .other("sound or film (RIFF)")
    } else if head.dropFirst(4).starts(with: "ftyp".unicodeScalars) {
      self = .other("a film (MP4 or alike)")
    } else if start.hasPrefix("<svg") || start.hasPrefix("<?xml") && start.contains("<svg") {
      self = .picture("an SVG drawing")
    } else if start.hasPrefix("<!doctype html") || start.hasPrefix("<html") {
      self = .other("a web page (HTML)")
    } else if head.prefix(256).allSatisfy({ (32..<127).contains($0.value) || Self.isBlank($0) }) {
      let words = start.prefix(40).split(whereSeparator: \.isWhitespace)
      self = .other("text (\"\(words.joined(separator: " "))\")")
    } else {
      let digits = bytes.prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
      self = .other("no known format (first bytes \(digits.joined(separator: " ")))")
    }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
    // The last three are the byte order mark of UTF-8.
    scalar.properties.isWhitespace || [0xEF, 0xBB, 0xBF].contains(scalar.value)
  }

  private static let pictures: [(magic: String, name: String)] = [
    ("\0\0\u{01}\0", "an icon (ICO)"), ("8BPS", "a Photoshop picture"),
    ("\u{FF}\u{0A}", "a JPEG XL picture"), ("\0\0\0\u{0C}JXL ", "a JPEG XL picture"),
    ("P1\n", "a Netpbm picture"), ("P2\n", "a Netpbm picture"), ("P3\n", "a Netpbm picture"),
    ("P4\n", "a Netpbm picture"), ("P5\n", "a Netpbm picture"), ("P6\n", "a Netpbm picture"),
  ]

  private static let others: [(magic: String, name: String)] = [
    (
      "version https://git-lfs",
      "a Git LFS pointer, not the picture it stands for: 'git lfs pull' in its folder brings that"
    ),
    ("%PDF", "a PDF document"), ("PK\u{03}\u{04}", "a ZIP archive"),
    ("\u{1F}\u{8B}", "gzip-compressed data"), ("\u{93}NUMPY", "a NumPy array"),
    ("\u{89}PNG", "a PNG picture whose line ends were changed on the way"),
  ]
}
