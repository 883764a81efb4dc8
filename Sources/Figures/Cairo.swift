internal import Budget
internal import CCairo
internal import Images

// The only file that knows Cairo and Pango. No handle leaves it; each is released where it is made.

/// Measures text as it will be drawn.
enum Typesetter {
  /// DejaVu has Latin, Greek, Cyrillic and symbols; WenQuanYi has Chinese, Japanese and Korean.
  ///
  /// Emoji Pango takes from a font of emoji by itself; named here, that font would give all digits.
  static let families = "DejaVu Sans, WenQuanYi Micro Hei, sans-serif"

  /// The text with the name of every sign that no font here can draw in its place, as `⟨grinning face⟩`.
  static func drawable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.value >= 0x250 }), !canDraw(text) else {
      return text
    }
    return text.map { character in
      canDraw(String(character)) ? String(character) : "⟨\(name(of: character))⟩"
    }.joined()
  }

  private static func canDraw(_ text: String) -> Bool {
    withLayout(text, size: 9, isBold: false) { pango_layout_get_unknown_glyphs_count($0) == 0 }
  }

  /// What Unicode calls a sign, without what only says how it is drawn.
  private static func name(of character: Character) -> String {
    character.unicodeScalars
      .filter { !$0.properties.isVariationSelector && !$0.properties.isJoinControl }
      .map { scalar in
        scalar.properties.name?.lowercased()
          ?? "U+" + String(scalar.value, radix: 16, uppercase: true)
      }.joined(separator: " + ")
  }

  /// The width of a line of text in points.
  static func width(of text: String, size: Double, isBold: Bool = false) -> Double {
    withLayout(text, size: size, isBold: isBold) { layout in
      var (width, height): (Int32, Int32) = (0, 0)
      pango_layout_get_size(layout, &width, &height)
      return Double(width) / Double(PANGO_SCALE)
    }
  }

  /// The text in lines that fit in `width` points, broken between words where that is possible.
  static func lines(
    of text: String, width: Double, size: Double, isBold: Bool = false
  ) -> [String] {
    let visible = drawable(Label.visible(text))
    let bytes = Array(visible.utf8)
    return withLayout(visible, size: size, isBold: isBold) { layout in
      pango_layout_set_width(layout, Int32(min(max(1, width), 100_000) * Double(PANGO_SCALE)))
      pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR)
      return (0..<pango_layout_get_line_count(layout)).compactMap { index in
        guard let line = pango_layout_get_line_readonly(layout, index) else { return nil }
        let start = min(max(0, Int(line.pointee.start_index)), bytes.count)
        let end = min(start + max(0, Int(line.pointee.length)), bytes.count)
        var words = Substring(decoding: bytes[start..<end], as: UTF8.self)
        while words.last == " " { words.removeLast() }
        return String(words)
      }
    }
  }

  /// Lends a layout of one paragraph.
  ///
  /// Hinting is off, so that sizes do not depend on resolution.
  fileprivate static func withLayout<Result>(
    _ text: String, size: Double, isBold: Bool, _ body: (OpaquePointer) -> Result
  ) -> Result {
    let context = pango_font_map_create_context(pango_cairo_font_map_get_default())
    defer { g_object_unref(UnsafeMutableRawPointer(context)) }
    let options = cairo_font_options_create()
    defer { cairo_font_options_destroy(options) }
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY)
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE)
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF)
    pango_cairo_context_set_font_options(context, options)
    pango_cairo_context_set_resolution(context, 72)
    pango_context_set_round_glyph_positions(context, 0)
    let layout = pango_layout_new(context)
    defer { g_object_unref(UnsafeMutableRawPointer(layout)) }
    let font = pango_font_description_from_string(families)
    defer { pango_font_description_free(font) }
    pango_font_description_set_absolute_size(font, size * Double(PANGO_SCALE))
    pango_font_description_set_weight(font, isBold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL)
    pango_layout_set_font_description(layout, font)
    pango_layout_set_auto_dir(layout, 0)
    pango_layout_set_single_paragraph_mode(layout, 1)
    pango_layout_set_text(layout, text, Int32(text.utf8.count))
    // Pango aborts where memory ends and returns a layout otherwise.
    return body(layout.unsafelyUnwrapped)
  }
}

