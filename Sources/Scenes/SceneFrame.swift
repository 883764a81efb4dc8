internal import Files
internal import Images
internal import Tensors

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
    self.init(of: scene, record: scene.json, grid: grid)
  }

  /// The frame of a scene whose record has one more member, `dialogues`: `Dialogue.examination`
  /// with `dialogues` of each kind and language, drawn from the seed.
  ///
  /// - Parameter next: picture 2 of the dialogues about two.
  public init(of scene: Scene, and next: Scene, dialogues: Int, grid: Int?) {
    var random = SplitMix64(seed: scene.seed ^ 0xD1A1_06D1_A106_D1A1)
    let drawn = Dialogue.examination(of: scene, and: next, count: dialogues, from: &random)
    self.init(of: scene, record: scene.json(with: drawn), grid: grid)
  }

  private init(of scene: Scene, record json: JSON, grid: Int?) {
    let record = json.bytes()
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
