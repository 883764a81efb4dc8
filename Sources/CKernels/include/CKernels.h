#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "CQuantized.h"
#include "CRandom.h"

// Loops that no library here offers. Every function writes only to `out`, which must not overlap
// an input unless the comment says so; but for the threads of `ck_parallel` nothing is kept, and
// nothing can fail.
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

/// The instructions that products use.
typedef enum { CK_PORTABLE, CK_AVX512, CK_AVX512_BFLOAT16, CK_AMX } ck_instructions;
/// The types that weights are stored in.
typedef enum { CK_FLOAT32, CK_FLOAT16, CK_BFLOAT16, CK_INT8 } ck_element;
/// What is done to a product's result, element by element.
typedef enum {
  CK_IDENTITY, CK_GELU, CK_QUICK_GELU, CK_RELU, CK_SILU, CK_GELU_TANH
} ck_activation;

/// The best instructions that this CPU has.
ck_instructions ck_best_instructions(void);

/// How many bytes x[rows, columns] takes when packed for `ck_multiply` by weights of this type, and
/// in how many panels it is packed. `rounds` says whether both sides of the product are rounded to
/// bfloat16.
size_t ck_packed_size(ck_instructions instructions, int rounds, ck_element element, size_t rows,
                      size_t columns);
size_t ck_panel_count(ck_instructions instructions, int rounds, ck_element element, size_t rows);

/// Packs one panel of x[rows, columns] into `packed`, 64 bytes aligned.
void ck_pack_panel(ck_instructions instructions, int rounds, ck_element element, const float *x,
                   size_t rows, size_t columns, size_t panel, void *packed);

/// out[r, first + n] = activation(scales[first + n] * sum over c of x[r, c] * weights[first + n, c]
/// + bias[first + n]) for n < count, where rows of `out` lie `out_stride` floats apart; `scales` and
/// `bias` may be null. `weights` is row-major at any alignment. Rows `next_first` to
/// `next_first + next_count` are those that the thread will multiply next. `scratch` has as many bytes
/// as `ck_scratch_size` says, 64 bytes aligned.
size_t ck_scratch_size(ck_instructions instructions, int rounds, ck_element element, size_t rows,
                       size_t columns, size_t count);
void ck_multiply(ck_instructions instructions, int rounds, const void *packed, size_t rows,
                 size_t columns, const void *weights, ck_element element, const float *scales,
                 size_t first, size_t count, size_t next_first, size_t next_count,
                 const float *bias, ck_activation activation, float *out, size_t out_stride,
                 void *scratch);

/// data[rows, columns] = activation(data + bias), where rows lie `stride` floats apart and `bias` may
/// be null.
void ck_finish(float *data, size_t stride, size_t rows, size_t columns, const float *bias,
               ck_activation activation);

/// Some tokens' keys and values, as attention reads them: of each key head, keys in blocks of 16
/// tokens, each [head_width, 16], and values a row a token, [tokens, head_width rounded up to 16].
/// Key heads lie the strides apart, in elements. Blocks are whole: lanes without a token are finite
/// and never looked at. All pages but the last hold a multiple of 16 tokens.
typedef struct {
  const void *keys, *values;
  size_t key_stride, value_stride;
  size_t token_count;
} ck_page;

/// How many elements the keys and the values of a key head take in a page of so many tokens.
size_t ck_page_keys(size_t head_width, size_t tokens);
size_t ck_page_values(size_t head_width, size_t tokens);

/// Writes keys or values of `count` tokens, rows `stride` floats apart, into a key head's part of a
/// page, from its token number `first` on; rounded where `element` is CK_BFLOAT16.
void ck_put_keys(const float *keys, size_t stride, size_t head_width, size_t count, size_t first,
                 ck_element element, void *page);
void ck_put_values(const float *values, size_t stride, size_t head_width, size_t count,
                   size_t first, ck_element element, void *page);

/// Multi-head attention: what it reads and where it writes. Rows lie the strides apart, in floats;
/// head h has channels h * head_width and on of each row, and looks at key head h / heads_per_key.
typedef struct {
  ck_instructions instructions;
  size_t query_count, token_count, head_width, heads_per_key;
  const float *queries;
  size_t query_stride;
  /// Keys and values in pages of `element`s; or null, and they lie in rows of floats.
  const ck_page *pages;
  size_t page_count;
  ck_element element;
  const float *keys, *values;
  size_t key_stride, value_stride;
  float scale;
  /// Added to the scaled scores, a row a query, or the same row for all where the stride is 0; or
  /// null.
  const float *mask;
  size_t mask_stride;
  /// [heads, queries, tokens]: before and after softmax.
  float *scores, *patterns;
  float *mixed;
  size_t mixed_stride;
} ck_attention;

