internal import Language

/// Words the suggestion for an address that is not there.
enum NearestPlace {
  static func hint(_ address: String, among names: [String]) -> String? {
    if let hint = NearestName.hint(address, among: names) { return hint }
    let ending = address.split(separator: ".").suffix(2).joined(separator: ".")
    return names.first { $0.hasSuffix(ending) }.map { "did you mean '\($0)'?" }
  }
}