/// Draws figures with Cairo.
enum CairoPage {
  /// The figure as pixels on white.
  static func pixels(
    of figure: Figure, scale: Double, width: Int, height: Int
  ) throws(FigureError) -> Image {
    let surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, Int32(width), Int32(height))
    defer { cairo_surface_destroy(surface) }
    let context = cairo_create(surface)
    defer { cairo_destroy(context) }
    cairo_set_source_rgb(context, 1, 1, 1)
    cairo_paint(context)
    cairo_scale(context, scale, scale)
    try draw(figure.marks, on: context, enlargesBlocks: false)
    cairo_surface_flush(surface)
    guard let data = cairo_image_surface_get_data(surface) else {
      throw .drawing("no memory for \(width) × \(height) pixels")
    }
    let stride = Int(cairo_image_surface_get_stride(surface))
    let pixels = [UInt8](unsafeUninitializedCapacity: width * height * 3) { out, count in
      for y in 0..<height where !Stop.isRequested {
        for x in 0..<width {
          let word = UnsafeRawPointer(data + y * stride + x * 4).load(as: UInt32.self)
          let place = (y * width + x) * 3
          out[place] = UInt8(truncatingIfNeeded: word >> 16)
          out[place + 1] = UInt8(truncatingIfNeeded: word >> 8)
          out[place + 2] = UInt8(truncatingIfNeeded: word)
        }
      }
      count = width * height * 3
    }
    return Image(width: width, height: height, pixels: pixels)
  }

  /// The figure as a PDF file.
  ///
  /// It carries a fixed date, since Cairo would write today's.
  static func pdf(of figure: Figure) throws(FigureError) -> [UInt8] {
    final class Sink { var bytes: [UInt8] = [] }
    let sink = Sink()
    let surface = cairo_pdf_surface_create_for_stream(
      { sink, bytes, count in
        guard let sink, let bytes else { return CAIRO_STATUS_WRITE_ERROR }
        Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue().bytes.append(
          contentsOf: UnsafeBufferPointer(start: bytes, count: Int(count)))
        return CAIRO_STATUS_SUCCESS
      }, Unmanaged.passUnretained(sink).toOpaque(), figure.width, figure.height)
    defer { cairo_surface_destroy(surface) }
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_TITLE, figure.title)
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, figure.altText)
    cairo_pdf_surface_set_metadata(
      surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z")
    let context = cairo_create(surface)
    defer { cairo_destroy(context) }
    try draw(figure.marks, on: context, enlargesBlocks: true)
    cairo_show_page(context)
    cairo_surface_finish(surface)
    try check(cairo_surface_status(surface))
    return withExtendedLifetime(sink) { sink.bytes }
  }

  private static func check(_ status: cairo_status_t) throws(FigureError) {
    guard status != CAIRO_STATUS_SUCCESS else { return }
    throw .drawing(String(cString: cairo_status_to_string(status)))
  }

  private static func draw(
    _ marks: [Mark], on context: OpaquePointer?, enlargesBlocks: Bool
  ) throws(FigureError) {
    // One number that Cairo cannot take would spoil all that follows.
    for mark in marks where mark.isDrawable {
      switch mark {
      case .shape(let path, let fill, let stroke): draw(path, fill, stroke, on: context)
      case .text(let text): draw(text, on: context)
      case .picture(let image, let area, let sampling):
        let drawn = enlargesBlocks && sampling == .blocks ? image.enlarged(for: area) : image
        draw(drawn, area, sampling, on: context)
      }
    }
    try check(cairo_status(context))
  }

  private static func draw(
    _ path: Path, _ fill: Colour?, _ stroke: Stroke?, on context: OpaquePointer?
  ) {
    cairo_new_path(context)
    for step in path.steps {
      switch step {
      case .move(let end): cairo_move_to(context, end.x, end.y)
      case .line(let end): cairo_line_to(context, end.x, end.y)
      case .curve(let first, let second, let end):
        cairo_curve_to(context, first.x, first.y, second.x, second.y, end.x, end.y)
      case .close: cairo_close_path(context)
      }
    }
    if let fill {
      set(fill, on: context)
      cairo_fill_preserve(context)
    }
    if let stroke {
      set(stroke.colour, on: context)
      cairo_set_line_width(context, stroke.width)
      cairo_set_line_join(context, CAIRO_LINE_JOIN_ROUND)
      cairo_set_dash(context, stroke.dashes, Int32(stroke.dashes.count), 0)
      cairo_stroke(context)
    }
    cairo_new_path(context)
  }

  private static func set(_ colour: Colour, on context: OpaquePointer?) {
    cairo_set_source_rgba(
      context, Double(colour.red) / 255, Double(colour.green) / 255, Double(colour.blue) / 255,
      colour.opacity)
  }

  private static func draw(_ text: Text, on context: OpaquePointer?) {
    Typesetter.withLayout(text.characters, size: text.size, isBold: text.isBold) { layout in
      var (width, height): (Int32, Int32) = (0, 0)
      pango_layout_get_size(layout, &width, &height)
      let share: Double =
        switch text.anchor {
        case .start: 0
        case .middle: 0.5
        case .end: 1
        }
      cairo_save(context)
      cairo_translate(context, text.place.x, text.place.y)
      cairo_rotate(context, text.angle * .pi / 180)
      cairo_move_to(context, -Double(width) / Double(PANGO_SCALE) * share, 0)
      set(text.colour, on: context)
      pango_cairo_show_layout_line(context, pango_layout_get_line_readonly(layout, 0))
      cairo_restore(context)
    }
  }

  private static func draw(
    _ image: Image, _ area: Rectangle, _ sampling: Mark.Sampling, on context: OpaquePointer?
  ) {
    var words = [UInt32](repeating: 0, count: image.width * image.height)
    image.pixels.withUnsafeBufferPointer { bytes in
      for index in words.indices {
        words[index] =
          UInt32(bytes[index * 3]) << 16 | UInt32(bytes[index * 3 + 1]) << 8
          | UInt32(bytes[index * 3 + 2])
      }
    }
    let stride = Int32(image.width * 4)
    words.withUnsafeMutableBytes { bytes in
      let surface = cairo_image_surface_create_for_data(
        bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), CAIRO_FORMAT_RGB24,
        Int32(image.width), Int32(image.height), stride)
      cairo_save(context)
      cairo_translate(context, area.x, area.y)
      cairo_scale(
        context, area.width / Double(image.width), area.height / Double(image.height))
      cairo_set_source_surface(context, surface, 0, 0)
      let pattern = cairo_get_source(context)
      cairo_pattern_set_filter(
        pattern, sampling == .blocks ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD)
      // Without this the border mixes with the nothing around the picture.
      cairo_pattern_set_extend(pattern, CAIRO_EXTEND_PAD)
      cairo_rectangle(context, 0, 0, Double(image.width), Double(image.height))
      cairo_fill(context)
      cairo_restore(context)
      // A PDF surface keeps a copy; finishing makes sure that nothing reads `words` later.
      cairo_surface_finish(surface)
      cairo_surface_destroy(surface)
    }
  }
}

extension Image {
  /// The picture with every pixel repeated so often that viewers that smooth what they enlarge
  /// still show blocks.
  func enlarged(for area: Rectangle) -> Image {
    let wanted = max(area.width / Double(width), area.height / Double(height)) * 2
    let factor = min(16, Int(max(1, min(wanted, 1e6).rounded(.up))))
    guard factor > 1 else { return self }
    return enlarged(by: factor)
  }

  /// The picture with every pixel repeated `factor` times in both directions.
  func enlarged(by factor: Int) -> Image {
    let row = width * 3
    let pixels = [UInt8](unsafeUninitializedCapacity: row * height * factor * factor) {
      out, count in
      self.pixels.withUnsafeBufferPointer { source in
        for y in 0..<height * factor where !Stop.isRequested {
          for x in 0..<width * factor {
            let (from, to) = (y / factor * row + x / factor * 3, (y * width * factor + x) * 3)
            out[to] = source[from]
            out[to + 1] = source[from + 1]
            out[to + 2] = source[from + 2]
          }
        }
      }
      count = row * height * factor * factor
    }
    return Image(width: width * factor, height: height * factor, pixels: pixels)
  }
}
