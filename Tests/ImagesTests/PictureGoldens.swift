import Foundation
import Images
import Tensors
import TestSupport
import Testing

/// A folder of pictures and of what the reference makes of them.
struct PictureGoldens: Sendable {
  struct Decoded: Decodable, Sendable {
    let file: String
    let rgb: String
    let upright: String?
    /// With its transparent parts on white; nil where it has none.
    let white: String?
    /// How far levels may be from the reference's; nil for not at all.
    let tolerance: Int?
  }
  struct Resized: Decodable, Sendable {
    let from: String
    let filter: String
    let width: Int
    let height: Int
    let expected: String
  }
  struct Preprocessed: Decodable, Sendable {
    let name: String
    let from: String
    let file: String
    let settings: Settings
  }
  struct Settings: Decodable, Sendable {
    let size: [String: Int]?
    let crop_size: [String: Int]?
    let do_resize: Bool?
    let do_center_crop: Bool?
    let do_rescale: Bool?
    let do_normalize: Bool?
    let resample: Int?
    let rescale_factor: Double?
    let image_mean: [Double]?
    let image_std: [Double]?
  }
  struct Expected: Decodable, Sendable {
    let decode: [Decoded]
    let resize: [Resized]
    let preprocess: [Preprocessed]?
  }

  let folder: URL
  let expected: Expected

  init(_ folder: URL) throws {
    self.folder = folder
    let json = try Data(contentsOf: folder.appending(path: "expected.json"))
    expected = try JSONDecoder().decode(Expected.self, from: json)
  }

  func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: folder.appending(path: file)))
  }

  func image(_ file: String) throws -> Image {
    try Image(decoding: try bytes(file), named: file)
  }

  /// A picture that was kept as a NumPy array of bytes, `[Y, X, 3]`.
  func array(_ file: String) throws -> Image {
    let (shape, body) = try numpy(file, type: "|u1")
    return Image(width: shape[1], height: shape[0], pixels: Array(body))
  }

  /// A NumPy array of floats.
  func tensor(_ file: String) throws -> Tensor {
    let (shape, body) = try numpy(file, type: "<f4")
    let floats = body.withUnsafeBytes { raw in
      (0..<raw.count / 4).map {
        Float(
          bitPattern: UInt32(
            littleEndian: raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)))
      }
    }
    return Tensor(floats, shape: shape)
  }

  private func numpy(_ file: String, type: String) throws -> ([Int], ArraySlice<UInt8>) {
    let bytes = try bytes(file)
    let length = Int(bytes[8]) | Int(bytes[9]) << 8
    let header = String(decoding: bytes[10..<10 + length], as: UTF8.self)
    try #require(header.contains(type) && header.contains("'fortran_order': False"))
    let inside = try #require(header.firstMatch(of: /\(([0-9, ]*)\)/)).1
    let shape = inside.split(separator: ",").compactMap {
      Int($0.trimmingCharacters(in: .whitespaces))
    }
    return (shape, bytes[(10 + length)...])
  }

  /// The project's own pictures, and the second set where there is one.
  static let all: [PictureGoldens] = [
    Fixtures.goldens.appending(path: "pictures"),
    Fixtures.shared?.appending(path: "goldens/pictures"),
  ].compactMap { $0.flatMap { try? PictureGoldens($0) } }
}
