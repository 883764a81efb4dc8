internal import Files
public import FoundationEssentials
internal import Glibc

/// A folder in which a hub's programs keep what they download.
public struct CacheFolder: Equatable, Sendable {
  /// Whose it is.
  public let hub: Hub
  /// Where it is; it need not be there.
  public let url: URL
  /// The variable of the environment that names it; nil where it is the usual place.
  public let variable: String?
}

/// The folders to look for models in, in their order.
public enum CacheFolders {
  /// The folders of an environment: that of this process where none is given.
  ///
  /// A variable that is empty counts as not set.
  public static func all(
    in environment: (String) -> String? = ProcessVariables.value
  ) -> [CacheFolder] {
    func value(_ name: String) -> String? {
      environment(name).flatMap { $0.isEmpty ? nil : expanded($0, environment) }
    }
    let home = environment("HOME").flatMap { $0.isEmpty ? nil : $0 } ?? "~".withHomeFolder
    let usual = value("XDG_CACHE_HOME") ?? "\(home)/.cache"
    var folders: [CacheFolder] = []
    func add(_ hub: Hub, _ path: String, _ variable: String? = nil) {
      let url = URL(filePath: path, directoryHint: .isDirectory)
      guard !folders.contains(where: { $0.hub == hub && $0.url.path == url.path }) else { return }
      folders.append(CacheFolder(hub: hub, url: url, variable: variable))
    }
    if let name = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].first(where: { value($0) != nil }) {
      add(.huggingFace, value(name) ?? "", name)
    } else if let folder = value("HF_HOME") {
      add(.huggingFace, folder + "/hub", "HF_HOME")
    } else {
      add(
        .huggingFace, usual + "/huggingface/hub",
        value("XDG_CACHE_HOME") == nil ? nil : "XDG_CACHE_HOME")
    }
    for name in ["TRANSFORMERS_CACHE", "SENTENCE_TRANSFORMERS_HOME"] {
      if let path = value(name) { add(.huggingFace, path, name) }
    }
    if let path = value("MODELSCOPE_CACHE") {
      add(.modelScope, path, "MODELSCOPE_CACHE")
    } else {
      // ModelScope does not ask for XDG_CACHE_HOME.
      add(.modelScope, "\(home)/.cache/modelscope")
    }
    return folders
  }

  /// The variable of the environment that says that nothing may be fetched; nil where none does.
  static func offlineVariable(_ environment: (String) -> String?) -> String? {
    let name = ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"].first {
      environment($0).map { !$0.isEmpty } ?? false
    }
    return name.flatMap { name in
      ["1", "ON", "YES", "TRUE"].contains(environment(name)?.uppercased()) ? name : nil
    }
  }

  /// A path with `~`, `$NAME` and `${NAME}` replaced; a name that is not set stays.
  private static func expanded(_ path: String, _ environment: (String) -> String?) -> String {
    var path = path
    if path == "~" || path.hasPrefix("~/"), let home = environment("HOME"), !home.isEmpty {
      path = home + path.dropFirst()
    }
    var result = ""
    var rest = path.withHomeFolder[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      rest = rest[rest.index(after: dollar)...]
      let isBraced = rest.first == "{"
      let inner = isBraced ? rest.dropFirst() : rest
      let name = inner.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      let after = inner[name.endIndex...]
      guard !name.isEmpty, !isBraced || after.first == "}", let value = environment(String(name))
      else {
        result += "$"
        continue
      }
      result += value
      rest = isBraced ? after.dropFirst() : after
    }
    return result + rest
  }
}

/// The environment of this process.
public enum ProcessVariables {
  /// What a variable is set to; nil where it is not set.
  public static func value(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
