import Commands
import Foundation
import Language
import Runtime
import Synchronization
import Tensors
import TestSupport
import Testing

/// Ctrl-C within 200 ms in every command and function.
///
/// Whatever is new must be listed: with a line that runs long, or as short by nature.
@Suite(.serialized) struct StopTests {
  /// By command, function or method: a line that would run for long, on values of `prepared`.
  static let long: [String: String] = [
    // Commands.
    "help": "for i in range(100000): help(\"x\" * 4000000)",
    "load": "for i in range(1000): load(\"small-clip\", quantize=\"int8\")",
    "resize": "for i in range(100000): resize(640 + 16 * (i % 20))",
    "preprocess": "for i in range(100000): preprocess(s)",
    "patchify": "for i in range(100000): patchify(pixels)",
    "embed": "for i in range(100000): embed(patches)",
    "encode": "for i in range(100000): encode(tokens)",
    "edit": "for i in range(100000): edit(r, change.zero(\"vision.blocks.0.output\"))",
    "edits": "for i in range(100000): edits(load(\"scenes\"), change.zero(\"vision.norm.output\"))",
    "query": "for i in range(100000): query(vision)",
    "project": "for i in range(100000): project(queries)",
    "tokenize": "tokenize(words)", "tokenize of one word": "tokenize(\"a\" * 10000000)",
    "assemble": "for i in range(100000): assemble(soft, \"how many shapes are there?\")",
    "decode": "for i in range(100000): decode(soft, num_beams=8, max_new_tokens=40)",
    "next_token": "for i in range(100000): next_token(soft)",
    "run": "for i in range(100000): run(s)",
    "match": "match(s, many)",
    "chat": "for i in range(100000): chat(s, \"how many shapes are there?\")",
    "make_context": "for i in range(100000): make_context(s, \"how many shapes are there?\")",
    "from_list_format": "from_list_format([{\"text\": \"a\"}] * 10000000)",
    "decode_tokens": "for i in range(100000): decode_tokens([5, 6, 7] * 1000)",
    "get_stop_words_ids": "for i in range(10000000): get_stop_words_ids()",
    "generation": "for i in range(10000000): generation()",
    "apply_chat_template":
      "for i in range(100000): apply_chat_template([{\"content\": \"a\"}] * 1000, "
      + "chat_template=\"{% for m in messages %}{{ m.content }}{% endfor %}\")",
    "gaze": "for i in range(100000): gaze(asked)",
    "embed_image": "embed_image([s] * 20000)",
    "embed_text": "embed_text(many)",
    "read": "for i in range(100000): read(\"a red circle\")",
    "project_text": "for i in range(100000): project_text(reading)",
    "similarity": "similarity(many, many)",
    "classify": "classify(s, many)",
    "word_map": "word_map(s, \"a red circle\", without=many)",
    "index": "for i in range(100000): index(\"fovea-out/shapes\", f\"x{i}.index\")",
    "search": "for i in range(100000): search(\"a star\", top=4)",
    "cluster": "cluster(2, many)",
    "map": "for i in range(100000): map()",
    "attention": "for i in range(100000): attention(vision)",
    "rollout": "for i in range(100000): rollout(vision)",
    "compare": "for i in range(100000): compare(r, r)",
    "compare tensors": "compare(matrix, matrix + 1)",
    "bill": "bill(s)",
    "patches_under": "for i in range(100000): patches_under((9, 9, 50, 50), s)",
    "boxes": "for i in range(100): boxes(marks)",
    "iou": "for i in range(1000000): iou((0, 0, 2, 2), (1, 1, 3, 3))",
    "draw_boxes": "draw_boxes(s, marks)",
    "box_of": "for i in range(100000): box_of([1, 2], s)",
    "tensors": "for i in range(100000): tensors(\"fovea-out/numbers.npy\")",
    "concat": "for i in range(100): concat([matrix, matrix], axis=1)",
    "stack": "for i in range(100): stack([matrix, matrix], axis=1)",
    "sort": "for i in range(100): sort(matrix, axis=0)",
    "argsort": "for i in range(100): argsort(matrix.flatten()[:16000000])",
    "topk": "for i in range(100): topk(matrix, 5)",
    "image": "for i in range(100000): image(\"fovea-out/shapes/0.png\")",
    "image of much text": "image(\"talkative.png\")",
    "image of numbers": "image(ones([4000, 4000, 3]))",
    "scene": "for i in range(1000000): scene(i)",
    "describe": "describe(matrix)",
    "show": "for i in range(100000): show(matrix)",
    "heatmap": "heatmap(matrix)",
    "histogram": "histogram(matrix)",
    "grid": "for i in range(100000): grid(s)",
    "overlay": "for i in range(100000): overlay(zeros([101]), s)",
    "sheet": "for i in range(100000): sheet(vision)",
    "query_maps": "for i in range(100000): query_maps(queries, s, block=2)",
    "position_similarity": "for i in range(100000): position_similarity()",
    "token_strip": "for i in range(100000): token_strip(r)",
    "graph": "for i in range(100000): graph()",
    "save": "save(matrix, \"matrix.csv\")",
    // Functions.
    "print": "print(numbers, numbers, numbers)",
    "repr": "repr(pairs)",
    "str": "str(numbers)",
    "list": "list(range(10000000))",
    "tuple": "tuple(range(10000000))",
    "dict": "dict(zip(numbers, numbers))",
    "sorted": "sorted(numbers, key=lambda x: -x)", "sorted already": "sorted(numbers * 3)",
    "reversed": "for i in range(1000): reversed(numbers)",
    "enumerate": "enumerate(range(10000000))",
    "enumerate of a list": "list(enumerate(numbers * 6))",
    "zip": "zip(range(10000000), range(10000000))",
    "any": "any(range(0, 1)) or any([0] * 10000000)",
    "all": "all([1] * 10000000)",
    "sum": "sum(range(10000000))", "sum of a list": "sum(numbers * 6)",
    "min": "min(range(10000000))", "min of a list": "min(numbers * 6)",
    "max": "max(range(10000000))",
    "tensor": "tensor([numbers] * 20)",
    "zeros": "zeros([16384, 16384])",
    "ones": "ones([16384, 16384])",
    "where": "where(matrix, matrix, 0)",
    "abs": "for i in range(100): abs(matrix)",
    "len": "for i in range(100000): len(words)",
    "int": "int(\"1\" * 10000000)",
    "float": "float(\"1\" * 10000000)",
    // Operators.
    "@": "matrix @ matrix",
    "+": "for i in range(100): matrix + matrix.T",
    "==": "numbers == list(range(1500000))",
    "list + list": "numbers + numbers + numbers + numbers + numbers + numbers",
    "tuple + tuple": "tuple(numbers) + tuple(numbers) + tuple(numbers)",
    "in": "\"z\" in words and -1 in numbers",
    "f-string": "f\"{pairs} {pairs} {len(pairs)}\"",
    "text * n": "for i in range(1000): \"ab\" * 5000000",
    "list * n": "for i in range(100): numbers * 5",
    "x[a:b]": "for i in range(1000): words[::-1]",
    "x[mask]": "for i in range(100): matrix[matrix > 0]",
    "x[:, i]": "matrix[::-1, ::-1]",
    "comprehension": "[x * x for x in range(10000000)]",
    "a value that is shown": "matrix",
    // Methods of texts.
    "str.capitalize": "words.capitalize()", "str.title": "words.title()",
    "str.upper": "for i in range(1000): words.upper()",
    "str.lower": "for i in range(1000): words.lower()",
    "str.count": "words.count(\"or\")", "str.find": "words.find(\"z\")",
    "str.index": "words.index(\"z\")",
    "str.join": "\", \".join(many * 30)",
    "str.replace": "words.replace(\"o\", \"ö\")",
    "str.split": "words.split()", "str.splitlines": "lines.splitlines()",
    "str.strip": "blanks.strip()", "str.lstrip": "blanks.lstrip()",
    "str.rstrip": "blanks.rstrip()",
    "str.isalpha": "(\"a\" * 10000000).isalpha()",
    "str.isdigit": "(\"1\" * 10000000).isdigit()", "str.isspace": "blanks.isspace()",
    // Methods of lists and dicts.
    "list.append": "x = []\nfor i in range(10000000): x.append(i)",
    "list.extend": "x = []\nfor i in range(1000): x.extend(range(10000))",
    "list.insert": "x = list(numbers)\nfor i in range(10000): x.insert(0, i)",
    "list.count": "numbers.count(-1)", "list.index": "numbers.index(-1)",
    "list.index of a product": "(numbers * 6).index(-1)",
    "list.remove": "numbers.remove(-1)",
    "list.pop": "x = list(numbers)\nfor i in range(10000): x.pop(0)",
    "list.sort": "list(reversed(numbers)).sort(key=lambda x: x)",
    "list.reverse": "for i in range(10000): numbers.reverse()",
    "list.copy": "for i in range(1000): numbers.copy().append(1)",
    "dict.copy": "table.copy()", "dict.update": "dict().update(table)",
    "dict.items": "for i in range(1000): table.items()",
    "dict.pop": "x = table.copy()\nfor i in range(1000): x.pop(i)",
    // Methods of tensors.
    "Tensor.T": "for i in range(100): matrix.T",
    "Tensor.transpose": "for i in range(100): matrix.transpose()",
    "Tensor.exp": "for i in range(100): matrix.exp()",
    "Tensor.log": "for i in range(100): matrix.log()",
    "Tensor.sqrt": "for i in range(100): matrix.sqrt()",
    "Tensor.abs": "for i in range(100): matrix.abs()",
    "Tensor.clip": "for i in range(100): matrix.clip(0, 1)",
    "Tensor.softmax": "for i in range(100): matrix.softmax(axis=0)",
    "Tensor.tolist": "for i in range(100): matrix[:1500].tolist()",
    "Tensor.sum": "for i in range(100): matrix.sum(axis=0)",
    "Tensor.mean": "for i in range(100): matrix.mean()",
    "Tensor.std": "for i in range(100): matrix.std()",
    "Tensor.norm": "for i in range(100): matrix.norm()",
    "Tensor.max": "for i in range(100): matrix.max()",
    "Tensor.min": "for i in range(100): matrix.min(axis=0)",
    "Tensor.argmax": "for i in range(100): matrix.argmax()",
    "Tensor.argsort": "for i in range(100): matrix.argsort(axis=0)",
    "Tensor.topk": "for i in range(100): matrix.topk(3)",
    "Tensor.argmin": "for i in range(100): matrix.argmin(axis=0)",
    "Tensor.any": "for i in range(100): zeros([4000, 4000]).any()",
    "Tensor.all": "for i in range(100): ones([4000, 4000]).all()",
  ]

