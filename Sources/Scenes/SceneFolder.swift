internal import Files
public import FoundationEssentials
internal import Images

/// Scenes as files: `000000.png`, `000001.png`, … and `scenes.jsonl` with one record a line.
public enum SceneFolder {
  /// Writes `count` scenes with the seeds `seed`, `seed + 1`, … to `folder`, which is made.
  ///
  /// The records are written last: a folder that has `scenes.jsonl` has all its pictures.
  ///
  /// - Parameter progress: called after each picture with the number written so far.
  public static func write(
    count: Int, seed: UInt64, population: Scene.Population = .usual, to folder: URL,
    progress: (Int) -> Void = { _ in }
  ) throws {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw SceneError.noFolder(path: folder.path(percentEncoded: false))
    }
    try WholeFile.write(to: folder.appending(path: "scenes.jsonl")) { records in
      for index in 0..<count {
        let scene = Scene(seed: seed &+ UInt64(index), population: population)
        let digits = String(index)
        let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".png"
        try WholeFile.write(scene.painted().image.png(), to: folder.appending(path: name))
        try records.write(scene.json(image: name).bytes() + [UInt8(ascii: "\n")])
        progress(index + 1)
      }
    }
  }
}
