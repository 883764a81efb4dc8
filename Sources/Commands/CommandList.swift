public import Runtime

/// Every command, in the order of the reference.
public enum Commands {
  /// The list.
  public static let all: [Command] = [
    .load, .resize, .models, .stages, .describe, .memory,
    .image, .scene, .tensors,
    .preprocess, .patchify, .embed, .encode, .query, .project, .tokenize, .assemble, .decode,
    .nextToken, .run, .match,
    .embedImage, .embedText, .read, .projectText, .similarity, .classify, .wordMap,
    .index, .search, .cluster, .map,
    .attention, .rollout, .compare, .bill, .show,
    .grid, .heatmap, .overlay, .sheet, .queryMaps, .positionSimilarity, .tokenStrip, .histogram,
    .graph, .save,
  ]
}
