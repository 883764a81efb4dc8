internal import Budget
internal import Checkpoints
internal import Dispatch
internal import Files
public import FoundationEssentials
internal import Glibc
public import Images
internal import Synchronization
internal import Tensors

/// Makes an index of a folder of pictures, or brings one up to date.
public struct IndexBuilder: Sendable {
  /// The folder of pictures.
  public let pictures: URL
  /// The folder of the index.
  public let index: URL
  private let embedder: Embedder
  /// Pictures in one pass of the model.
  private let batch: Int
  /// Whether pictures are linked with their neighbours: where there are many, never, or always.
  private let method: SearchMethod
  private let limits: Image.Limits

  /// Prepares; nothing is read or written.
  ///
  /// - Parameters:
  ///   - batch: pictures in one pass of the model.
  ///   - method: how the index is to be searched; a graph of neighbours is made for what needs one.
  ///   - limits: how large a picture may be; larger ones are skipped.
  public init(
    pictures: URL, index: URL, embedder: Embedder, batch: Int = 16,
    method: SearchMethod = .automatic, limits: Image.Limits = .init()
  ) {
    (self.pictures, self.index) = (pictures, index)
    (self.embedder, self.batch, self.method) = (embedder, max(1, batch), method)
    self.limits = limits
  }

  /// What a run did.
  public struct Report: Sendable {
    /// The index as it is now.
    public let index: PictureIndex
    /// Pictures that went through the model in this run.
    public let embedded: Int
    /// Pictures with the bytes of another, whose row was taken.
    public let copied: Int
    /// Pictures whose files had not changed.
    public let kept: Int
    /// Pictures of the index before that are gone.
    public let removed: Int
    /// Files below the folder that are no pictures by their names.
    public let otherFiles: Int
    /// Of those read in this run: pictures whose transparent parts were taken for opaque.
    public let transparent: Int
    /// Of those read in this run: pictures of grey beyond 8 bits, cut at 255.
    public let cut: Int
    /// Where the time went.
    public let times: IndexTimes
  }

  /// How far a run is.
  public struct State: Sendable {
    /// Pictures done, skipped ones included.
    public let done: Int
    /// Pictures that had to be looked at.
    public let total: Int
    /// Whether pictures are being linked with their neighbours, after all were embedded.
    public var isLinking = false
  }

  /// What to do where the index is another model's, for whoever calls this from a program.
  static let otherModelRemedy = "go on with that model, or name another folder for the index"

  /// Runs to the end.
  ///
  /// A run that is ended in the middle, by force even, loses at most one batch; the next goes on.
  /// - Parameters:
  ///   - checkpoint: called often, from within a batch too; what it throws ends the run.
  ///   - progress: called after every batch.
  /// - Throws: `SearchingError`; `FileFailure`; what `checkpoint` and the model throw.
  public func run(
    checkpoint: () throws -> Void = {}, progress: (State) -> Void = { _ in }
  ) throws -> Report {
    try FolderTree.refuseLinks(on: index.path(percentEncoded: false))
    let found = try PictureFolder(pictures, leavingOut: [index])
    try check(found)
    switch IndexPlace(index) {
    case .free, .index, .remains: break
    case .other(let name):
      throw SearchingError.occupied(folder: index.path(percentEncoded: false), name: name)
    case .file: throw FileFailure(index.path(percentEncoded: false), .notFolder, while: .write)
    }
    let isThere = FileManager.default.fileExists(atPath: index.path(percentEncoded: false))
    try makeFolder(index)
    do {
      return try build(found, checkpoint: checkpoint, progress: progress)
    } catch {
      // A run that did nothing leaves nothing; a folder with something in it is not removed.
      if !isThere { rmdir(index.path(percentEncoded: false)) }
      throw error
    }
  }

  /// - Throws: where there is nothing that might be a picture.
  private func check(_ found: PictureFolder) throws {
    guard found.files.isEmpty, found.skipped.isEmpty else { return }
    let folder = pictures.path(percentEncoded: false)
    switch IndexPlace(pictures) {
    case .index: throw SearchingError.isIndex(folder: folder)
    case .remains: throw SearchingError.unfinished(folder: folder)
    case .free, .other, .file: break
    }
    // A disk that is not mounted looks like this too: what was embedded is not thrown away.
    if let before = try? PictureIndex(index) {
      throw SearchingError.emptied(
        folder: folder, index: index.path(percentEncoded: false), count: before.pictures.count)
    }
    throw SearchingError.noPictures(folder: folder, otherFiles: found.otherCount)
  }

