import Checkpoints
import Commands
import Files
import Foundation
import Language
import Runtime
import Tensors
import TestSupport
import Testing

/// `tensors`: files of tensors in the language.
struct TensorsCommandTests {
  let workshop: Workshop
  static let plain = Fixtures.goldens.appending(path: "torch/plain.bin").path

  init() throws {
    workshop = try Workshop()
    _ = try workshop.value("t = tensors(\"\(Self.plain)\")\nlen(t)")
  }

  @Test func tensorsAreNamedCountedAndAskedFor() throws {
    #expect(try workshop.value("len(t)").integer == 22)
    #expect(try workshop.value("\"tied\" in t and not \"nothing\" in t").plain == "True")
    #expect(try workshop.texts("[name for name in t]") == workshop.texts("t.names"))
    #expect(try workshop.value("t[\"transposed\"].shape").plain == "(6, 4)")
    #expect(try workshop.value("abs(t[\"transposed\"] - t[\"whole\"].T).max()").onlyNumber == 0)
    #expect(try workshop.value("t.integers(\"uint16\")").plain == "[0, 1, 2, 3]")
    #expect(try workshop.texts("t.select(\"*int8\").names") == ["int8", "uint8"])
    #expect(
      try workshop.texts(
        "[name for name, tensor in t.items(\"*float16\") if tensor.shape == (3, 2)]")
        == ["float16", "bfloat16"])
    #expect(try workshop.value("t.types[\"bfloat16\"]").plain == "bfloat16")
    let shown = try workshop.value("t").displayed
    #expect(shown.hasPrefix("22 tensors of plain.bin, 596 bytes\nname         type      shape\n"))
    #expect(shown.contains("名前.weight  float32   [2, 3]"))
  }

  @Test func aNameThatIsNotThereGetsTheNearest() throws {
    let failure = try #require(workshop.run("t[\"transpose\"]").failure)
    #expect(failure.kind == .key && failure.hint == "did you mean 'transposed'?")
    #expect(workshop.run("t.select(\"layer.*\")").failure?.kind == .key)
    #expect(workshop.run("t[99]").failure?.kind == .index)
  }

  @Test func whatIsSavedIsWhatWasThere() throws {
    _ = try workshop.value("save(t, \"all.safetensors\")")
    let saved = try TensorCollection(workshop.folder.appending(path: "fovea-out/all.safetensors"))
    let right = try TensorCollection(
      Fixtures.goldens.appending(path: "torch/plain.safetensors"))
    #expect(Set(saved.names) == Set(right.names))
    for name in right.names {
      #expect(try saved.rawBytes(name) == right.rawBytes(name), "\(name)")
    }
    #expect(workshop.run("save(t, \"all.npy\")").failure?.message.contains(".safetensors") == true)
  }

  @Test func whatIsNotReadIsNotLeftOutOfASavedFileWithoutAWord() throws {
    let file = Fixtures.goldens.appending(path: "torch/odd.bin").path
    _ = try workshop.value("odd = tensors(\"\(file)\")\nlen(odd)")
    let failure = try #require(workshop.run("save(odd, \"copy.safetensors\")").failure)
    #expect(
      failure.message.contains(
        "3 tensors of odd.bin cannot be saved: 'complex64' (complex64) and others are of types"))
    #expect(failure.hint == "select(\"*\") leaves them out")
    let copy = workshop.folder.appending(path: "fovea-out/copy.safetensors")
    #expect(!FileManager.default.fileExists(atPath: copy.path))
    _ = try workshop.value("save(odd.select(\"*\"), \"copy.safetensors\")")
    #expect(try TensorCollection(copy).names == ["weight"])
    let alone = workshop.run("odd.select(\"complex64\")").failure
    #expect(alone?.message.contains("'complex64' is of type complex64") == true)
  }

  @Test func aLongListIsCutWithItsCount() throws {
    let file = workshop.folder.appending(path: "many.safetensors")
    try Safetensors.write(
      (0..<100).map { (name: "layer.\($0)", tensor: Tensor([0], shape: [1])) }, to: file)
    let shown = try workshop.value("tensors(\"many.safetensors\")").displayed
    #expect(shown.hasSuffix("… and 60 more; names lists all, select(\"…*\") a part"))
  }

  @Test func wholeNumbersThatFloat32HasNotAreNotRounded() throws {
    try Safetensors.write(
      [(name: "ids", content: .integers([1 << 40, 3], shape: [2]))],
      to: workshop.folder.appending(path: "ids.safetensors"))
    let failure = workshop.run("tensors(\"ids.safetensors\")[\"ids\"]").failure
    #expect(failure?.kind == .value && failure?.hint?.contains("integers(") == true)
    #expect(
      try workshop.value("tensors(\"ids.safetensors\").integers(\"ids\")").plain
        == "[1099511627776, 3]")
  }

  @Test func whatDoesNotFitIsRefusedBeforeItIsRead() throws {
    try Safetensors.write(
      [(name: "x", tensor: Tensor(repeating: 0, shape: [1_000]))],
      to: workshop.folder.appending(path: "x.safetensors"))
    let text = "memory(\"1KB\")\ntensors(\"x.safetensors\")[\"x\"]"
    let failure = try #require(workshop.run(text).failure)
    #expect(failure.message.contains("reading 'x' needs about"), "\(failure)")
  }

  @Test func whatNoVariableHoldsIsUnmapped() throws {
    let model = workshop.folder.appending(path: "model")
    try FileManager.default.copyItem(at: Fixtures.goldens.appending(path: "blip2"), to: model)
    let file = model.appending(path: "model.safetensors")
    for _ in 0..<3 {
      _ = try workshop.value("m = load(\"model\")\nm")
      _ = try workshop.value("len(compare(run(scene(1)), \"int8\"))")
      _ = try workshop.value("len(bill(scene(1), max_new_tokens=1))")
      _ = try workshop.value("n = tensors(\"model\")\nlen(n)")
    }
    #expect(try Mappings.count(of: file) > 0)
    _ = try workshop.value("m = load()\nn = 0\nn")
    #expect(try Mappings.count(of: file) == 0)
  }
}
