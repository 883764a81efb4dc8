internal import Language
internal import Tracing

/// Words the suggestion for an address that is not there.
enum NearestPlace {
  /// The suggestion for a pattern that fits none of some addresses: its last part may be misspelt.
  static func hint(glob: String, among names: [String]) -> String? {
    let parts = glob.split(separator: ".", omittingEmptySubsequences: false)
    let endings = Set(names.compactMap { $0.split(separator: ".").last.map(String.init) })
    if parts.count > 1, let last = parts.last,
      let near = NearestName.of(String(last), among: endings.sorted())
    {
      let better = (parts.dropLast() + [near[...]]).joined(separator: ".")
      if names.contains(where: { Address($0).matches(better) }) {
        return "did you mean '\(better)'?"
      }
    }
    return hint(glob, among: names)
  }

  static func hint(_ address: String, among names: [String]) -> String? {
    if let hint = NearestName.hint(address, among: names) { return hint }
    let ending = address.split(separator: ".").suffix(2).joined(separator: ".")
    return names.first { $0.hasSuffix(ending) }.map { "did you mean '\($0)'?" }
  }
}