  private func build(
    _ found: PictureFolder, checkpoint: () throws -> Void, progress: (State) -> Void
  ) throws -> Report {
    let folder = pictures.path(percentEncoded: false)
    let claim = try IndexClaim(index)
    let before = try previous()
    var times = IndexTimes()
    var journal = try IndexJournal(
      in: index, embedder: embedder, replacesOthers: before != nil)
    var known = Known(index: before, journal: journal.pictures)
    let todo = found.files.filter { known.source(of: $0) == nil }
    var skipped = found.skipped
    var (embedded, copied, transparent, cut) = (0, 0, 0, 0)

    // While the model works on one stretch, the next is read.
    let stretch = batch * 4
    let stretches = stride(from: 0, to: todo.count, by: stretch).map {
      Array(todo[$0..<min(todo.count, $0 + stretch)])
    }
    progress(State(done: 0, total: todo.count))
    var ahead = try stretches.first.map { try reading($0) }
    for number in stretches.indices {
      try checkpoint()
      guard let read = try times.timing(\.waiting, { try ahead?.value(checkpoint) }) else { break }
      times.reading += read.seconds
      ahead = number + 1 < stretches.count ? try reading(stretches[number + 1]) : nil
      var fresh: [(picture: IndexedPicture, image: Image)] = []
      for result in read.results {
        switch result {
        case .failure(let failure): skipped.append(failure.skipped)
        case .success(let picture, let image, let isTransparent, let isCut):
          transparent += isTransparent ? 1 : 0
          cut += isCut ? 1 : 0
          if let same = known.row(digest: picture.digest, bytes: picture.bytes),
            let row = try known.rows([same], journal: journal.stored())
          {
            try journal.append([picture], rows: row)
            known.add([picture])
            copied += 1
          } else {
            fresh.append((picture, image))
          }
        }
      }
      for first in stride(from: 0, to: fresh.count, by: batch) {
        try checkpoint()
        let some = Array(fresh[first..<min(fresh.count, first + batch)])
        let rows = try times.timing(\.model) { try embed(some.map(\.image), checkpoint) }
        guard rows.shape == [some.count, embedder.width] else {
          throw SearchingError.damaged(
            file: embedder.model.name, detail: "it made \(rows.shape) of \(some.count) pictures")
        }
        let good = some.indices.filter { rows.row($0).elements.allSatisfy(\.isFinite) }
        skipped += some.indices.filter { !good.contains($0) }.map {
          SkippedPicture(path: some[$0].picture.path, reason: "the model gave no finite numbers")
        }
        guard !good.isEmpty else { continue }
        let kept = good.map { some[$0].picture }
        try journal.append(
          kept, rows: Tensor.concatenated(good.map { rows.rows($0..<$0 + 1) }).unitRows())
        known.add(kept)
        embedded += kept.count
        progress(
          State(done: min(todo.count, number * stretch + first + some.count), total: todo.count))
      }
    }
    skipped.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    let entries = found.files.compactMap { file in
      known.source(of: file).map { (file: file, source: $0) }
    }
    guard !entries.isEmpty else {
      throw SearchingError.nothingReadable(
        folder: folder, count: skipped.count, first: skipped.first?.reason ?? "")
    }
    let now = Set(entries.map(\.file.path))
    let removed = before?.pictures.count { !now.contains($0.path) } ?? 0
    let result: PictureIndex
    // What a run that was ended left in the journal is not in the index, though nothing was embedded
    // now.
    if let before, entries.allSatisfy(\.source.place.isInIndex), removed == 0,
      before.skipped == skipped, before.pictures.count == entries.count,
      before.root.path == pictures.path
    {
      result = before
    } else {
      result = try IndexWriter(builder: self, embedder: embedder).write(
        entries.map(\.source), known: known, journal: journal.stored(), skipped: skipped,
        generation: (before?.generation ?? 0) + 1)
    }
    journal.remove()
    if method == .approximate
      || method == .automatic && result.pictures.count > PictureIndex.exactLimit,
      case .unusable = result.arrangement()
    {
      try times.timing(\.linking) {
        _ = try result.arrange(under: claim, checkpoint: checkpoint) {
          progress(State(done: $0, total: $1, isLinking: true))
        }
      }
    }
    claim.release()
    times.end()
    return Report(
      index: result, embedded: embedded, copied: copied,
      kept: entries.count - embedded - copied, removed: removed, otherFiles: found.otherCount,
      transparent: transparent, cut: cut, times: times)
  }

  /// The index as it was; nil where there is none, or where it is damaged.
  ///
  /// - Throws: `SearchingError.otherModel`.
  private func previous() throws -> PictureIndex? {
    guard PictureIndex.isIndex(index), let before = try? PictureIndex(index) else { return nil }
    guard before.fits(embedder.probe) else {
      throw SearchingError.otherModel(
        index: index.path(percentEncoded: false), made: before.model, found: embedder.model,
        remedy: Self.otherModelRemedy)
    }
    return before
  }

  /// `[N, D]`: pictures through the model, which stops between its blocks where `checkpoint` throws.
  private func embed(_ images: [Image], _ checkpoint: () throws -> Void) throws -> Tensor {
    var ending: (any Error)?
    do {
      return try embedder.embed(images) {
        do { try checkpoint() } catch { ending = error }
        return ending != nil
      }
    } catch {
      throw ending ?? error
    }
  }

  // MARK: Reading

  private enum Read: Sendable {
    case success(IndexedPicture, Image, isTransparent: Bool, isCut: Bool)
    case failure(Unread)
  }

  private struct Unread: Error {
    let skipped: SkippedPicture
  }

  /// Reads and shrinks pictures on all cores, beside whatever runs.
  private func reading(
    _ files: [PictureFolder.File]
  ) throws -> Later<(results: [Read], seconds: Double)> {
    try Later {
      let results = Mutex(
        (reads: [Read?](repeating: nil, count: files.count), seconds: 0.0))
      DispatchQueue.concurrentPerform(iterations: files.count) { number in
        let began = IndexTimes.processorSeconds
        let read = self.read(files[number])
        results.withLock {
          $0.reads[number] = read
          $0.seconds += IndexTimes.processorSeconds - began
        }
      }
      return results.withLock { ($0.reads.compactMap { $0 }, $0.seconds) }
    }
  }

  private func read(_ file: PictureFolder.File) -> Read {
    do {
      let bytes = try WholeFile.read(pictures.appending(path: file.path))
      let decoded = try DecodedPicture(bytes, named: file.path, limits: limits)
      let image = decoded.image
      let picture = IndexedPicture(
        path: file.path, bytes: bytes.count, modified: file.modified, width: image.width,
        height: image.height, digest: digest(of: bytes))
      return .success(
        picture, try embedder.shrink(image), isTransparent: decoded.image.alpha != nil,
        isCut: decoded.isCut)
    } catch {
      return .failure(Unread(skipped: SkippedPicture(path: file.path, reason: "\(error)")))
    }
  }
}
