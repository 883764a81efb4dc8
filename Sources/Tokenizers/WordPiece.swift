internal import Foundation

/// BERT's tokenizer: text is cleaned and cut into words, words into the longest known pieces from
/// the left (Devlin et al. 2018).
struct WordPiece: Tokenizer {
  /// What is done to a text before it is cut.
  struct Normalisation: Sendable {
    var cleansText = true
    var separatesChinese = true
    var stripsAccents = true
    var lowercases = true
  }

  let vocabulary: Vocabulary
  let added: AddedTokens
  let surroundings: Surroundings
  let normalisation: Normalisation
  let unknown: Int
  let prefix: String
  let longestWord: Int

  var vocabularySize: Int { vocabulary.size(with: added) }
  func token(_ id: Int) -> String? { added.contents[id] ?? vocabulary.token(id) }
  func id(_ token: String) -> Int? { vocabulary.id(token) }
  func isSpecial(_ id: Int) -> Bool { added.specialIDs.contains(id) }

  func encode(_ text: String, addSpecialTokens: Bool) -> [Int] {
    var ids: [Int] = []
    for part in added.split(text) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let text):
        for word in words(of: normalised(text)) { append(word, to: &ids) }
      }
    }
    return addSpecialTokens ? surroundings.prefix + ids + surroundings.suffix : ids
  }

  func decode(_ ids: [Int], skipSpecialTokens: Bool) -> String {
    var text = ""
    for id in ids {
      if skipSpecialTokens && isSpecial(id) { continue }
      guard let token = token(id) else { continue }
      if text.isEmpty {
        text = token
      } else if token.utf8.starts(with: prefix.utf8) {
        // By bytes: a mark that follows the prefix would fuse with it into one character.
        text += String(token.unicodeScalars.dropFirst(prefix.unicodeScalars.count))
      } else {
        text += Self.joined[token] ?? " \(token)"
      }
    }
    return text
  }

  /// Tokens that the reference's clean-up writes without a space before them.
  private static let joined = [
    ".": ".", "?": "?", "!": "!", ",": ",", "n't": "n't", "'m": "'m", "'s": "'s", "'ve": "'ve",
    "'re": "'re",
  ]

  private func normalised(_ text: Substring) -> [Unicode.Scalar] {
    var scalars: [Unicode.Scalar] = []
    scalars.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      if normalisation.cleansText {
        if Self.isRemoved(scalar) { continue }
        if scalar.properties.isWhitespace {
          scalars.append(" ")
          continue
        }
      }
      if normalisation.separatesChinese, Self.isChinese(scalar) {
        scalars += [" ", scalar, " "]
      } else {
        scalars.append(scalar)
      }
    }
    if normalisation.stripsAccents, scalars.contains(where: { !$0.isASCII }) {
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars)
      scalars = String(view).decomposedStringWithCanonicalMapping.unicodeScalars.filter {
        $0.properties.generalCategory != .nonspacingMark
      }
    }
    guard normalisation.lowercases else { return scalars }
    return scalars.flatMap { scalar -> [Unicode.Scalar] in
      if scalar.isASCII {
        let value = scalar.value
        return [(65...90).contains(value) ? Unicode.Scalar(UInt8(value + 32)) : scalar]
      }
      return Array(scalar.properties.lowercaseMapping.unicodeScalars)
    }
  }

  private func words(of scalars: [Unicode.Scalar]) -> [ArraySlice<Unicode.Scalar>] {
    var words: [ArraySlice<Unicode.Scalar>] = []
    var start = 0
    for (place, scalar) in scalars.enumerated() {
      let isSpace = scalar.properties.isWhitespace
      guard isSpace || Self.isPunctuation(scalar) else { continue }
      if start < place { words.append(scalars[start..<place]) }
      if !isSpace { words.append(scalars[place...place]) }
      start = place + 1
    }
    if start < scalars.count { words.append(scalars[start...]) }
    return words
  }

  private func append(_ word: ArraySlice<Unicode.Scalar>, to ids: inout [Int]) {
    guard word.count <= longestWord else {
      ids.append(unknown)
      return
    }
    var pieces: [Int] = []
    var start = word.startIndex
    while start < word.endIndex {
      var end = word.endIndex
      var found: Int?
      while end > start {
        var view = String.UnicodeScalarView()
        if start > word.startIndex { view.append(contentsOf: prefix.unicodeScalars) }
        view.append(contentsOf: word[start..<end])
        found = vocabulary.id(String(view))
        if found != nil { break }
        end -= 1
      }
      guard let found else {
        ids.append(unknown)
        return
      }
      pieces.append(found)
      start = end
    }
    ids += pieces
  }

  private static func isRemoved(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "\t", "\n", "\r": return false
    case "\0", "\u{FFFD}": return true
    default:
      switch scalar.properties.generalCategory {
      case .control, .format, .privateUse, .surrogate, .unassigned: return true
      default: return false
      }
    }
  }

  private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 33...47, 58...64, 91...96, 123...126: return true
    case 0..<128: return false
    default:
      switch scalar.properties.generalCategory {
      case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
        .initialPunctuation, .finalPunctuation, .otherPunctuation:
        return true
      default: return false
      }
    }
  }

  /// The blocks of Chinese characters that BERT's published code separates.
  private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x20000...0x2A6DF, 0x2A700...0x2B73F,
      0x2B740...0x2B81F, 0x2B920...0x2CEAF, 0xF900...0xFAFF, 0x2F800...0x2FA1F:
      return true
    default: return false
    }
  }
}
