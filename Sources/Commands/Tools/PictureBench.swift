internal import Files
public import Foundation
internal import Images
internal import Models
internal import Runtime
internal import Searching
internal import Synchronization
internal import Tensors

/// Times how fast the pictures of a folder become a model's input: read, decoded, resized, cropped,
/// normalised.
public struct PictureBench: Sendable {
  private let files: [URL]
  private let preprocessing: Preprocessing

  /// How many pictures there are.
  public var count: Int { files.count }

  /// Lists the pictures and reads the model's settings.
  ///
  /// - Throws: `SearchingError.noPictures`; what reading the model throws.
  public init(pictures: URL, model: ModelChoice) throws {
    preprocessing = try LoadedModel.read(model).able(.seeing, for: "reading pictures").preprocessing
    let found = try PictureFolder(pictures)
    guard !found.files.isEmpty else {
      throw SearchingError.noPictures(
        folder: pictures.path(percentEncoded: false), otherFiles: found.otherCount)
    }
    files = found.files.map { pictures.appending(path: $0.path) }
  }

  /// Seconds of each pass over all pictures, on all threads, after one that warms up.
  ///
  /// - Throws: why a picture could not be read.
  public func run(repeats: Int, progress: (Int) -> Void) throws -> [Double] {
    var seconds: [Double] = []
    for pass in 0...repeats {
      progress(pass)
      let start = ContinuousClock.now
      let failure = Mutex<(any Error)?>(nil)
      Parallelism.forEach(files.count) { number in
        do {
          let file = files[number]
          let image = try Image(
            decoding: try WholeFile.read(file), named: file.lastPathComponent, limits: .affordable)
          _ = try preprocessing.prepare(image).pixels
        } catch { failure.withLock { $0 = error } }
      }
      if let failure = failure.withLock({ $0 }) { throw failure }
      if pass > 0 { seconds.append(start.duration(to: .now) / .seconds(1)) }
    }
    return seconds
  }
}
