internal import Files

/// Folders and files that hold a model in a layout that is not read, known by their files' names.
enum ForeignLayout {
  /// What would be read instead.
  static let instead = "use the model's safetensors or PyTorch files"

  /// The frameworks whose files are known by their names.
  private static let frameworks: [(matches: @Sendable (String) -> Bool, name: String)] = [
    (
      {
        $0.hasPrefix("tf_model") && $0.hasSuffix(".h5") || $0 == "saved_model.pb"
          || $0.hasSuffix(".ckpt.index") || $0.hasSuffix(".ckpt.meta")
      }, "TensorFlow"
    ),
    ({ $0.hasPrefix("flax_model") && $0.hasSuffix(".msgpack") }, "Flax"),
    ({ $0 == "rust_model.ot" }, "Rust (rust-bert)"), ({ $0.hasSuffix(".onnx") }, "ONNX"),
    ({ $0.hasPrefix("openvino_model") }, "OpenVINO"),
    ({ $0.hasSuffix(".mlmodel") || $0.hasSuffix(".mlpackage") }, "Core ML"),
  ]

  /// What a file with this name holds, and what to do; nil for nothing that is known.
  static func words(ofFile name: String) -> String? {
    frameworks.first { $0.matches(name) }.map {
      "this is a model for \($0.name), by its name, which is not read; \(instead(of: $0.name))"
    }
  }

  private static func instead(of framework: String) -> String {
    switch framework {
    case "TensorFlow", "Flax":
      """
      \(instead), or let transformers convert it: from_pretrained(folder, \
      from_\(framework == "Flax" ? "flax" : "tf")=True).save_pretrained(new_folder)
      """
    default: instead
    }
  }

  /// What a folder with these names holds, and what to do; nil for nothing that is known.
  static func words(_ names: [String]) -> String? {
    func first(_ matches: (String) -> Bool) -> String? { names.first(where: matches) }
    if let file = first({ $0 == "adapter_config.json" || $0.hasPrefix("adapter_model.") }) {
      return """
        holds a PEFT adapter (\(file.withVisibleControls)), which changes another model and is none itself; \
        merge it into its base model with PEFT's merge_and_unload() and load what that saves
        """
    }
    if let file = first({ isVariant($0) }) {
      let variant = file.split(separator: ".").dropFirst().first ?? ""
      return """
        has its weights only as the variant '\(variant)' (\(file.withVisibleControls)); rename or \
        link that file to \(plainName(file)), with its index where it has one
        """
    }
    if let file = first({ $0.lowercased().hasSuffix(".gguf") }) {
      return "holds a GGUF file (\(file.withVisibleControls)), which is not read; \(instead)"
    }
    for framework in frameworks {
      if let file = first(framework.matches) {
        return """
          has its weights only for \(framework.name) (\(file.withVisibleControls)), which is not \
          read; \(instead(of: framework.name))
          """
      }
    }
    if names.contains("model_index.json") {
      return """
        holds a Diffusers pipeline of several models (model_index.json); load one of its folders, \
        such as text_encoder
        """
    }
    let pickles = [".pt", ".pth", ".ckpt", ".bin"]
    if let file = first({ name in pickles.contains { name.hasSuffix($0) } }) {
      let shown = file.withVisibleControls
      return """
        has no weights under a name that is published, but '\(shown)'; look into it with \
        tensors("\(shown)"), and if it is a state dict, rename it to pytorch_model.bin
        """
    }
    return nil
  }

  /// `model.fp16.safetensors`, `pytorch_model.fp16.bin`, and shards and indexes of such.
  private static func isVariant(_ name: String) -> Bool {
    let parts = name.split(separator: ".")
    guard parts.count >= 3, ["model", "pytorch_model"].contains(parts[0]),
      parts[1] != "safetensors",
      parts[1] != "bin"
    else { return false }
    return ["safetensors", "bin"].contains(parts[2])
  }

  private static func plainName(_ variant: String) -> String {
    let parts = variant.split(separator: ".")
    let middle = parts[1].split(separator: "-").dropFirst().map { "-\($0)" }.joined()
    return ([parts[0] + middle] + parts.dropFirst(2).map(String.init))
      .joined(separator: ".")
  }
}
