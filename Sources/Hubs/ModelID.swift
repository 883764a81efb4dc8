/// The name under which a hub publishes a model: `openai/clip-vit-base-patch32`.
///
/// The rules are those of huggingface_hub: letters, digits, `-`, `_` and `.`; at most 96 characters in
/// all; neither `--` nor `..`; no part begins or ends with `-` or `.`.
public struct ModelID: Hashable, Sendable, CustomStringConvertible {
  /// Who publishes it; nil for the few models without.
  public let owner: String?
  /// What it is called there.
  public let name: String

  /// The id that a text is; nil where it is none.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count), text.utf8.count <= 96, !text.contains("--"),
      !text.contains(".."), !text.hasSuffix(".git"), parts.allSatisfy(Self.isName)
    else { return nil }
    owner = parts.count == 2 ? parts[0] : nil
    name = parts[parts.count - 1]
  }

  private static func isName(_ part: String) -> Bool {
    guard let first = part.utf8.first, let last = part.utf8.last else { return false }
    func isInner(_ byte: UInt8) -> Bool {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    return isInner(first) && isInner(last)
      && part.utf8.allSatisfy { isInner($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  /// `owner/name`, as it is typed.
  public var description: String { owner.map { "\($0)/\(name)" } ?? name }

  /// `owner--name`, as caches call it.
  var joined: String { owner.map { "\($0)--\(name)" } ?? name }

  /// The id of a cache's folder, `models--` left out; nil where it is none.
  init?(joined: String) {
    let parts = joined.split(separator: "--", maxSplits: 1, omittingEmptySubsequences: false)
    self.init(parts.joined(separator: "/"))
  }
}

/// What a person types for a published model.
///
/// `owner/name`, `owner/name@revision`, `hf://owner/name`, the address of its page at huggingface.co or
/// modelscope.cn, or the name of its folder in a cache, `models--owner--name`.
public struct ModelReference: Equatable, Sendable {
  /// The model.
  public let id: ModelID
  /// The revision that was typed with it.
  public let revision: String?
  /// The hub whose address was typed; nil where any will do.
  public let hub: Hub?

  /// The reference that a text is; nil where it is none, as the path of a file is none.
  public init?(_ text: String) {
    var rest = text[...]
    var (hub, path, isAddress): (Hub?, Bool, Bool) = (nil, false, false)
    for (start, found) in Self.addresses where rest.lowercased().hasPrefix(start) {
      rest = rest.dropFirst(start.count)
      (hub, isAddress) = (found, true)
      path = start.hasPrefix("http")
    }
    if isAddress {
      if rest.hasPrefix("models/") { rest = rest.dropFirst(7) }
      while rest.hasSuffix("/") { rest.removeLast() }
    }
    var revision: String?
    if path {
      rest = rest.prefix { $0 != "?" && $0 != "#" }
      let parts = rest.split(separator: "/")
      guard parts.count >= 2 else { return nil }
      // …/owner/name/tree/REVISION
      if parts.count > 3, ["tree", "blob", "resolve"].contains(parts[2]) {
        revision = String(parts[3])
      }
      rest = parts.prefix(2).joined(separator: "/")[...]
    } else if let at = rest.firstIndex(of: "@") {
      revision = String(rest[rest.index(after: at)...])
      rest = rest[..<at]
    }
    let cached = "models--"
    let isCached = rest.hasPrefix(cached)
    if isCached { hub = hub ?? .huggingFace }
    guard
      let id = isCached
        ? ModelID(joined: String(rest.dropFirst(cached.count))) : ModelID(String(rest)),
      revision?.isEmpty != true,
      isAddress || !Self.isFileName(id.name)
    else { return nil }
    (self.id, self.revision, self.hub) = (id, revision, hub)
  }

  private static let addresses: [(String, Hub)] = [
    ("hf://", .huggingFace), ("https://huggingface.co/", .huggingFace),
    ("https://hf.co/", .huggingFace), ("https://www.modelscope.cn/", .modelScope),
    ("https://modelscope.cn/", .modelScope), ("https://www.modelscope.ai/", .modelScope),
  ]

  /// Whether a name is a file's rather than a model's.
  private static func isFileName(_ name: String) -> Bool {
    [
      ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".onnx", ".h5", ".msgpack", ".npz",
      ".npy", ".json", ".png", ".jpg", ".jpeg", ".md", ".fovea", ".csv", ".txt",
    ].contains { name.lowercased().hasSuffix($0) }
  }
}

/// Where models are published.
public enum Hub: String, Sendable, CaseIterable {
  /// The Hugging Face Hub.
  case huggingFace = "Hugging Face"
  /// ModelScope.
  case modelScope = "ModelScope"

  /// The command that brings a model into its cache.
  func download(_ id: ModelID, revision: String?) -> String {
    let end = revision.map { " --revision \($0.shellWord)" } ?? ""
    return switch self {
    case .huggingFace: "hf download \(id)\(end)"
    case .modelScope: "modelscope download --model \(id)\(end)"
    }
  }
}

extension String {
  /// The text as one word of a shell.
  fileprivate var shellWord: String {
    let isPlain = utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"):
        true
      default: Array("-_./".utf8).contains(byte)
      }
    }
    return isPlain
      ? self
      : "'"
        + split(separator: "'", omittingEmptySubsequences: false)
        .joined(separator: "'\\''") + "'"
  }
}
