#ifndef CQUANTIZED_H
#define CQUANTIZED_H

#include <stddef.h>
#include <stdint.h>

// Weights as small integers. As in CKernels.h, nothing is allocated or kept, nothing can fail, and
// every sum runs in an order that depends on the sizes alone.

/// The instructions to use, the best last.
typedef enum {
  CK_QUANTIZED_PORTABLE,
  CK_QUANTIZED_AVX2,
  CK_QUANTIZED_AVX512,
  CK_QUANTIZED_VNNI
} ck_quantized_path;

/// Whether this processor has the instructions.
int ck_quantized_path_is_available(ck_quantized_path path);

/// A matrix of integers in groups along the input, in the published packing of GPTQ.
///
/// A word holds 32 / bits integers of neighbouring inputs of one output, the lowest bits first; the
/// words of all outputs for the same inputs lie side by side. The weight is
/// scale * (integer - (zero + 1)), where scale and zero belong to the output and the input's group.
/// The three parts may lie at any alignment.
typedef struct {
  const void *words;   // uint32 [words a column, outputs], words a column = ceil(inputs * bits / 32)
  const void *zeros;   // uint32 [groups, ceil(outputs * bits / 32)], packed along the outputs
  const void *scales;  // float16 or float32 [groups, outputs]
  size_t inputs;
  size_t outputs;
  size_t group;         // inputs a group, a multiple of the inputs a word unless there is one group
  int bits;             // 4 or 8
  int scales_are_wide;  // whether they are float32
} ck_groups;

/// What a span of up to 128 activations of one group has in common.
typedef struct {
  float step;       // an activation is step * (65536 a + 256 b + c) with digits a, b, c; NaN where
                    // one of them is not finite
  int32_t sums[3];  // the sums of a, of b and of c
} ck_span_of_digits;

/// Splits activations, padded with zeros to whole words, into digits for `ck_groups_multiply`:
/// digits[words a column, bits == 4 ? 6 : 3], and a span for each 128 inputs of each group.
void ck_split_digits(const float *x, size_t inputs, size_t group, int bits, int32_t *digits,
                     ck_span_of_digits *spans);

/// out[r, i - first] = sum over inputs k of weight[i, k] * x[r, k], for `count` outputs i from
/// `first` on, a multiple of 8; x as digits. Rows of x lie `digit_stride` digits and `span_stride`
/// spans apart, rows of `out` `out_stride` floats. The bits do not depend on the path, nor on where
/// bands end, nor on what other rows there are.
void ck_groups_multiply(const ck_groups *weight, const int32_t *digits, size_t digit_stride,
                        const ck_span_of_digits *spans, size_t span_stride, size_t rows,
                        size_t first, size_t count, ck_quantized_path path, float *out,
                        size_t out_stride);

/// Whether this processor multiplies pairs of bfloat16 numbers.
int ck_pairs_are_available(void);

/// Rows of activations whose pairs lie side by side.
enum { CK_PAIR_LINES = 6 };

/// Rounds row `line` of `lines` rows of activations, padded with zeros to whole words, to bfloat16 for
/// `ck_pairs_multiply`: pairs[words a column, 4, lines] in the order of that product, and
/// sums[span, lines] of each 128 inputs of each group of 4-bit integers.
void ck_pair_up(const float *x, size_t inputs, size_t group, size_t lines, size_t line,
                uint32_t *pairs, float *sums);

/// out[r, i - first] = sum over inputs k of weight[i, k] * x[r, k], for `count` outputs i from `first`
/// on, a multiple of 16; integers of 4 bits, x as pairs. Rows of `out` lie `out_stride` floats apart. The
/// bits do not depend on where bands end, nor on what other rows there are.
void ck_pairs_multiply(const ck_groups *weight, const uint32_t *pairs, const float *sums,
                       size_t lines, size_t first, size_t count, float *out, size_t out_stride);

/// out[count, inputs] = the weights of `count` outputs from `first` on, a row an output.
void ck_groups_to_float32(const ck_groups *weight, size_t first, size_t count, float *out);

/// out[words a column, outputs] = the same integers with input `from[i]` of `words` at place i, or
/// with input i at place `from[i]` if `backwards`; `from` is a permutation of the inputs.
void ck_groups_reorder(const void *words, const int32_t *from, int backwards, size_t inputs,
                       size_t outputs, int bits, uint32_t *out);

/// Packs `count` rows of weights, outputs `first` and on of a matrix of 4-bit integers whose parts
/// are `words`, `zeros` and float16 `scales` as in ck_groups, zero before. `first` and, except for
/// the last outputs, `count` are multiples of 8. `steps` ranges are tried for each group, shrunk
/// from the whole one by 1/32 each time, then fitted; the one of the least squared error wins. A group
/// that is not finite, or too wide for every scale in float16, becomes NaN.
void ck_groups_pack(const float *rows, size_t count, size_t inputs, size_t outputs, size_t first,
                    size_t group, size_t steps, uint32_t *words, uint32_t *zeros, uint16_t *scales);

/// out[count] = scale * weight.
void ck_int8_to_float32(const void *weight, float scale, float *out, size_t count);

/// The number formats that scales of rows are rounded to.
enum ck_scale_type { CK_SCALE_FLOAT32, CK_SCALE_FLOAT16, CK_SCALE_BFLOAT16 };

/// out[count] = in / scale rounded to integers, ties to even, where *scale = max |in| / 127, rounded to `type`.
void ck_int8_pack(const float *in, int8_t *out, float *scale, size_t count, enum ck_scale_type type);

#endif
