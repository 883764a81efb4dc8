import Checkpoints
import Foundation
import Making
import Models
import Tensors
import TestSupport
import Testing

@Suite struct ConversionRefusalTests {
  @Test func aNumberThatFloat16HasNotIsNamed() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.changeTensor("classifier.bias") { tensor in
      .tensor(Tensor(tensor.elements.enumerated().map { $0 == 1 ? 1e6 : $1 }, shape: tensor.shape))
    }
    let folder = try CheckpointFolder(checkpoint.folder)
    let target = checkpoint.folder.appending(path: "half")
    let conversion = try Conversion(folder, type: .float16)
    #expect(throws: PrecisionError.tooLarge(1e6, .float16, name: "classifier.bias")) {
      try conversion.write(to: target)
    }
    #expect(!FileManager.default.fileExists(atPath: target.path))
    try Conversion(folder, type: .bfloat16).write(to: target)
  }

  @Test func whatIsNotFiniteIsWrittenAndNamedButNeverBecomesASmallInteger() throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    let name = "vit.encoder.layer.1.intermediate.dense.weight"
    try checkpoint.changeTensor(name) { tensor in
      let width = tensor.shape[1]
      return .tensor(
        Tensor(
          tensor.elements.enumerated().map { $0 == 2 * width + 3 ? .nan : $1 }, shape: tensor.shape)
      )
    }
    let folder = try CheckpointFolder(checkpoint.folder)
    let place = "\(name): NaN at [2, 3]"
    for type in ElementType.allCases {
      let target = checkpoint.folder.appending(path: "as-\(type)")
      #expect(try Conversion(folder, type: type).write(to: target).broken == place)
      #expect(FileManager.default.fileExists(atPath: target.path))
    }
    let target = checkpoint.folder.appending(path: "small")
    #expect(throws: PrecisionError.broken(place)) {
      try Conversion(folder, type: nil, precisions: ["vision": .int8]).write(to: target)
    }
    #expect(!FileManager.default.fileExists(atPath: target.path))
  }

  @Test(arguments: [
    (#"{"quant_method": "awq"}"#, "quant_method"),
    (#"{"quant_method": "gptq", "checkpoint_format": "gptq_v2"}"#, "checkpoint_format"),
  ]) func aPackingThatIsNotReadIsRefusedByName(_ settings: String, _ name: String) throws {
    let checkpoint = try DamagedCheckpoint(of: "vit")
    try checkpoint.set("quantization_config", to: settings)
    checkpoint.refusal(naming: ["config.json", "quantization_config.\(name)"])
  }
}
