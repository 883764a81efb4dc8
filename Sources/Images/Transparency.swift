/// What is made of the transparent parts of a picture, for models that see no transparency.
public enum Transparency: String, Sendable, CaseIterable {
  /// They are laid on white, as transformers' processors do with a picture as it was opened.
  case white
  /// They are taken for opaque, whatever colours are hidden there, as Pillow's `convert("RGB")`,
  /// open_clip and transformers' `load_image` do.
  case drop
}

extension Image {
  /// The picture as RGB, without transparency and without what else its file holds; equal to what
  /// Pillow makes of it byte for byte.
  public func opaque(by transparency: Transparency) -> Image {
    guard alpha != nil || mode != .levels else { return self }
    var pixels = pixels
    if let alpha, transparency == .white { pixels = Codecs.layOnWhite(pixels, alpha: alpha) }
    return Image(width: width, height: height, pixels: pixels)
  }

  /// The share of the pixels that are not wholly opaque, from 0 to 1.
  public var transparentShare: Double {
    Double(alpha.map(Codecs.transparentCount) ?? 0) / Double(width * height)
  }
}
