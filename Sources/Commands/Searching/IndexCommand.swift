internal import Foundation
internal import Images
internal import Runtime
internal import Searching

extension Command {
  static let index = Command(
    "index", group: "Searching",
    "Embeds a folder of pictures, so that they can be searched; opens an index.",
    Parameter.path("path", "A folder of pictures, or the folder of an index."),
    Parameter.optional(
      .path("to", "The index's folder, below the output folder; None for the folder's own name.")),
    returns: "an Index: its names, its embeddings `[N, D]`, and what was skipped",
    details: """
      Made again, an index follows its folder: what is new or changed is embedded, what is gone is \
      dropped. A run that was stopped goes on where it was. What cannot be read is skipped and \
      listed. An index is gone on with by the model that made it. More than a million pictures are \
      then linked with their neighbours, so that search() need not compare all. `fovea index` does the same from the command line.
      """,
    examples: [
      Example(
        "for seed in range(6):\n    save(scene(seed), f\"shapes/{seed}.png\")\n"
          + "index(\"fovea-out/shapes\")",
        "Six pictures and their index.")
    ], seeAlso: ["search", "cluster", "map"]
  ) { session, path, to in
    let folder = session.readableURL(for: path)
    let opened: IndexedFolder
    if to == nil, PictureIndex.isIndex(folder) || PictureIndex.isUnfinished(folder) {
      opened = IndexedFolder(index: try PictureIndex(folder))
    } else {
      let space = try session.space(for: "index")
      let target = try session.writableURL(for: to ?? folder.lastPathComponent + ".index")
      let builder = IndexBuilder(
        pictures: folder, index: target, embedder: space.embedder,
        limits: session.limitsOfPicturesAtOnce)
      do {
        let report = try builder.run(checkpoint: { try session.checkCancellation() }) { state in
          session.report(Progress(state.activity, completed: state.done, total: state.total))
        }
        opened = IndexedFolder(index: report.index)
      } catch SearchingError.otherModel(let index, let made, let found, _) {
        let path = Value.text(made.folder).represented
        throw SearchingError.otherModel(
          index: index, made: made, found: found,
          remedy: "load(\(path)) to go on with it, or name another folder with to=")
      }
    }
    session[CurrentIndex.self] = opened
    return .object(opened)
  }
}

extension Session {
  /// How large a picture may be where every core decodes one.
  var limitsOfPicturesAtOnce: Image.Limits {
    let cores = max(1, ProcessInfo.processInfo.activeProcessorCount)
    var limits = Image.Limits()
    limits.memory = { self.availableMemory / cores }
    return limits
  }
}
