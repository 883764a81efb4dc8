internal import Files
internal import FoundationEssentials
internal import Tensors

/// A tensor whose numbers are in a format that is not read here: it is listed, and refused when it is
/// asked for.
public struct UnreadTensor: Sendable, Equatable {
  /// The tensor's name in the file.
  public let name: String
  /// What the format is called, such as `complex64` or `float8_e4m3fn`.
  public let type: String
  /// The length of each axis, outermost first.
  public let shape: [Int]

  /// Describes one.
  public init(name: String, type: String, shape: [Int]) {
    (self.name, self.type, self.shape) = (name, type, shape)
  }

  /// What to know of a file that has such; nothing where it has none.
  static func notes(_ tensors: [UnreadTensor]) -> [String] {
    guard let first = tensors.first else { return [] }
    let example = "'\(first.name.withVisibleControls)' (\(first.type))"
    return [
      tensors.count == 1
        ? "tensor \(example) is of a type that is not read"
        : "\(tensors.count) tensors are of types that are not read, the first \(example)"
    ]
  }
}

/// A file with named tensors, whatever its format: opened, checked, and left on the disk.
///
/// Tensors are asked for by their place in `entries`.
protocol TensorFile: Sendable {
  /// Where the file is.
  var url: URL { get }
  /// The tensors, in the file's order.
  var entries: [TensorEntry] { get }
  /// Tensors in formats that are not read here.
  var unread: [UnreadTensor] { get }
  /// How many bytes the tensors take; of safetensors also those that are not read.
  var byteCount: Int { get }
  /// The entries' names with their table, where reading the file made one.
  var nameTable: (names: [String], table: KeyTable)? { get }
  /// The text that the file carries beside its tensors.
  var metadata: [String: String] { get }
  /// What a reader should know of the file: what was left aside.
  var notes: [String] { get }
  /// The elements, where they lie in the file row-major and little-endian; nil where they do not.
  func mapped(_ place: Int) -> StoredBytes?
  /// The elements, row-major and little-endian: mapped where they lie so, else copied.
  ///
  /// - Throws: `.file` or `.malformed` where they must be unpacked first and cannot be.
  func stored(_ place: Int) throws(CheckpointError) -> StoredBytes
  /// A copy of the elements, read rather than mapped, so that a file that shrinks is a failure.
  func bytes(_ place: Int) throws(CheckpointError) -> [UInt8]
  /// Gives the memory back that the file's pages of a tensor take.
  func release(_ place: Int)
  /// What two names of one tensor have in common: where it lies, and how; nil where none share.
  func identity(_ place: Int) -> [Int]?
}

extension TensorFile {
  /// The path, as errors name it.
  var path: String { url.path(percentEncoded: false) }
  var notes: [String] { [] }
  var unread: [UnreadTensor] { [] }
  var byteCount: Int { entries.reduce(0) { $0 + $1.byteCount } }
  var nameTable: (names: [String], table: KeyTable)? { nil }
  func identity(_ place: Int) -> [Int]? { nil }
}

/// Opens files by what they hold, not by their names.
enum TensorFiles {
  /// Opens a safetensors file, a PyTorch checkpoint of either format, an `.npz` or an `.npy`.
  ///
  /// - Throws: `.file` or `.malformed`, with what is wrong and where.
  static func open(_ url: URL) throws(CheckpointError) -> any TensorFile {
    let file: MappedFile
    let start: [UInt8]
    do {
      file = try MappedFile(url)
      start = try file.bytes(0..<min(file.count, 16))
    } catch { throw .file(error) }
    // The length that a safetensors file begins with can look like the start of any other.
    if hasSafetensorsStart(start) { return try SafetensorsFile(file) }
    if start.starts(with: [0x50, 0x4B, 0x03, 0x04]) || start.starts(with: [0x50, 0x4B, 0x05, 0x06])
    {
      let archive = try ZipArchive(file)
      let isArrays = archive.members.allSatisfy { $0.name.hasSuffix(".npy") }
      return isArrays ? try NumPyFile(archive) : try TorchFile(archive: archive)
    }
    if start.starts(with: [0x93, 0x4E, 0x55, 0x4D]) { return try NumPyFile(single: file) }
    if start.first == PickleOpcode.protocolNumber.rawValue, start.count > 1, start[1] < 8 {
      return try TorchFile(legacy: file)
    }
    do { return try SafetensorsFile(file) } catch {
      // Of other names nobody said that they are safetensors.
      guard !file.path.hasSuffix(".safetensors"), case .malformed(_, _, let rule, _) = error,
        [.tooShort, .headerTooLarge, .headerBeyondFile].contains(rule)
      else { throw error }
      throw .malformed(
        path: file.path, offset: 0, rule: .otherFormat,
        detail: ForeignLayout.words(ofFile: url.lastPathComponent) ?? """
          this is no file of tensors: neither safetensors, nor a checkpoint of PyTorch, nor NumPy's; \
          if it should be, fetch it again
          """)
    }
  }

  /// Whether a file begins with a length below 2³² and then an object, as safetensors do.
  private static func hasSafetensorsStart(_ start: [UInt8]) -> Bool {
    start.count > 8 && start[4..<8].allSatisfy { $0 == 0 } && start[8] == UInt8(ascii: "{")
  }

  /// Opens a PyTorch checkpoint, of either of its formats.
  static func openTorch(_ url: URL) throws(CheckpointError) -> any TensorFile {
    let file = try open(url)
    guard file is TorchFile else {
      throw .malformed(
        path: file.path, offset: 0, rule: .otherFormat,
        detail: "this is no PyTorch checkpoint, though its name says so; rename it")
    }
    return file
  }
}
