internal import Budget
internal import Checkpoints
internal import Figures
internal import Files
internal import Foundation
internal import Images
internal import Models
public import Runtime
internal import Tensors
internal import Tracing

extension Command {
  static let save = Command(
    "save", group: "Figures",
    "Writes a figure, a picture, a tensor, a trace or a table to a file, whole or not at all.",
    Parameter.any("value", "What is written."),
    Parameter.path(
      "path", "The file, below the output folder: .png .svg .pdf .npy .safetensors .csv .txt."),
    returns: "the file's path",
    examples: [
      Example("save(grid(scene(7)), \"grid.svg\")", "A figure as SVG."),
      Example("save(preprocess(scene(7)), \"pixels.npy\")", "A tensor for NumPy."),
      Example("save(run(scene(7)).trace, \"run.safetensors\")", "Every place of a run."),
    ], seeAlso: ["show", "grid", "overlay", "tensors"]
  ) { session, value, path in
    let name = path.split(separator: "/").last ?? ""
    let kind = name.contains(".") ? name.split(separator: ".").last?.lowercased() ?? "" : ""
    let content = try SavedContent(value, as: kind)
    let url = try session.writableURL(for: path)
    try content.write(to: url, in: session)
    session[LastSaved.self] = LastSaved.Entry(path: url.path, value: value)
    return .text(url.path)
  }
}

/// What was written last.
enum LastSaved: SessionKey {
  struct Entry: Sendable {
    let path: String
    let value: Value
  }
  static var initial: Entry? { nil }
}

extension Session {
  /// The figure or picture that was just written to a path; nil where it was something else.
  public func saved(at path: String) -> Value? {
    guard let last = self[LastSaved.self], last.path == path else { return nil }
    return last.value
  }
}

/// What a value becomes in a file of some kind.
private enum SavedContent {
  case bytes([UInt8])
  case tensors([(name: String, tensor: Tensor)], prompt: String, weights: String? = nil)
  case array(Tensor)
  case numbers(Tensor)
  case table(Table)
  case files(NamedTensors)

  init(_ value: Value, as kind: String) throws {
    let kinds: [String]
    if case .object(let object) = value {
      switch object {
      case let drawing as Drawing:
        switch kind {
        case "png": self = .bytes(try drawing.figure.png())
        case "svg": self = .bytes(drawing.figure.svg())
        case "pdf": self = .bytes(try drawing.figure.pdf())
        default: throw Self.unfit("a figure", kind, ["png", "svg", "pdf"])
        }
        return
      case let drawn as any Drawn:
        if kind == "csv" {
          self = .table(drawn.table)
        } else {
          guard ["png", "svg", "pdf"].contains(kind) else {
            throw Self.unfit("pictures that were found", kind, ["png", "svg", "pdf", "csv"])
          }
          self = try SavedContent(.object(try drawn.drawing()), as: kind)
        }
        return
      case let picture as Picture:
        guard kind == "png" else { throw Self.unfit("a picture", kind, ["png"]) }
        // Noise does not get smaller, and what is written grows by doubling.
        try MemoryGate.take(
          picture.image.pixels.count, of: 4,
          for: "a file of \(picture.image.width) × \(picture.image.height) pixels")
        self = .bytes(picture.image.opaque(by: .white).png())
        return
      case let table as Table:
        guard kind == "csv" else { throw Self.unfit("a table", kind, ["csv"]) }
        self = .table(table)
        return
      case let tensors as NamedTensors:
        guard kind == "safetensors" else {
          throw Self.unfit("tensors by name", kind, ["safetensors"])
        }
        self = .files(tensors)
        return
      default: break
      }
    }
    if let tensor = value.tensor {
      kinds = ["npy", "csv", "safetensors"]
      switch kind {
      case "npy": self = .array(tensor)
      case "csv": self = .numbers(tensor)
      case "safetensors":
        if let trace = value.trace, !trace.records.isEmpty {
          self = .tensors(
            trace.records.map { ($0.address.description, $0.tensor) },
            prompt: value.runInputs.prompt,
            weights: value.sourceModel.flatMap { LowerPrecision.words(of: $0) })
        } else {
          self = .tensors([("tensor", tensor)], prompt: "")
        }
      default: throw Self.unfit("a tensor", kind, kinds)
      }
    } else if let trace = value.trace {
      guard kind == "safetensors" else { throw Self.unfit("a trace", kind, ["safetensors"]) }
      self = .tensors(
        trace.records.map { ($0.address.description, $0.tensor) }, prompt: value.runInputs.prompt,
        weights: value.sourceModel.flatMap { LowerPrecision.words(of: $0) })
    } else {
      guard kind == "txt" else { throw Self.unfit(value.inMessage, kind, ["txt"]) }
      let text = value.displayed
      try MemoryGate.take(text.utf8.count, of: 2, for: "a file of \(text.utf8.count) bytes")
      self = .bytes(Array((text + "\n").utf8))
    }
  }

  private static func unfit(_ what: String, _ kind: String, _ kinds: [String]) -> ArgumentFailure {
    ArgumentFailure(
      parameter: "path",
      "must end in " + kinds.map { ".\($0)" }.joined(separator: " or ") + " for \(what), "
        + (kind.isEmpty ? "and has no extension" : "not .\(kind)"))
  }

  func write(to url: URL, in session: Session) throws {
    switch self {
    case .bytes(let bytes): try WholeFile.write(bytes, to: url)
    case .array(let tensor): try NPYFile.write(tensor, to: url)
    case .numbers(let tensor): try CSV.write(tensor, to: url)
    case .table(let table): try table.writeCSV(to: url)
    case .files(let tensors): try tensors.write(to: url, in: session)
    case .tensors(let tensors, let prompt, let weights):
      var metadata = ["made_by": "fovea"]
      // With the prompt the run can be made again.
      if !prompt.isEmpty { metadata["prompt"] = prompt }
      metadata["weights"] = weights
      try Safetensors.write(tensors, metadata: metadata, to: url)
    }
  }
}
