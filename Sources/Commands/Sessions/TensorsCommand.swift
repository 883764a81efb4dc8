internal import Checkpoints
internal import Files
internal import Foundation
internal import Runtime

extension Command {
  static let tensors = Command(
    "tensors", group: "Files",
    "Opens a file of tensors, or a model's folder, and lists what is in it.",
    Parameter.path(
      "path",
      "A .safetensors, .npz or .npy file, a checkpoint of PyTorch (.bin .pt .pth), an index of "
        + "shards, or the folder of a model; also what save wrote of a trace."),
    returns: "Tensors: named, and read when they are asked for",
    details: """
      `t["name"]` gives one as float32, `t.names` all names, `t.items("*.bias")` goes through those \
      that fit a pattern, name and tensor; `len(t)`, `"name" in t` and `for name in t` do as with a \
      dict. `t.select("vision.*")` is a part of it, `t.integers("ids")` a list of whole numbers as \
      they are. `save(t, "x.safetensors")` writes them with their types, one after the other. What a \
      file holds decides how it is read, not its name. A checkpoint of PyTorch is a pickle, which can \
      name any program: here nothing is called, and what no state dict needs is refused by name.
      """,
    examples: [
      Example(
        "save(run(scene(7)).trace, \"run.safetensors\")\nt = tensors(\"fovea-out/run.safetensors\")",
        "Open what was saved."),
      Example(
        "save(run(scene(7)).trace, \"run.safetensors\")\n"
          + "t = tensors(\"fovea-out/run.safetensors\")\n"
          + "for name, tensor in t.items(\"vision.blocks.*.pattern\"):\n    print(name, tensor.shape)",
        "Go through a part of it."),
      Example(
        "save(run(scene(7)).trace, \"run.safetensors\")\n"
          + "save(tensors(\"fovea-out/run.safetensors\").select(\"qformer.*\"), \"part.safetensors\")",
        "Keep a part of it."),
    ], seeAlso: ["save", "load", "compare"]
  ) { session, path in
    .object(try NamedTensors(session.readableURL(for: path), in: session))
  }
}

extension NamedTensors {
  /// Opens a file, an index of shards, or a folder.
  fileprivate init(_ url: URL, in session: Session) throws {
    var isFolder: ObjCBool = false
    let exists = unsafe FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
    let collection =
      if exists, isFolder.boolValue {
        try CheckpointFolder(url).tensors(orNamed: CheckpointFolder.openCLIPWeights)
      } else if url.lastPathComponent.hasSuffix(".index.json") {
        try CheckpointFolder(url.deletingLastPathComponent()).tensors(index: url.lastPathComponent)
      } else {
        try TensorCollection(url)
      }
    self.init(collection, title: url.lastPathComponent) { [weak session] in
      session?.availableMemory ?? .max
    }
  }
}
