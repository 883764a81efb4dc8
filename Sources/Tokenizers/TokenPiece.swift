/// A token as people look at it.
public struct TokenPiece: Sendable, Equatable {
  /// The id.
  public let id: Int
  /// The token as the file spells it; empty for an id that no token has.
  public let token: String
  /// Readable text: spaces as `␣`, line breaks as `⏎`, tabs as `⇥`, bytes that are no character on
  /// their own as `<0xE6>`.
  public let text: String
  /// Whether it is one of the special tokens.
  public let isSpecial: Bool
}

extension Tokenizer {
  /// What people see of one token, see `TokenPiece.text`; `#id` for an id that no token has.
  public func visible(_ id: Int) -> String {
    token(id) == nil ? "#\(id)" : pieces(of: [id])[0].text
  }

  /// The tokens of `ids`, each on its own, for looking at.
  public func pieces(of ids: [Int]) -> [TokenPiece] {
    var reading = PathReading(tokenDecoder.paths)
    return ids.untilStopped.map { id in
      let token = token(id) ?? ""
      // In a picture's path an id is its number, whatever token has it.
      if case .byte(let byte) = reading.next(id) {
        return TokenPiece(id: id, token: token, text: Self.visible([byte]), isSpecial: false)
      }
      let bytes = isSpecial(id) ? Array(token.utf8) : tokenDecoder.visibleBytes(of: token)
      return TokenPiece(
        id: id, token: token, text: self.token(id) == nil ? "#\(id)" : Self.visible(bytes),
        isSpecial: isSpecial(id))
    }
  }

  private static func visible(_ bytes: [UInt8]) -> String {
    var text = ""
    var place = 0
    bytes.withUnsafeBufferPointer { bytes in
      while place < bytes.count {
        // The shortest run of bytes that is a character, if one starts here.
        let length = (1...4).first { length in
          place + length <= bytes.count
            && String(validating: bytes[place..<place + length], as: UTF8.self) != nil
        }
        guard let length else {
          let digits = String(bytes[place], radix: 16, uppercase: true)
          text += "<0x\(digits.count < 2 ? "0" : "")\(digits)>"
          place += 1
          continue
        }
        let (scalar, _) = bytes.scalar(at: place)
        switch scalar {
        case " ": text += "␣"
        case "\n": text += "⏎"
        case "\t": text += "⇥"
        default:
          if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
            text += "<U+\(String(scalar.value, radix: 16, uppercase: true))>"
          } else {
            text.unicodeScalars.append(scalar)
          }
        }
        place += length
      }
    }
    return text
  }
}
