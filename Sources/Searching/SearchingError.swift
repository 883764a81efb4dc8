internal import Characters
public import Files

/// Why pictures cannot be indexed or an index cannot be used.
public enum SearchingError: HasExitCode, Equatable {
  /// The folder holds no file that may be a picture.
  case noPictures(folder: String, otherFiles: Int)
  /// Not one of the pictures could be read; `first` is the first reason.
  case nothingReadable(folder: String, count: Int, first: String)
  /// The folder is no index; `detail` says what is missing.
  case noIndex(folder: String, detail: String)
  /// A file of the index says something else than it can.
  case damaged(file: String, detail: String)
  /// The index was made with another model than the one at hand; `remedy` says what to do.
  case otherModel(
    index: String, made: ModelName, found: ModelName,
    remedy: String = "load that model, or make another index")
  /// An index cannot be written into a folder that holds something else, such as `name`.
  case occupied(folder: String, name: String)
  /// A folder of pictures was expected, and is an index.
  case isIndex(folder: String)
  /// The index was not finished, or lost the file that says what it is.
  case unfinished(folder: String)
  /// The folder that an index of `count` pictures was made of holds none any more.
  case emptied(folder: String, index: String, count: Int)
  /// Another process is building the index.
  case busy(folder: String)
  /// More groups are asked for than there are pictures.
  case tooFew(pictures: Int, wanted: Int)
  /// No graph of neighbours can be made of the index; `detail` says why.
  case cannotArrange(index: String, detail: String)

  /// The exit code of a process that ends because of this.
  public var exitCode: Int32 {
    switch self {
    case .noPictures, .nothingReadable, .noIndex, .isIndex, .emptied: ExitCode.missingInput
    case .damaged, .unfinished, .otherModel, .cannotArrange: ExitCode.badData
    case .busy, .occupied: ExitCode.cannotCreate
    case .tooFew: ExitCode.usage
    }
  }
}

extension SearchingError: CustomStringConvertible {
  /// The sentence shown to people.
  public var description: String {
    switch self {
    case .noPictures(let folder, let otherFiles):
      "\(folder.withVisibleControls): no picture below it"
        + (otherFiles > 0 ? ", only \(otherFiles.counted(as: "other file"))" : "")
        + "; name a folder of pictures"
    case .nothingReadable(let folder, let count, let first):
      "\(folder.withVisibleControls): "
        + (count == 1
          ? "its only picture could not be read: "
          : "none of \(count) pictures could be read; the first: ") + first.withVisibleControls
    case .noIndex(let folder, let detail):
      "\(folder.withVisibleControls): is no index of pictures, \(detail); "
        + "'fovea index FOLDER' makes one"
    case .damaged(let file, let detail):
      "\(file.withVisibleControls): \(detail.withVisibleControls); "
        + "make the index again with 'fovea index FOLDER'"
    case .otherModel(let index, let made, let found, let remedy):
      "\(index.withVisibleControls) was made with the model \(made), and \(found) is another; "
        + remedy.withVisibleControls
    case .occupied(let folder, let name):
      "\(folder.withVisibleControls): holds \(name.withVisibleControls) and is no index; "
        + "name a new or empty folder, or an index"
    case .isIndex(let folder):
      "\(folder.withVisibleControls): is an index; name the folder of pictures that it was made of"
    case .unfinished(let folder):
      "\(folder.withVisibleControls): is an unfinished or damaged index; "
        + "'fovea index FOLDER' goes on with it, or makes it again"
    case .emptied(let folder, let index, let count):
      "\(folder.withVisibleControls): no picture below it any more; "
        + "\(index.withVisibleControls) keeps its \(count.counted(as: "picture")), "
        + "remove that folder if they are gone for good"
    case .busy(let folder):
      "\(folder.withVisibleControls): another process is building this index; wait for it"
    case .tooFew(let pictures, let wanted):
      "\(wanted.counted(as: "group")) of \(pictures.counted(as: "picture")); ask for at most \(pictures)"
    case .cannotArrange(let index, let detail):
      "\(index.withVisibleControls): its pictures cannot be linked with their neighbours, "
        + "\(detail.withVisibleControls); search it exactly instead"
    }
  }
}
