public import Tensors

/// A number format of a safetensors file, by the name it has there.
public enum StoredType: String, Sendable, CaseIterable {
  /// One byte, 0 or 1.
  case bool = "BOOL"
  /// 8 bits without sign.
  case uint8 = "U8"
  /// 8 bits.
  case int8 = "I8"
  /// 16 bits without sign.
  case uint16 = "U16"
  /// 16 bits.
  case int16 = "I16"
  /// 32 bits without sign.
  case uint32 = "U32"
  /// 32 bits.
  case int32 = "I32"
  /// 64 bits without sign.
  case uint64 = "U64"
  /// 64 bits.
  case int64 = "I64"
  /// IEEE 754 half precision.
  case float16 = "F16"
  /// The upper half of a float32.
  case bfloat16 = "BF16"
  /// IEEE 754 single precision.
  case float32 = "F32"
  /// IEEE 754 double precision.
  case float64 = "F64"

  /// Formats of the published list that this reader does not read: what they are called elsewhere,
  /// and the bits of an element.
  static let unread: [String: (name: String, bits: Int)] = [
    "F4": ("float4_e2m1fn", 4), "F6_E2M3": ("float6_e2m3fn", 6), "F6_E3M2": ("float6_e3m2fn", 6),
    "F8_E4M3": ("float8_e4m3fn", 8), "F8_E4M3FNUZ": ("float8_e4m3fnuz", 8),
    "F8_E5M2": ("float8_e5m2", 8), "F8_E5M2FNUZ": ("float8_e5m2fnuz", 8),
    "F8_E8M0": ("float8_e8m0fnu", 8), "C64": ("complex64", 64),
  ]

  /// What the format is called elsewhere: `float32`.
  public var name: String { "\(self)" }

  /// Bytes an element.
  public var size: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .uint16, .int16, .float16, .bfloat16: 2
    case .uint32, .int32, .float32: 4
    case .uint64, .int64, .float64: 8
    }
  }

  /// The type of weights in this format; nil where weights cannot have it.
  public var elementType: ElementType? {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    default: nil
    }
  }

  init(_ type: ElementType) {
    switch type {
    case .float32: self = .float32
    case .float16: self = .float16
    case .bfloat16: self = .bfloat16
    }
  }
}
