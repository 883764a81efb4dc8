internal import Files
internal import Images

/// A scene as bytes for a program that reads a stream of them, such as a training.
///
/// A frame is the length of the record (4 bytes, little-endian), the record (`Scene.json`) and,
/// where wanted, the pixels (224 × 224 × 3 bytes) and which object owns the middle of each cell of
/// a grid (`grid × grid` bytes; 0 is nobody, 1 the first object).
public struct SceneFrame: Sendable {
  /// The bytes.
  public let bytes: [UInt8]

  /// The frame of a scene; without a grid the record alone.
  public init(of scene: Scene, grid: Int?) {
    let record = scene.json.bytes()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(
      record.count + 4 + Scene.side * Scene.side * 3 + (grid ?? 0) * (grid ?? 0))
    for shift in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: record.count >> shift)) }
    bytes += record
    if let grid {
      let painting = scene.painted()
      bytes += painting.image.pixels
      bytes += painting.owners(columns: grid, rows: grid)
    }
    self.bytes = bytes
  }
}
