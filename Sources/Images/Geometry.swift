/// Where each pixel of a picture went on its way to a model's tokens, and back.
///
/// The way is: original picture → the part of it that is shown, all of it for most models → resized →
/// cropped or padded to the model's input → patches in reading order → tokens, after those that stand
/// for no patch. Everything that draws on the original, or reads a box from it, goes through this one
/// map.
public struct Geometry: Sendable, Hashable {
  /// The picture that was prepared.
  ///
  /// One that was turned upright counts as it lies then.
  public let original: PixelSize
  /// What of it is shown: all, unless it was split into views.
  public let part: Part
  /// The part's size after resizing.
  public let resized: PixelSize
  /// Where the input's left column lies in the resized picture; negative where a border was added.
  public let left: Int
  /// Where the input's top row lies in the resized picture; negative where a border was added.
  public let top: Int
  /// What the model is given.
  public let input: PixelSize
  /// The side of a patch, in pixels of the input.
  public let patchSize: Int
  /// How many tokens stand before that of the first patch.
  public let leadingTokenCount: Int

  /// Whole pixels of a picture.
  public struct Part: Sendable, Hashable {
    /// The column that it begins with.
    public let x: Int
    /// The row that it begins with.
    public let y: Int
    /// How large it is.
    public let size: PixelSize

    /// The pixels from a column and a row on.
    public init(x: Int = 0, y: Int = 0, size: PixelSize) {
      (self.x, self.y, self.size) = (x, y, size)
    }

    /// The same as a rectangle.
    public var rectangle: Rectangle {
      Rectangle(
        x: Double(x), y: Double(y), width: Double(size.width), height: Double(size.height))
    }
  }

  /// A place in the grid of patches.
  public struct Patch: Sendable, Hashable {
    /// Counted from the top.
    public var row: Int
    /// Counted from the left.
    public var column: Int

    /// Names a place in the grid.
    public init(row: Int, column: Int) { (self.row, self.column) = (row, column) }
  }

  /// Describes a way.
  ///
  /// - Parameters:
  ///   - part: what of the picture is shown; nil for all.
  ///   - resized: nil where the part keeps its size.
  ///   - left: the column of the resized picture where the input begins.
  ///   - top: the row of the resized picture where the input begins.
  ///   - input: nil where nothing is cut off or added.
  /// - Precondition: every size is positive.
  public init(
    original: PixelSize, part: Part? = nil, resized: PixelSize? = nil, left: Int = 0, top: Int = 0,
    input: PixelSize? = nil, patchSize: Int = 1, leadingTokenCount: Int = 0
  ) {
    self.original = original
    self.part = part ?? Part(size: original)
    self.resized = resized ?? self.part.size
    (self.left, self.top) = (left, top)
    self.input = input ?? self.resized
    self.patchSize = patchSize
    self.leadingTokenCount = leadingTokenCount
    for size in [self.original, self.part.size, self.resized, self.input] {
      precondition(size.width >= 1 && size.height >= 1, "a picture of \(size) pixels")
    }
    precondition(patchSize >= 1 && leadingTokenCount >= 0, "patches of \(patchSize) pixels")
  }

  /// The same way into patches of another size.
  public func divided(intoPatches patchSize: Int, leadingTokens: Int = 0) -> Geometry {
    Geometry(
      original: original, part: part, resized: resized, left: left, top: top, input: input,
      patchSize: patchSize, leadingTokenCount: leadingTokens)
  }

  // MARK: Original and input

  /// Where a point of the original lies in the input; outside it where that point was cut off.
  public func inputPoint(_ point: Point) -> Point {
    Point(
      x: (point.x - Double(part.x)) * Double(resized.width) / Double(part.size.width)
        - Double(left),
      y: (point.y - Double(part.y)) * Double(resized.height) / Double(part.size.height)
        - Double(top))
  }

  /// Where a point of the input lies in the original; outside it where that point is border.
  public func originalPoint(_ point: Point) -> Point {
    Point(
      x: (point.x + Double(left)) * Double(part.size.width) / Double(resized.width)
        + Double(part.x),
      y: (point.y + Double(top)) * Double(part.size.height) / Double(resized.height)
        + Double(part.y))
  }

  /// Where a rectangle of the original lies in the input.
  public func inputRectangle(_ rectangle: Rectangle) -> Rectangle {
    Rectangle(from: inputPoint(rectangle.topLeft), to: inputPoint(rectangle.bottomRight))
  }

