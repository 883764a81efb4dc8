/// How numbers are multiplied and added up.
public enum Arithmetic: String, Sendable, CaseIterable {
  /// Products and sums to the accuracy of float32, whatever type the weights are stored in.
  case float32
  /// Both sides of a product with weights rounded to bfloat16, their products exact, their sums
  /// in float32. Everything but products with weights is float32.
  case bfloat16
  /// Every product, sum, softmax and norm in double precision, the results rounded to float32:
  /// slow, to measure the others by.
  case float64

  /// What every product in the current task obeys, whatever its weights ask for; nil leaves it to
  /// them.
  @TaskLocal public static var override: Arithmetic?
}
