/// What a state dict's pickle may name: the closed list.
///
/// A name here is a tag that the reader knows the meaning of. There is nothing behind it to call.
enum PickleName: Equatable {
  /// Numbers of a type in a row; nil for bytes whose type stands with the tensor.
  case storage(StoredType?)
  /// Numbers in a row of a type that is not read, by its name, and the bytes of one.
  case unreadStorage(String, Int)
  /// A tensor of storage, offset, shape and strides.
  case tensor
  /// The same, and its type.
  case typedTensor
  /// A tensor and what training knows of it.
  case parameter
  /// Another of these, for a tensor of a class.
  case withClass
  /// A tensor in a form that is not read, in words.
  case unreadTensor(String)
  /// A number format.
  case type(StoredType)
  /// A number format that is not read, by its name.
  case unreadType(String)
  /// A dictionary that keeps its order.
  case orderedDictionary
  /// A dictionary that makes up what it does not have.
  case otherDictionary
  /// Something harmless that is no tensor: a size, a device, a set.
  case plain
  /// The class of plain tensors and parameters.
  case tensorClass
  /// A type of Python's own, named only.
  case pythonType

  /// The name `module.name`; nil where it is not on the list.
  init?(module: String, name: String) {
    switch module {
    case "torch", "torch.cuda", "torch.storage":
      if name.hasSuffix("Storage"), let storage = Self.storages[String(name.dropLast(7))] {
        self = storage
        return
      }
      guard module == "torch" else { return nil }
      if let type = Self.types[name] {
        self = .type(type)
      } else if Self.unreadTypes.contains(name) {
        self = .unreadType(name)
      } else {
        switch name {
        case "Size", "device": self = .plain
        case "Tensor": self = .tensorClass
        default: return nil
        }
      }
    case "torch._utils", "torch._tensor", "torch.nn.parameter", "torch.serialization":
      guard let found = Self.torchNames["\(module).\(name)"] else { return nil }
      self = found
    case "collections":
      switch name {
      case "OrderedDict": self = .orderedDictionary
      case "defaultdict", "Counter": self = .otherDictionary
      default: return nil
      }
    case "builtins", "__builtin__":
      switch name {
      case "set": self = .plain
      case "dict", "list", "tuple", "int", "float", "str", "bool": self = .pythonType
      default: return nil
      }
    default: return nil
    }
  }

  private static let storages: [String: PickleName] = [
    "Float": .storage(.float32), "Half": .storage(.float16), "BFloat16": .storage(.bfloat16),
    "Double": .storage(.float64), "Long": .storage(.int64), "Int": .storage(.int32),
    "Short": .storage(.int16), "Char": .storage(.int8), "Byte": .storage(.uint8),
    "Bool": .storage(.bool), "Untyped": .storage(nil),
    "ComplexFloat": .unreadStorage("complex64", 8),
    "ComplexDouble": .unreadStorage("complex128", 16),
    "QInt8": .unreadStorage("qint8", 1), "QUInt8": .unreadStorage("quint8", 1),
    "QInt32": .unreadStorage("qint32", 4), "QUInt4x2": .unreadStorage("quint4x2", 1),
    "QUInt2x4": .unreadStorage("quint2x4", 1),
  ]

  private static let types: [String: StoredType] = [
    "float32": .float32, "float16": .float16, "bfloat16": .bfloat16, "float64": .float64,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8,
    "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "bool": .bool,
  ]

  private static let unreadTypes: Set<String> = [
    "complex32", "complex64", "complex128", "qint8", "quint8", "qint32", "quint4x2", "quint2x4",
    "float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz", "float8_e8m0fnu",
    "float4_e2m1fn_x2",
  ]

  private static let torchNames: [String: PickleName] = [
    "torch._utils._rebuild_tensor": .tensor, "torch._utils._rebuild_tensor_v2": .tensor,
    "torch._utils._rebuild_tensor_v3": .typedTensor,
    "torch._utils._rebuild_parameter": .parameter,
    "torch._utils._rebuild_parameter_with_state": .parameter,
    "torch._tensor._rebuild_from_type_v2": .withClass,
    "torch._utils._rebuild_sparse_tensor": .unreadTensor("sparse"),
    "torch._utils._rebuild_nested_tensor": .unreadTensor("nested"),
    "torch._utils._rebuild_qtensor": .unreadTensor("quantized by torch"),
    "torch._utils._rebuild_meta_tensor_no_storage": .unreadTensor("without numbers (meta)"),
    "torch.nn.parameter.Parameter": .tensorClass, "torch.serialization._get_layout": .plain,
  ]
}
