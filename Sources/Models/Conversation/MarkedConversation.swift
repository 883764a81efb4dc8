internal import Files
internal import Foundation
internal import Templates

/// A conversation with a mark behind its last message, to find where that ends in what a template writes, as
/// transformers' `continue_final_message` does.
struct MarkedConversation {
  private static let (word, mark) = ("CONTINUE_FINAL_MESSAGE_TAG", "CONTINUE_FINAL_MESSAGE_TAG ")

  /// The messages, the mark behind the last one's text, or behind the last of its texts.
  let messages: [JSON]
  /// That text.
  private let text: String

  /// - Throws: `ModelError.nothingToContinue` where the last message has no text.
  init(_ messages: [JSON]) throws(ModelError) {
    guard let last = messages.last else {
      throw .nothingToContinue(reason: "there is no message")
    }
    let content: JSON
    if let text = last["content"]?.text {
      self.text = text
      content = .string(text + Self.mark)
    } else if var parts = last["content"]?.array,
      let place = parts.lastIndex(where: { $0["text"]?.text != nil }),
      let text = parts[place]["text"]?.text
    {
      self.text = text
      parts[place] = parts[place].with("text", .string(text + Self.mark))
      content = .array(parts)
    } else {
      throw .nothingToContinue(reason: "it has no text")
    }
    self.messages = messages.dropLast() + [last.with("content", content)]
  }

  /// What was written up to the mark; where the template trimmed the message, white space at its end goes too.
  ///
  /// - Throws: `ModelError.nothingToContinue` where the template left the message or a part of it out.
  func cut(_ rendering: Template.Rendering) throws(ModelError) -> Template.Rendering {
    let written = rendering.text
    let said = String(
      String.UnicodeScalarView(text.unicodeScalars.trimmedEnd.drop { $0.isBlank }))
    guard said.isEmpty || written.range(of: said, options: .literal) != nil,
      let place = written.range(of: Self.word, options: [.backwards, .literal])
    else {
      throw .nothingToContinue(reason: "the template does not write it as it is")
    }
    let before = written[..<place.lowerBound]
    let isWhole = written[place.upperBound...].utf8.first == UInt8(ascii: " ")
    return Template.Rendering(
      text: isWhole
        ? String(before) : String(String.UnicodeScalarView(before.unicodeScalars.trimmedEnd)),
      generated: [])
  }
}

extension JSON {
  /// The same object with another value under a key that it has.
  fileprivate func with(_ key: String, _ value: JSON) -> JSON {
    guard let object else { return self }
    return .object(
      JSON.Object(object.members.map { ($0.key, $0.key == key ? value : $0.value) }))
  }
}

extension Unicode.Scalar {
  /// Whether Python's `strip` takes it.
  fileprivate var isBlank: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
}

extension BidirectionalCollection<Unicode.Scalar> {
  /// Without white space at the end.
  fileprivate var trimmedEnd: SubSequence {
    var end = endIndex
    while end > startIndex, self[index(before: end)].isBlank { formIndex(before: &end) }
    return self[..<end]
  }
}
