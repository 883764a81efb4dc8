/// What a person did at the keyboard, free of any terminal's encoding.
public enum Key: Sendable, Equatable {
  /// A character to insert. Combining marks may arrive on their own.
  case character(Character)
  /// Pasted text, whole; line breaks in it are text, never commands.
  case paste(String)
  /// A letter pressed with Control, in lower case, or one of `@[\]^_`.
  case control(Character)
  /// A character pressed with Alt, or after Escape.
  case alt(Character)
  /// Keys with names.
  case enter, altEnter, tab, shiftTab, backspace, delete, escape
  /// Keys that move.
  case up, down, left, right, home, end, pageUp, pageDown, wordLeft, wordRight
  /// Backspace and Delete with Alt or Control: a word at a time.
  case deleteWordLeft, deleteWordRight
  /// A sequence that means nothing here.
  case unknown
}
