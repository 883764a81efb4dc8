internal import Files
public import FoundationEssentials
internal import Images

/// Scenes as files: `000000.png`, `000001.png`, … and `scenes.jsonl` with one record a line.
public enum SceneFolder {
  /// Writes `count` scenes with the seeds `seed`, `seed + 1`, … to `folder`, which is made, all or none.
  ///
  /// Scenes that are there already are replaced when the new ones are complete.
  ///
  /// - Parameter progress: called after each picture with the number written so far; may throw to
  ///   stop.
  /// - Throws: `FileFailure`, also where the folder holds something else than scenes.
  public static func write(
    count: Int, seed: UInt64, population: Scene.Population = .usual, to folder: URL,
    progress: (Int) throws -> Void = { _ in }
  ) throws {
    try FolderTree.make(folder.standardizedFileURL.deletingLastPathComponent())
    let target = try FolderReplacement(folder) { $0.allSatisfy(isOfScenes) }
    try target.write(as: records) { records in
      for index in 0..<count {
        let scene = Scene(seed: seed &+ UInt64(index), population: population)
        let digits = String(index)
        let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
        try target.write(scene.painted().image.png(), as: name)
        try records.write(scene.json(image: name).bytes() + [UInt8(ascii: "\n")])
        try progress(index + 1)
      }
    }
    try target.finish()
  }

  private static let records = "scenes.jsonl"

  /// Whether a file of this name is one that is written here.
  private static func isOfScenes(_ name: String) -> Bool {
    let digits = name.dropLast(4)
    return name == records
      || name.hasSuffix(".png") && digits.count >= 6
        && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