/// How many floats of scratch the functions below need.
size_t ck_attention_scratch(const ck_attention *attention);

/// All heads of a key head from queries to `mixed`; `scores` and `patterns` are written unless null.
void ck_attend(const ck_attention *attention, size_t key_head, float *scratch);

/// They from queries to `scores`, and from `patterns` to `mixed`, each as in `ck_attend`.
void ck_head_scores(const ck_attention *attention, size_t key_head, float *scratch);
void ck_head_mix(const ck_attention *attention, size_t key_head, float *scratch);

/// Calls `body(context, index)` for each index below `count`, on up to `threads` threads with the
/// caller's. Where another loop is running, the caller does all of it alone.
void ck_parallel(size_t count, size_t threads, void (*body)(void *, size_t), void *context);

/// out[rows, columns] = softmax of each row of `in`. May run in place. A row whose entries are all
/// negative infinity becomes zeros; a NaN in a row makes that row NaN.
void ck_softmax(const float *in, float *out, size_t rows, size_t columns);

/// out[rows, columns] = (in - mean) / sqrt(variance + epsilon) * scale + shift for each row, with
/// the biased variance. May run in place.
void ck_layer_norm(const float *in, const float *scale, const float *shift, float epsilon,
                   float *out, size_t rows, size_t columns);

/// out[rows, columns] = x / sqrt(mean of x^2 + epsilon) * scale for each row. May run in place.
void ck_rms_norm(const float *in, const float *scale, float epsilon, float *out, size_t rows,
                 size_t columns);

/// Turns the first `turned` channels of each of `heads` heads of `head_width`: channel i < turned / 2
/// and its partner i + turned / 2 by the angle whose cosines and sines are [rows, turned]. Rows of
/// `in` lie `stride` floats apart, those of `out` `heads * head_width`.
void ck_rotate(const float *in, size_t stride, size_t rows, size_t heads, size_t head_width,
               size_t turned, const float *cosines, const float *sines, float *out);

/// out[count] = x / 2 * (1 + erf(x / sqrt 2)), within 3e-7 of the exact value relative to
/// max(1, |x|). May run in place.
void ck_gelu(const float *in, float *out, size_t count);

/// out[count] = x / (1 + e^(-1.702 x)). May run in place.
void ck_quick_gelu(const float *in, float *out, size_t count);

/// out[count] = x / (1 + e^-x). May run in place.
void ck_silu(const float *in, float *out, size_t count);

/// out[count] = x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). May run in place.
void ck_gelu_tanh(const float *in, float *out, size_t count);

/// out[count] = a * b. May run in place.
void ck_multiply_elements(const float *a, const float *b, float *out, size_t count);

/// out[count] = max(x, 0), a NaN staying one. May run in place.
void ck_relu(const float *in, float *out, size_t count);

/// out[count] = a + b. May run in place.
void ck_add(const float *a, const float *b, float *out, size_t count);

/// data[rows, columns] += bias[columns] in each row.
void ck_add_bias(float *data, const float *bias, size_t rows, size_t columns);

/// The same numbers in the other precision.
void ck_float32_to_float64(const float *in, double *out, size_t count);
void ck_float64_to_float32(const double *in, float *out, size_t count);

/// The functions of the same names computed in double precision, slowly.
void ck_softmax_double(const float *in, float *out, size_t rows, size_t columns);
void ck_layer_norm_double(const float *in, const float *scale, const float *shift, float epsilon,
                          float *out, size_t rows, size_t columns);
void ck_rms_norm_double(const float *in, const float *scale, float epsilon, float *out, size_t rows,
                        size_t columns);
void ck_silu_double(const float *in, float *out, size_t count);
void ck_gelu_tanh_double(const float *in, float *out, size_t count);
void ck_gelu_double(const float *in, float *out, size_t count);
void ck_quick_gelu_double(const float *in, float *out, size_t count);

/// Does `turns` rounds of multiply-adds on registers, as wide as this CPU has them, and gives the
/// number of floating-point operations that it did: float32, and bfloat16 in tiles or pairs where
/// the CPU has them (else float32).
size_t ck_peak_float32(size_t turns);
size_t ck_peak_bfloat16(size_t turns);

/// Reads `count` bytes, once.
void ck_read(const void *start, size_t count);

/// Asks the allocator to keep up to 256 MB of freed memory for the next tensors.
void ck_keep_freed_memory(void);

/// Hands the system what the allocator keeps of freed memory.
void ck_return_freed_memory(void);

/// Makes all threads take small things from one place, so that none reserves addresses of its own.
void ck_share_one_arena(void);

#endif
