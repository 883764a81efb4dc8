public import Runtime

/// Every command, in the order of the reference.
public enum Commands {
  /// The list.
  public static let all: [Command] = models + looking + TensorCommands.all + figures

  private static let models: [Command] = [
    .load, .resize, .models, .stages, .describe, .memory,
    .image, .scene, .tensors, .patchesUnder, .boxOf, .boxes, .iou,
    .preprocess, .patchify, .embed, .encode, .query, .project, .tokenize, .assemble, .decode,
    .nextToken, .run, .match,
    .chat, .makeContext, .fromListFormat, .decodeTokens, .stopWordsIDs, .generation,
    .applyChatTemplate, .gaze,
    .embedImage, .embedText, .read, .projectText, .similarity, .classify, .wordMap,
    .index, .search, .cluster, .map,
  ]

  private static let looking: [Command] = [
    .attention, .rollout, .compare, .bill, .show,
    .edit, .edits, .zeroChange, .scaleChange, .addChange, .replaceChange, .takeChange,
    .freezeChange, .maskChange,
  ]

  private static let figures: [Command] = [
    .grid, .heatmap, .overlay, .drawBoxes, .sheet, .queryMaps, .positionSimilarity, .tokenStrip,
    .histogram,
    .graph, .save,
  ]
}