  private static let operators = [
    "@", "+", "==", "in", "f-string", "text * n", "list * n", "x[a:b]", "x[mask]", "x[:, i]",
    "comprehension", "list + list", "tuple + tuple",
    "a value that is shown",
  ]

  /// Further arguments of what is listed already.
  private static let again = [
    "compare tensors", "image of much text", "image of numbers", "tokenize of one word",
    "sorted already", "enumerate of a list",
    "sum of a list",
    "min of a list", "list.index of a product",
  ]

  /// What takes no longer whatever it is given.
  static let short: Set<String> = [
    "models", "stages", "memory",
    "change.zero", "change.scale", "change.add", "change.replace", "change.take",
    "change.freeze", "change.mask",
    "range", "divmod", "ord", "chr", "round", "type", "bool",
    "str.startswith", "str.endswith", "str.center", "str.ljust", "str.rjust", "str.zfill",
    "list.clear", "dict.clear", "dict.get", "dict.keys", "dict.values", "dict.setdefault",
    "Tensor.dtype", "Tensor.flatten", "Tensor.item", "Tensor.name", "Tensor.ndim",
    "Tensor.reshape", "Tensor.shape", "Tensor.size",
  ]

  private static let prepared = """
    s = scene(7)
    pixels = preprocess(s)
    patches = patchify(pixels)
    tokens = embed(patches)
    vision = encode(tokens)
    queries = query(vision)
    soft = project(queries)
    r = run(s)
    asked = chat(s, "how many shapes are there?")
    reading = read("a red circle")
    many = [f"a {i} circle" for i in range(20000)]
    words = "for word in world, " * 100000
    lines = "a line of some words\\n" * 100000
    blanks = " " * 8000000
    marks = "<ref>a</ref><box>(1,2),(3,4)</box>" * 20000
    numbers = list(range(1500000))
    pairs = [(i, "a text") for i in range(200000)]
    table = dict(zip(range(300000), range(300000)))
    matrix = ones([6000, 6000])
    save(zeros([100, 100]), "numbers.npy")
    for seed in range(6):
        save(scene(seed, objects=1), f"shapes/{seed}.png")
    index("fovea-out/shapes");
    """

