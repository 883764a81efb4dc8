/// What something is going to take, in memory, and why.
public struct MemoryEstimate: Sendable, Equatable {
  /// One reason, such as `converted weights`, and its bytes.
  public struct Part: Sendable, Equatable {
    /// What takes them.
    public let what: String
    /// How many.
    public let byteCount: Int

    /// A reason and its bytes.
    public init(_ what: String, _ byteCount: Int) {
      (self.what, self.byteCount) = (what, byteCount)
    }
  }

  /// The parts, the largest named first in messages.
  public var parts: [Part]

  /// Bytes of mapped files that are read on the way: told, and not counted, because the system can
  /// drop them.
  public var mappedByteCount = 0

  /// An estimate of parts.
  public init(_ parts: [Part]) { self.parts = parts.filter { $0.byteCount > 0 } }

  /// All parts and a tenth for what was forgotten.
  public var byteCount: Int {
    parts.reduce(0) { sum, part in
      let (next, overflow) = sum.addingReportingOverflow(part.byteCount)
      let (more, tooMuch) = next.addingReportingOverflow(part.byteCount / 10)
      return overflow || tooMuch ? .max : more
    }
  }

  /// Refuses where that is more than there is.
  ///
  /// - Throws: `MemoryShortage` with both numbers and `suggestion`.
  public func check(
    of subject: String, suggestion: String, available: Int = AvailableMemory.byteCount
  ) throws(MemoryShortage) {
    if byteCount > available {
      throw MemoryShortage(
        subject: subject, estimate: self, available: available, suggestion: suggestion)
    }
  }
}

/// Less memory than something is going to take; nothing was begun.
public struct MemoryShortage: Error, Equatable, CustomStringConvertible {
  /// What was asked for, such as `load`.
  public let subject: String
  /// What it would take.
  public let estimate: MemoryEstimate
  /// What there is.
  public let available: Int
  /// What to do.
  public let suggestion: String

  /// A refusal.
  public init(subject: String, estimate: MemoryEstimate, available: Int, suggestion: String) {
    (self.subject, self.estimate) = (subject, estimate)
    (self.available, self.suggestion) = (available, suggestion)
  }

  /// The sentence shown to people.
  public var description: String {
    let parts = estimate.parts.sorted { $0.byteCount > $1.byteCount }
      .map { "\($0.what) \($0.byteCount.asByteCount)" }.joined(separator: ", ")
    let mapped =
      estimate.mappedByteCount > 0
      ? " beside weights of \(estimate.mappedByteCount.asByteCount) in their files" : ""
    return "\(subject) needs about \(estimate.byteCount.asByteCount) (\(parts))\(mapped), but "
      + "\(available.asByteCount) can be had; \(suggestion)"
  }
}
