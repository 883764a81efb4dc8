import Checkpoints
import Foundation
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
    #expect(throws: PrecisionError.tooLarge(1e6, name: "classifier.bias")) {
      try conversion.write(to: target)
    }
    #expect(!FileManager.default.fileExists(atPath: target.path))
    try Conversion(folder, type: .bfloat16).write(to: target)
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
