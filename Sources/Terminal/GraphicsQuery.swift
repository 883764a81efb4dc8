internal import Glibc

/// Asks a terminal which pictures it draws.
public enum GraphicsQuery {
  /// What a terminal answers.
  public struct Answer: Sendable, Equatable {
    /// Whether it knows kitty's protocol.
    public var knowsKitty = false
    /// Whether it knows DEC's sixels.
    public var knowsSixel = false
  }

  /// Asks the terminal on two descriptors; no answer within `milliseconds` is one too.
  ///
  /// Never asks where either is no terminal: in a pipe nobody would read the question as one.
  public static func ask(
    input: Int32 = 0, output: Int32 = 1, milliseconds: Int = 150, in environment: Environment
  ) -> Answer {
    guard let keyboard = Keyboard(input: input, output: output, in: environment),
      (try? keyboard.open()) != nil
    else { return Answer() }
    defer { keyboard.close() }
    // A picture of one pixel that is only asked about, then what every terminal answers: its attributes.
    keyboard.write("\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[c")
    var heard: [UInt8] = []
    let clock = ContinuousClock()
    let end = clock.now + .milliseconds(milliseconds)
    while clock.now < end {
      let left = (end - clock.now) / .milliseconds(1)
      guard case .bytes(let bytes) = keyboard.wait(milliseconds: Int32(max(1, left))) else {
        continue
      }
      heard += bytes
      if let answer = answer(in: heard) { return answer }
    }
    return Answer()
  }

  /// What some bytes of a terminal say; nil while its attributes have not come.
  static func answer(in bytes: [UInt8]) -> Answer? {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let start = text.firstRange(of: "\u{1B}[?"),
      let end = text[start.upperBound...].firstIndex(of: "c")
    else { return nil }
    let attributes = text[start.upperBound..<end].split(separator: ";")
    return Answer(
      knowsKitty: text.contains("\u{1B}_Gi=31;OK"), knowsSixel: attributes.contains("4"))
  }
}
