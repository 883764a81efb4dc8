public import Tensors

/// What is done to the numbers that pass a place: to all of them, or to those at some indices.
///
/// A token, query or key is told by its position in the whole sequence, so an alteration means the same
/// while a prompt is read at once and while tokens follow one by one.
public struct Alteration: Sendable {
  /// What becomes of a number.
  public enum Action: Sendable {
    /// It is multiplied; by 0 whatever it was becomes 0. In scores, what is masked stays so.
    case scale(Float)
    /// A number of a tensor, times a factor, is added to it.
    case add(Source, by: Float)
    /// A number of a tensor stands in its place.
    case put(Source)
    /// Of scores: negative infinity stands in its place; where queries look at their own sequence,
    /// except where one looks at itself.
    case hide(isOwnSequence: Bool)
  }

  /// Where the numbers come from that are added or put.
  public enum Source: Sendable {
    /// A tensor of the place's own shape; positions that it does not have are left alone.
    case whole(Tensor)
    /// A tensor `[C]`, for every row of the last axis, positions behind its end left alone; `[1]` for
    /// every number.
    case row(Tensor)
  }

  /// The indices on each axis of the place; nil for all.
  public let indices: [[Int]?]
  /// What is done there.
  public let action: Action

  /// Does something at the numbers whose indices stand in `indices`, an entry an axis, nil for all.
  public init(at indices: [[Int]?], _ action: Action) {
    (self.indices, self.action) = (indices, action)
  }

  /// The tensor, altered.
  ///
  /// - Parameter first: the position in the sequence of its first token or query.
  func callAsFunction(_ tensor: Tensor, axes: [Axis], first: Int) -> Tensor {
    var elements = tensor.elements
    let shape = tensor.shape
    let offsets = axes.map { $0 == .token || $0 == .query ? first : 0 }
    let chosen = axes.indices.map { axis in
      let all = 0..<shape[axis]
      return (indices[axis] ?? all.map { $0 + offsets[axis] })
        .filter { all.contains($0 - offsets[axis]) }
    }
    guard !chosen.contains(where: \.isEmpty) else { return tensor }
    let (query, key) = (axes.firstIndex(of: .query), axes.firstIndex(of: .key))
    let isOfPairs = query != nil && key != nil
    var places = chosen.map { _ in 0 }
    var index = chosen.map { $0[0] }
    while true {
      var offset = 0
      for axis in shape.indices {
        offset = offset * shape[axis] + index[axis] - offsets[axis]
      }
      switch action {
      case .scale(let factor):
        let isMasked = isOfPairs && elements[offset] == -.infinity
        if !isMasked { elements[offset] = factor == 0 ? 0 : elements[offset] * factor }
      case .add(let source, let factor):
        // What a mask forbids stays forbidden, whatever is added.
        if let number = source[index], elements[offset] != -.infinity, factor != 0 {
          elements[offset] += factor * number
        }
      case .put(let source):
        if let number = source[index] { elements[offset] = number }
      case .hide(let isOwnSequence):
        let isItself = query.flatMap { q in key.map { index[q] == index[$0] } } ?? false
        if !(isOwnSequence && isItself) { elements[offset] = -.infinity }
      }
      var axis = places.count - 1
      while axis >= 0 {
        places[axis] += 1
        if places[axis] == chosen[axis].count { places[axis] = 0 }
        index[axis] = chosen[axis][places[axis]]
        if places[axis] > 0 { break }
        axis -= 1
      }
      if axis < 0 { return Tensor(elements, shape: shape) }
    }
  }
}

extension Alteration.Source {
  /// The number for an index of the whole sequence; nil where there is none.
  fileprivate subscript(index: [Int]) -> Float? {
    switch self {
    case .row(let row):
      guard row.count > 1, let place = index.last else { return row.elements.first }
      return place < row.count ? row.elements[place] : nil
    case .whole(let tensor):
      var offset = 0
      for (axis, place) in index.enumerated() {
        guard place < tensor.shape[axis] else { return nil }
        offset = offset * tensor.shape[axis] + place
      }
      return tensor.elements[offset]
    }
  }
}