  /// Where a rectangle of the input lies in the original.
  public func originalRectangle(_ rectangle: Rectangle) -> Rectangle {
    Rectangle(from: originalPoint(rectangle.topLeft), to: originalPoint(rectangle.bottomRight))
  }

  /// The part of the original that the model sees; nil where it sees border alone.
  public var seen: Rectangle? {
    originalRectangle(
      Rectangle(x: 0, y: 0, width: Double(input.width), height: Double(input.height))
    ).intersection(part.rectangle)
  }

  // MARK: Patches

  /// Rows of patches; what is left over at the bottom belongs to none.
  public var rowCount: Int { input.height / patchSize }
  /// Columns of patches; what is left over at the right belongs to none.
  public var columnCount: Int { input.width / patchSize }
  /// Patches in all.
  public var patchCount: Int { rowCount * columnCount }

  /// What a patch covers of the original, in its pixels; where a border was added it reaches
  /// beyond the picture.
  ///
  /// - Precondition: the patch lies in the grid.
  public func patchRectangle(row: Int, column: Int) -> Rectangle {
    precondition(
      (0..<rowCount).contains(row) && (0..<columnCount).contains(column),
      "patch (\(row), \(column)) of \(rowCount) × \(columnCount)")
    let side = Double(patchSize)
    return originalRectangle(
      Rectangle(x: Double(column) * side, y: Double(row) * side, width: side, height: side))
  }

  /// The patch that covers a point of the original; nil where the model does not see that point.
  public func patch(at point: Point) -> Patch? {
    let inside = inputPoint(point)
    let side = Double(patchSize)
    guard inside.x >= 0, inside.y >= 0, inside.x < Double(columnCount) * side,
      inside.y < Double(rowCount) * side
    else { return nil }
    return Patch(row: Int(inside.y / side), column: Int(inside.x / side))
  }

  /// The patches that lie under a rectangle of the original, in reading order.
  ///
  /// - Parameter share: how much of a patch's area must lie under it, from 0 (any part) to 1.
  public func patches(under rectangle: Rectangle, share: Double = 0) -> [Patch] {
    let side = Double(patchSize)
    let grid = Rectangle(
      x: 0, y: 0, width: Double(columnCount) * side, height: Double(rowCount) * side)
    guard let part = inputRectangle(rectangle).intersection(grid) else { return [] }
    func places(_ start: Double, _ length: Double, _ count: Int) -> Range<Int> {
      let first = Int((start / side).rounded(.down))
      return first..<min(count, max(first, Int(((start + length) / side).rounded(.up))))
    }
    return places(part.y, part.height, rowCount).flatMap { row in
      places(part.x, part.width, columnCount).compactMap { column -> Patch? in
        let square = Rectangle(
          x: Double(column) * side, y: Double(row) * side, width: side, height: side)
        guard let common = square.intersection(part) else { return nil }
        let covered = common.width * common.height / (side * side)
        // The last bits of a product should not decide about a patch that is covered whole.
        return covered >= share - 1e-9 ? Patch(row: row, column: column) : nil
      }
    }
  }

  /// The smallest rectangle of the original that holds what the patches show of it; nil for no
  /// patch, and for patches that show border alone.
  ///
  /// - Precondition: the patches lie in the grid.
  public func box(of patches: [Patch]) -> Rectangle? {
    let parts = patches.compactMap {
      patchRectangle(row: $0.row, column: $0.column).intersection(part.rectangle)
    }
    guard let first = parts.first else { return nil }
    return parts.dropFirst().reduce(first) { box, part in
      Rectangle(
        from: Point(x: min(box.x, part.x), y: min(box.y, part.y)),
        to: Point(
          x: max(box.bottomRight.x, part.bottomRight.x),
          y: max(box.bottomRight.y, part.bottomRight.y)))
    }
  }

  // MARK: Tokens

  /// Tokens in all: the leading ones and one a patch.
  public var tokenCount: Int { leadingTokenCount + patchCount }

  /// The place of a patch's token.
  ///
  /// - Precondition: the patch lies in the grid.
  public func token(row: Int, column: Int) -> Int {
    precondition(
      (0..<rowCount).contains(row) && (0..<columnCount).contains(column),
      "patch (\(row), \(column)) of \(rowCount) × \(columnCount)")
    return leadingTokenCount + row * columnCount + column
  }

  /// The patch of a token; nil for the leading ones and for a number that is no token's.
  public func patch(ofToken token: Int) -> Patch? {
    let index = token - leadingTokenCount
    guard index >= 0, index < patchCount else { return nil }
    return Patch(row: index / columnCount, column: index % columnCount)
  }
}
