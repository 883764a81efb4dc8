internal import Foundation
public import Images

/// How a model's pictures are prepared, and where that is written.
public struct PictureSettings: Sendable, Equatable {
  /// What is done to a picture.
  public internal(set) var preprocessing: Preprocessing
  /// The file that says so, and the part of it; that nothing does where all is assumed.
  public private(set) var source: String
  /// What to know of it: a file that is missing, keys that nobody knows.
  let notes: [String]

  init(_ preprocessing: Preprocessing, source: String, notes: [String] = []) {
    (self.preprocessing, self.source, self.notes) = (preprocessing, source, notes)
  }

  /// The same for another square size.
  ///
  /// - Throws: `ModelError.badSize` for a size that holds no whole patches.
  func resized(to side: Int, patchSize: Int) throws -> PictureSettings {
    var settings = self
    settings.preprocessing = try preprocessing.resized(to: side, patchSize: patchSize)
    settings.noteChange()
    return settings
  }

  /// The same for pictures that are split into views, or are not.
  func splitting(_ splits: Bool) throws -> PictureSettings {
    var settings = self
    settings.preprocessing = try preprocessing.splitting(splits)
    settings.noteChange()
    return settings
  }

  /// Says that not all is as the file has it.
  private mutating func noteChange() {
    let words = ", changed by resize()"
    if !source.hasSuffix(words) { source += words }
  }

  /// The settings in a line, the file that they came from at its end.
  var fact: Fact { Fact("prepared", preprocessing.inWords + "; " + source) }
}

extension Preprocessing {
  /// What is done, in order.
  var inWords: String {
    var steps = splits ? ["split into quarters and the whole"] : []
    let name = "\(filter)"
    switch target {
    case .exactly(let size): steps.append("resized to \(size) (\(name))")
    case .shortestEdge(let side): steps.append("shorter side to \(side) (\(name))")
    case .longestEdge(let longest, let least):
      steps.append("longer side at most \(longest), either at least \(least) (\(name))")
    case nil: break
    }
    if let crop { steps.append("the middle \(crop) cut out") }
    if conversion == .afterResizing { steps.append("then made RGB") }
    if let rescaleFactor {
      let inverse = 1 / rescaleFactor
      steps.append(
        abs(inverse - inverse.rounded()) < 1e-9 * inverse
          ? "divided by \(Int(inverse.rounded()))" : "times \(rescaleFactor)")
    }
    if let normalisation {
      steps.append("mean \(Self.list(normalisation.mean))")
      steps.append("deviation \(Self.list(normalisation.deviation))")
    }
    return steps.joined(separator: ", ")
  }

  private static func list(_ numbers: [Double]) -> String {
    let isOne = numbers.allSatisfy { $0 == numbers.first }
    return (isOne ? Array(numbers.prefix(1)) : numbers).map {
      "\(($0 * 10_000).rounded() / 10_000)"
    }.joined(separator: " ")
  }

  /// The same for pictures that are split into views, or are not.
  func splitting(_ splits: Bool) throws -> Preprocessing {
    try Preprocessing(
      target: target, filter: filter, crop: crop, cropRounding: cropRounding,
      rescaleFactor: rescaleFactor, normalisation: normalisation, transparency: transparency,
      conversion: conversion, splits: splits)
  }

  /// The same for another square size: target and crop grow together.
  ///
  /// - Throws: `ModelError.badSize` for a size that holds no whole patches.
  func resized(to side: Int, patchSize: Int) throws -> Preprocessing {
    guard side >= patchSize, side.isMultiple(of: patchSize), side <= 64 * patchSize
    else {
      throw ModelError.badSize(found: side, patchSize: patchSize)
    }
    let size = PixelSize(width: side, height: side)
    func scaled(_ edge: Int, by old: Int) -> Int { (edge * side + old / 2) / old }
    let target: Target? =
      switch (target, crop) {
      case (.shortestEdge(let edge), let crop):
        .shortestEdge(crop.map { scaled(edge, by: $0.width) } ?? side)
      case (.exactly(let old), let crop?):
        .exactly(
          PixelSize(
            width: scaled(old.width, by: crop.width), height: scaled(old.height, by: crop.height)))
      case (.longestEdge(_, let least), _): .longestEdge(side, atLeast: min(least, side))
      case (.exactly, nil), (nil, _): .exactly(size)
      }
    return try Preprocessing(
      target: target, filter: filter, crop: crop == nil ? nil : size, cropRounding: cropRounding,
      rescaleFactor: rescaleFactor, normalisation: normalisation, transparency: transparency,
      conversion: conversion, splits: splits)
  }
}
