import Files
import Foundation
import TestSupport
import Testing

@testable import Tokenizers

/// Unicode's forms C and D against Python's tables.
@Suite struct ComposedFormTests {
  private static let golden = try? JSON(
    file: Fixtures.goldens.appending(path: "tokenizers/composed-forms.json"))

  private static func scalars(_ text: String) -> [Unicode.Scalar] {
    text.split(separator: " ").compactMap { UInt32($0, radix: 16).flatMap(Unicode.Scalar.init) }
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> String {
    String(String.UnicodeScalarView(scalars))
  }

  private static func check(_ entry: JSON) throws {
    let original = scalars(try #require(entry[0]?.text))
    let (c, d) = (scalars(try #require(entry[1]?.text)), scalars(try #require(entry[2]?.text)))
    let name = "\(original.map { String($0.value, radix: 16) })"
    #expect(CanonicalComposition.scalars(of: text(original), unicode: 14) == c, "C of \(name)")
    #expect(CanonicalDecomposition.scalars(of: text(original), unicode: 14) == d, "D of \(name)")
    #expect(CanonicalComposition.scalars(of: text(d), unicode: 14) == c, "C of D of \(name)")
  }

  @Test func everyCharacterWithPartsHasThem() throws {
    let entries = try #require(Self.golden?["characters"]?.array)
    #expect(entries.count > 2000)
    for entry in entries { try Self.check(entry) }
  }

  @Test func sequencesMeetAsUnicodeSays() throws {
    let entries = try #require(Self.golden?["sequences"]?.array)
    #expect(entries.count > 500)
    for entry in entries { try Self.check(entry) }
  }

  @Test func charactersBeyondTheFirstPlaneStayApart() {
    let text = "\u{E0045}\u{330}"
    #expect(CanonicalComposition.scalars(of: text).map(\.value) == [0xE0045, 0x330])
    #expect(CanonicalComposition.scalars(of: "\u{11099}\u{110BA}").map(\.value) == [0x1109A])
  }
}
