/// What the samples of a file are, as Pillow's modes tell them apart.
///
/// It decides how a picture is resized that is made RGB afterwards.
enum Mode: Sendable, Equatable {
  /// Levels of grey or colours, with alpha as a channel where there is any: L, LA, RGB, RGBA.
  case levels
  /// L or RGB, of which one colour stands for transparent.
  case keyed
  /// Numbers of a palette, or one bit, which have no means: P, 1.
  case numbers
  /// CMYK.
  case inks
  /// YCbCr.
  case chroma
  /// I;16, I and F: grey of more than 8 bits.
  case grey16, grey32, greyFloat

  /// Whether a file has samples that colours and alpha do not tell.
  var hasSamples: Bool {
    switch self {
    case .levels, .keyed, .numbers: false
    case .inks, .chroma, .grey16, .grey32, .greyFloat: true
    }
  }
}

extension Image {
  /// The picture at another size, resized in the mode of its file and made RGB afterwards; equal to
  /// what Pillow's `resize` and then `convert("RGB")` make of it byte for byte.
  ///
  /// - Precondition: both sides are at least 1.
  func resizedInItsMode(to size: PixelSize, by filter: ResampleFilter) -> Image {
    precondition(size.width >= 1 && size.height >= 1, "a picture resized to \(size) pixels")
    // Pillow copies a picture that has the size already.
    guard size != self.size else { return opaque(by: .drop) }
    return Codecs.resizeInItsMode(self, to: size, by: filter)
  }
}
