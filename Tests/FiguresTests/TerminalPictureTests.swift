import Budget
import Figures
import Images
import Testing

@Suite struct TerminalPictureTests {
  let image = Image(
    width: 2, height: 3,
    pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 128, 128, 128])

  @Test func halfBlocksShowTwoPixelsEach() {
    #expect(
      TerminalPicture.text(image, columns: 80, style: .trueColour)
        == "\u{1b}[38;2;255;0;0;48;2;0;0;255m▀\u{1b}[38;2;0;255;0;48;2;255;255;255m▀\u{1b}[0m\n"
        + "\u{1b}[38;2;0;0;0;49m▀\u{1b}[38;2;128;128;128;49m▀\u{1b}[0m\n")
    #expect(
      TerminalPicture.text(image, columns: 80, style: .palette).hasPrefix(
        "\u{1b}[38;5;196;48;5;21m▀\u{1b}[38;5;46;48;5;231m▀"))
  }

  @Test func shadesNeedNoEscapes() {
    let text = TerminalPicture.text(image, columns: 80, style: .shades)
    #expect(!text.contains("\u{1b}"))
    #expect(text.split(separator: "\n", omittingEmptySubsequences: false).count == 3)
  }

  @Test func averagingIsStopped() {
    let grey = Image(width: 300, height: 200, filledWith: .init(red: 7, green: 8, blue: 9))
    let stop = Stop()
    stop.request()
    Stop.$current.withValue(stop) {
      #expect(TerminalPicture.text(grey, columns: 30, style: .shades).isEmpty)
    }
  }

  @Test func largePicturesAreAveraged() {
    let grey = Image(width: 300, height: 200, filledWith: .init(red: 7, green: 8, blue: 9))
    let text = TerminalPicture.text(grey, columns: 30, style: .trueColour)
    #expect(text.filter { $0 == "▀" }.count == 300)
    #expect(text.contains("38;2;7;8;9"))
  }
}