  @Test func everyCommandFunctionAndMethodIsListed() throws {
    let session = try Workshop().session
    var names = Commands.all.map(\.name) + session.builtInNames
    let kinds: [(String, Value)] = [
      ("str", .text("")), ("list", .newList([])), ("dict", .dictionary(Mapping())),
      ("Tensor", .tensor(.init(0))),
    ]
    for (kind, value) in kinds {
      names += session.attributeNames(of: value).map { "\(kind).\($0)" }
    }
    let missing = names.filter { Self.long[$0] == nil && !Self.short.contains($0) }
    #expect(missing.isEmpty, "a line that runs long, or a place in the list of short ones")
    let gone = Self.long.keys.filter { name in
      !names.contains(name) && !(Self.operators + Self.again).contains(name)
    }
    #expect(gone.isEmpty)
  }

  @Test func everyLineStopsWithin200Milliseconds() throws {
    let workshop = try Workshop()
    let session = workshop.session
    #expect(workshop.run(Self.prepared).failure == nil)
    try Self.writeTalkativePicture(to: workshop.folder.appending(path: "talkative.png"))
    var all: [(line: String, delay: Double, latency: Double, pace: Double)] = []
    // These change the model in use.
    let last = ["edits", "load", "resize"]
    let names = Self.long.keys.filter { !last.contains($0) }.sorted() + last
    for name in names {
      let line = try #require(Self.long[name])
      for delay in [0.05, 0.2] {
        // The best of five counts: the first may meet what is done once, others a busy machine.
        var best = (latency: Double.infinity, pace: Self.pace())
        for _ in 0..<5 where best.latency > 0.2 {
          let latency = try Self.latency(of: line, stoppedAfter: delay, in: session)
          if latency < best.latency { best = (latency, Self.pace()) }
        }
        all.append((name, delay, best.latency, best.pace))
        if ProcessInfo.processInfo.environment["FOVEA_LATENCIES"] != nil {
          print("\(name)\t\(delay)\t\(Int(best.latency * 1000))\t\(Int(best.pace * 1e6)) µs")
        }
      }
    }
    // Other programs may slow the machine down, by as much as they did the same work beside it.
    let fastest = all.map(\.pace).min() ?? 0
    let late = all.filter { $0.latency > 0.2 * min(4, max(1, $0.pace / fastest)) }.map {
      "\($0.line) after \($0.delay) s: \(Int($0.latency * 1000)) ms"
    }
    #expect(late.isEmpty, "\(late.joined(separator: "\n"))")
  }

