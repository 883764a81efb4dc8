internal import Files

/// What is known of an index's graph of neighbours: what it was made of, and how good it is.
public struct NearestFacts: Sendable, Equatable {
  /// How many rows it links.
  public let count: Int
  /// Candidates that a search looks at: as many as were found to be enough when it was made.
  public let effort: Int
  /// The share of the ten truly nearest rows that were among the ten found, by that effort, for
  /// rows that were not in the graph yet.
  public let recall: Double
  /// How many rows that was measured with; 0 where the index was too small.
  public let queryCount: Int
  /// The names of the embeddings' file and of the graph's.
  let embeddings, file: String
  let rowsDigest: UInt64
  let byteCount: Int
  let fileDigest: UInt64

  init(
    count: Int, effort: Int, recall: Double, queryCount: Int, embeddings: String, file: String,
    rowsDigest: UInt64, byteCount: Int, fileDigest: UInt64
  ) {
    (self.count, self.effort, self.recall) = (count, effort, recall)
    (self.queryCount, self.embeddings, self.file) = (queryCount, embeddings, file)
    (self.rowsDigest, self.byteCount, self.fileDigest) = (rowsDigest, byteCount, fileDigest)
  }

  private static let format = "fovea graph of neighbours"

  var json: JSON {
    [
      "format": .string(Self.format), "version": 1, "library": "hnswlib", "file": .string(file),
      "bytes": .integer(byteCount), "digest": .string(written(fileDigest)),
      "embeddings": .string(embeddings), "count": .integer(count),
      "rows": .string(written(rowsDigest)), "effort": .integer(effort),
      "recall_at_10": .number(recall), "queries": .integer(queryCount),
    ]
  }

  init?(_ json: JSON) {
    guard json["format"]?.text == Self.format, json["version"]?.int == 1,
      let count = json["count"]?.int, count >= 1, let effort = json["effort"]?.int, effort >= 1,
      effort <= 1 << 20, let recall = json["recall_at_10"]?.double, (0...1).contains(recall),
      let queryCount = json["queries"]?.int, let embeddings = json["embeddings"]?.text,
      let file = json["file"]?.text, !file.contains("/"),
      let rowsDigest = json["rows"]?.text.flatMap({ UInt64($0, radix: 16) }),
      let byteCount = json["bytes"]?.int,
      let fileDigest = json["digest"]?.text.flatMap({ UInt64($0, radix: 16) })
    else { return nil }
    self.init(
      count: count, effort: effort, recall: recall, queryCount: queryCount,
      embeddings: embeddings, file: file, rowsDigest: rowsDigest, byteCount: byteCount,
      fileDigest: fileDigest)
  }
}
