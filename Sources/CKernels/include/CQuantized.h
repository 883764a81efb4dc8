#ifndef CQUANTIZED_H
#define CQUANTIZED_H

#include <stddef.h>
#include <stdint.h>

// Weights as small integers. As in CKernels.h, nothing is allocated or kept, nothing can fail, and
// every sum runs in an order that depends on the sizes alone.

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

/// out[i - first] = sum over inputs k of weight[i, k] * x[k], for `count` outputs i from `first` on.
/// `x` is padded with zeros to whole words; sums[g] is the sum of x over group g.
void ck_groups_matvec(const ck_groups *weight, const float *x, const float *sums, size_t first,
                      size_t count, float *out);

/// sums[g] = the sum of x over each group of `group` of its `inputs`.
void ck_group_sums(const float *x, size_t inputs, size_t group, float *sums);

/// out[count, inputs] = the weights of `count` outputs from `first` on, a row an output.
void ck_groups_to_float32(const ck_groups *weight, size_t first, size_t count, float *out);

/// Packs `count` rows of weights, outputs `first` and on of a matrix of 4-bit integers whose parts
/// are `words`, `zeros` and float16 `scales` as in ck_groups, zero before. `first` and, except for
/// the last outputs, `count` are multiples of 8. `steps` ranges are tried for each group, shrunk
/// from the whole one by 1/32 each time; the one of the least squared error wins.
void ck_groups_pack(const float *rows, size_t count, size_t inputs, size_t outputs, size_t first,
                    size_t group, size_t steps, uint32_t *words, uint32_t *zeros, uint16_t *scales);

/// out[r] = scales[r] * sum over c of weight[r, c] * x[c].
void ck_int8_matvec(const void *weight, const float *scales, const float *x, float *out, size_t rows,
                    size_t columns);

/// out[count] = scale * weight.
void ck_int8_to_float32(const void *weight, float scale, float *out, size_t count);

/// out[count] = in / scale rounded to integers, ties to even, where *scale = max |in| / 127.
void ck_int8_pack(const float *in, int8_t *out, float *scale, size_t count);

#endif
