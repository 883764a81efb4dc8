/// What a pickle makes: flat values, which refer to lists and dictionaries by their place in the
/// machine, so that nothing is ever as deep as the file says.
enum PickleValue {
  case none
  case bool(Bool)
  case integer(Int)
  case text(String)
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case name(PickleName)
  case storage(Int)
  case tensor(Int)
  /// A value that no tensor depends on: a float, a set, a size.
  case other

  /// What it is, in a reader's words.
  var words: String {
    switch self {
    case .none: "None"
    case .bool: "a truth value"
    case .integer: "a whole number"
    case .text: "a text"
    case .tuple: "a tuple"
    case .list: "a list"
    case .dictionary: "a dictionary"
    case .name: "a name of Python's"
    case .storage: "numbers without a shape"
    case .tensor: "a tensor"
    case .other: "a plain value"
    }
  }
}

/// Numbers in a row, as a pickle speaks of them.
struct TorchStorage {
  /// What the file calls them.
  let key: String
  /// Their format; nil where it stands with the tensor.
  let type: StoredType?
  /// The name of a format that is not read.
  let unreadType: String?
  /// Bytes of one; 1 where the format stands with the tensor.
  let elementSize: Int
  /// How many there are; bytes where no format is said.
  let count: Int
  /// Where this begins inside the numbers that the key names; nil where it is all of them.
  let offset: Int?

  /// How many bytes they take, by their own format; nil beyond 64 bits.
  func byteCount(elementSize: Int) -> Int? {
    let (size, overflow) = count.multipliedReportingOverflow(by: elementSize)
    return overflow ? nil : size
  }
}

/// A tensor of a pickle: a view of a storage.
struct TorchView {
  let storage: Int
  /// In elements.
  let offset: Int
  let shape: [Int]
  /// In elements; as many as axes.
  let strides: [Int]
  /// Its format where it is not the storage's.
  var type: StoredType?
  /// The name of a format that is not read; nil where it is.
  var unreadType: String?
}
