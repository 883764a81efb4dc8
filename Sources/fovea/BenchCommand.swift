internal import ArgumentParser
internal import Characters
internal import Commands
internal import Files
internal import Foundation
internal import Images
internal import Runtime
internal import Tensors
internal import Terminal

/// `fovea bench`: how long each stage takes, and how near that is to what the machine can do.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time a model's stages, and set them against the machine's measured peaks.",
    discussion: """
      Times are medians of several passes after one that warms up. Operations are those of matrix \
      products, a multiply-add counted as two; bytes are those of the weights that a pass reads. \
      Both are counted while it runs. `peak` is the time that the operations would take at the \
      measured peaks as a share of the time they took, `bandwidth` the share of the measured read \
      bandwidth.
      """)

  @OptionGroup var model: ModelOptions
  @Option(help: ArgumentHelp("The picture; a scene where none is given.", valueName: "file"))
  var image: String?
  @Option(help: "What a model that writes reads after the picture.")
  var prompt = Bench.Options().prompt
  @Option(help: "Tokens written after the first.")
  var tokens = Bench.Options().tokenCount
  @Option(help: "Measured passes of each stage; one of 10 s and more is measured once.")
  var repeats = Bench.Options().repeats
  @Option(
    help: ArgumentHelp(
      "Instead: how long the language model takes to read prompts of so many tokens.",
      valueName: "counts, with commas"))
  var prompts: Lengths?
  @Option(
    help: ArgumentHelp(
      "Instead: how long it takes to write a token behind so many; their keys and values are made up.",
      valueName: "counts, with commas"))
  var contexts: Lengths?
  @Option(help: "all, or vision for the vision tower alone.")
  var only = Part.all
  @Option(
    help: ArgumentHelp(
      "Instead: how fast the pictures of a folder are read and made ready for the model.",
      valueName: "folder"))
  var pictures: String?
  @Flag(help: "Write JSON.")
  var json = false

  enum Part: String, ExpressibleByArgument, CaseIterable { case all, vision }

  /// Numbers of tokens.
  struct Lengths: ExpressibleByArgument {
    var counts: [Int]

    init?(argument: String) {
      let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        .map { Int($0.trimmingCharacters(in: .whitespaces)) ?? 0 }
      guard parts.allSatisfy({ $0 >= 1 }) else { return nil }
      counts = parts
    }
  }

  func validate() throws {
    guard tokens >= 1, repeats >= 1 else {
      throw ValidationError("--tokens and --repeats must be at least 1.")
    }
  }

  func run() throws {
    var options = Bench.Options()
    (options.prompt, options.tokenCount, options.repeats) = (prompt, tokens, repeats)
    options.isVisionOnly = only == .vision
    (options.promptLengths, options.contexts) = (prompts?.counts ?? [], contexts?.counts ?? [])
    let progress = ProgressDisplay(environment: .process)
    if let pictures { return try run(on: URL(typed: pictures), progress) }
    progress.show(Progress("measuring the machine", completed: 0, total: nil))
    let before = MachinePeaks.measured()
    Bench.forgetPeak()
    progress.show(Progress("reading the model", completed: 0, total: nil))
    let bench = try Bench(model.choice(), options: options)
    if let image, !bench.looksAtPictures {
      throw SettingFailure(
        words: "\(bench.modelName) reads text alone; leave --image \(image) out")
    }
    let picture = try image.map {
      try Bench.picture(URL(typed: $0), note: Display.note)
    }
    let broken = try bench.brokenPlace(on: picture ?? Bench.picture)
    let rows = try bench.run(picture ?? Bench.picture, note: Display.note) {
      progress.show(Progress($0, completed: 0, total: nil))
    }
    progress.show(Progress("measuring the machine", completed: 0, total: nil))
    let (peak, machine) = (Bench.peakBytes, before.measuredAgain())
    progress.end()
    let text =
      json
      ? try report(rows, bench, machine, peak).written() : table(rows, bench, machine, peak)
    try Output.standardOutput.write(text + "\n")
    if let broken { throw Display.badNumbers(broken) }
  }

  private func run(on folder: URL, _ progress: ProgressDisplay) throws {
    let bench = try PictureBench(pictures: folder, model: model.choice())
    let seconds = try bench.run(repeats: repeats) {
      progress.show(Progress("reading", completed: $0, total: repeats + 1))
    }
    progress.end()
    let rate = Double(bench.count) / Bench.median(seconds)
    guard json else {
      return try Output.standardOutput.write(
        "\(bench.count.counted(as: "picture")), \(Parallelism.threadCount.counted(as: "thread")): "
          + String(format: "%.0f a second\n", rate))
    }
    let report: JSON = [
      "pictures": .integer(bench.count), "threads": .integer(Parallelism.threadCount),
      "seconds": .array(seconds.map { .number($0) }), "pictures_per_second": .number(rate),
    ]
    try Output.standardOutput.write(report.written() + "\n")
  }

  private func table(
    _ rows: [Bench.Row], _ bench: Bench, _ machine: MachinePeaks, _ peak: Int
  ) -> String {
    var lines = [
      "\(machine.processor), \(machine.instructions), \(Parallelism.threadCount) threads: "
        + "float32 \(giga(machine.float32Operations)) GFLOP/s, "
        + "bfloat16 \(giga(machine.bfloat16Operations)) GFLOP/s, "
        + "reading \(String(format: "%.1f", machine.readBandwidth / 1e9)) GB/s",
      "\(bench.modelName): read in \(time(bench.loadSeconds)), weights \(bytes(bench.weightBytes))",
      "",
    ]
    let header = ["stage", "time", "GFLOP", "GFLOP/s", "peak", "reads", "GB/s", "bandwidth"]
    var cells = [header]
    for row in rows {
      let rate = Double(row.work.operations) / row.seconds
      let flow = Double(row.work.readBytes) / row.seconds
      let least =
        Double(row.work.operations - row.work.bfloat16Operations) / machine.float32Operations
        + Double(row.work.bfloat16Operations) / machine.bfloat16Operations
      cells.append(
        row.work.operations == 0
          ? [row.name, time(row.seconds), "", "", "", "", "", ""]
          : [
            row.name, time(row.seconds), String(format: "%.1f", Double(row.work.operations) / 1e9),
            giga(rate), percent(least / row.seconds), bytes(row.work.readBytes),
            String(format: "%.1f", flow / 1e9), percent(flow / machine.readBandwidth),
          ])
    }
    let widths = header.indices.map { column in cells.map { $0[column].count }.max() ?? 0 }
    lines += cells.map { row in
      let padded = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return column == 0 ? cell + space : space + cell
      }
      return padded.joined(separator: "  ")
    }
    if rows.last?.name == Bench.Name.firstToken {
      lines += ["", "no next token: the prompt fills all positions, or its answer has no numbers"]
    }
    lines += ["", "peak memory \(bytes(peak))"]
    return lines.joined(separator: "\n")
  }

  private func report(
    _ rows: [Bench.Row], _ bench: Bench, _ machine: MachinePeaks, _ peak: Int
  ) throws -> JSON {
    func column(_ value: (Bench.Row) -> JSON) -> JSON {
      .object(JSON.Object(rows.map { ($0.name, value($0)) }))
    }
    return [
      "machine": [
        "cpu": .string(machine.processor), "instructions": .string(machine.instructions),
        "threads": .integer(Parallelism.threadCount),
        "float32_flops": .number(machine.float32Operations),
        "bfloat16_flops": .number(machine.bfloat16Operations),
        "read_bandwidth": .number(machine.readBandwidth),
      ],
      "model": .string(bench.modelName),
      "prompt_ids": .array(
        try bench.promptIDs().map { .integer($0) }),
      "load_seconds": .number(bench.loadSeconds),
      "weight_bytes": .integer(bench.weightBytes),
      "peak_bytes": .integer(peak),
      "seconds": column { .number($0.seconds) },
      "operations": column { .integer($0.work.operations) },
      "bytes_read": column { .integer($0.work.readBytes) },
    ]
  }

  private func giga(_ number: Double) -> String { String(format: "%.0f", number / 1e9) }
  private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }

  private func time(_ seconds: Double) -> String {
    seconds < 1 ? String(format: "%.1f ms", seconds * 1000) : String(format: "%.3f s", seconds)
  }

  private func bytes(_ count: Int) -> String {
    count < 1_000_000_000
      ? String(format: "%.1f MB", Double(count) / 1e6)
      : String(format: "%.2f GB", Double(count) / 1e9)
  }
}
