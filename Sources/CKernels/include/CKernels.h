#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CQuantized.h"

// Loops that no library here offers. Every function writes only to `out`, which must not overlap
// an input unless the comment says so; nothing is allocated or kept, and nothing can fail.
// The instruction set (AVX-512, AVX2 with FMA, or the baseline) is chosen when the program is
// loaded. Every sum runs in an order that depends on the sizes alone.

/// out[count] = the IEEE half-precision numbers at `in` (any alignment) as floats.
void ck_float16_to_float32(const void *in, float *out, size_t count);

/// out[count] = the bfloat16 numbers at `in` (any alignment) as floats.
void ck_bfloat16_to_float32(const void *in, float *out, size_t count);

/// out[count] = the floats at `in` rounded to IEEE half precision, ties to even.
void ck_float32_to_float16(const float *in, uint16_t *out, size_t count);

/// out[count] = the floats at `in` rounded to bfloat16, ties to even; a NaN stays one.
void ck_float32_to_bfloat16(const float *in, uint16_t *out, size_t count);

/// out[count] = the floats at `in` rounded to bfloat16 and widened again. May run in place.
void ck_round_to_bfloat16(const float *in, float *out, size_t count);

/// out[r] = sum over c of weight[r, c] * x[c], for `rows` rows of `columns` numbers.
/// `weight` is row-major float32, float16 or bfloat16, by the function's name, at any alignment.
void ck_matvec_float32(const void *weight, const float *x, float *out, size_t rows, size_t columns);
void ck_matvec_float16(const void *weight, const float *x, float *out, size_t rows, size_t columns);
void ck_matvec_bfloat16(const void *weight, const float *x, float *out, size_t rows,
                        size_t columns);

/// out[rows, columns] = softmax of each row of `in`. May run in place. A row whose entries are all
/// negative infinity becomes zeros; a NaN in a row makes that row NaN.
void ck_softmax(const float *in, float *out, size_t rows, size_t columns);

/// out[rows, columns] = (in - mean) / sqrt(variance + epsilon) * scale + shift for each row, with
/// the biased variance. May run in place.
void ck_layer_norm(const float *in, const float *scale, const float *shift, float epsilon,
                   float *out, size_t rows, size_t columns);

/// out[count] = x / 2 * (1 + erf(x / sqrt 2)), within 3e-7 of the exact value relative to
/// max(1, |x|). May run in place.
void ck_gelu(const float *in, float *out, size_t count);

/// out[count] = x / (1 + e^(-1.702 x)). May run in place.
void ck_quick_gelu(const float *in, float *out, size_t count);

/// data[rows, columns] += bias[columns] in each row.
void ck_add_bias(float *data, const float *bias, size_t rows, size_t columns);

/// The same numbers in the other precision.
void ck_float32_to_float64(const float *in, double *out, size_t count);
void ck_float64_to_float32(const double *in, float *out, size_t count);

/// The functions of the same names computed in double precision, slowly.
void ck_softmax_double(const float *in, float *out, size_t rows, size_t columns);
void ck_layer_norm_double(const float *in, const float *scale, const float *shift, float epsilon,
                          float *out, size_t rows, size_t columns);
void ck_gelu_double(const float *in, float *out, size_t count);
void ck_quick_gelu_double(const float *in, float *out, size_t count);

/// Asks the allocator to keep up to 256 MB of freed memory for the next tensors.
void ck_keep_freed_memory(void);

#endif