  /// The seconds that a little work takes now, as latencies are measured: a tenth of a million small
  /// things are made and freed.
  private static func pace() -> Double {
    final class Thing {}
    let (start, processor) = (ContinuousClock.now, processorSeconds())
    var things: [Thing] = []
    for _ in 0..<100_000 { things.append(Thing()) }
    things = []
    return min((ContinuousClock.now - start) / .seconds(1), processorSeconds() - processor)
  }

  /// A picture with half a gigabyte of comments, which take no room on the disk.
  private static func writeTalkativePicture(to url: URL) throws {
    let picture = try Data(contentsOf: Fixtures.goldens.appending(path: "picture.png"))
    #expect(FileManager.default.createFile(atPath: url.path, contents: nil))
    let file = try FileHandle(forWritingTo: url)
    defer { try? file.close() }
    // Signature and header; then chunks of length, name, text and checksum.
    let headerEnd = 33
    try file.write(contentsOf: picture.prefix(headerEnd))
    let textCount = 50_000_000
    for _ in 0..<10 {
      try file.write(
        contentsOf: withUnsafeBytes(of: UInt32(textCount).bigEndian) { Data($0) }
          + Data("tEXtA\0".utf8))
      try file.seek(toOffset: file.offset() + UInt64(textCount - 2 + 4))
    }
    try file.write(contentsOf: picture.dropFirst(headerEnd))
  }

  /// The seconds from the request to the end, or the processor's where those are fewer.
  ///
  /// A machine may do other work meanwhile. What ended before the request took none.
  private static func latency(
    of line: String, stoppedAfter delay: Double, in session: Session
  ) throws -> Double {
    let ended = Mutex<(time: ContinuousClock.Instant, processor: Double)?>(nil)
    let done = DispatchSemaphore(value: 0)
    let failure = Mutex<RuntimeFailure?>(nil)
    Thread.detachNewThread {
      let result = session.run(Source(name: "cell", text: line))
      ended.withLock { $0 = (.now, processorSeconds()) }
      failure.withLock { $0 = result.failure }
      done.signal()
    }
    Thread.sleep(forTimeInterval: delay)
    let (asked, processor) = (ContinuousClock.now, processorSeconds())
    session.cancel()
    done.wait()
    // What ended by itself may have refused its arguments, but for texts and values not found.
    if let failure = failure.withLock({ $0 }), failure.kind != .interrupted {
      #expect(failure.kind == .value || failure.kind == .argument, "\(line): \(failure)")
    }
    guard let end = ended.withLock({ $0 }), end.time > asked else { return 0 }
    return min((end.time - asked) / .seconds(1), end.processor - processor)
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
