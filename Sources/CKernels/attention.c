// Attention of one head, a few queries at a time: their scores, softmax and the values they gather
// stay in the first-level cache. Scores and patterns are written out only where somebody wants
// them, and each row is computed in the same order whether they are or not, whatever rows are
// computed with it, and however many masked tokens follow.
#include "CKernels.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("unroll")
#define ROWS 6
enum { PADDING = 16 };

#if defined(__x86_64__)
#define NAME rows_avx512
#define LANES 16
#define VECTORS 4
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,avx2")))
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,avx2"))), apply_to = function)
#include "attention_tiles.h"
#pragma clang attribute pop
#undef NAME
#undef LANES
#undef VECTORS
#undef TARGET
#define TARGET __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define TARGET
#endif

#define NAME rows_portable
#define LANES 8
#define VECTORS 2
#include "attention_tiles.h"

static void multiply(ck_instructions instructions, size_t rows, const float *left,
                     size_t left_stride, size_t depth, const float *right, size_t columns,
                     float *out) {
#if defined(__x86_64__)
  if (instructions != CK_PORTABLE)
    return rows_avx512(rows, left, left_stride, depth, right, columns, out);
#endif
  rows_portable(rows, left, left_stride, depth, right, columns, out);
}

static size_t padded(size_t count) { return (count + PADDING - 1) / PADDING * PADDING; }

size_t ck_attention_scratch(const ck_attention *a) {
  const size_t tokens = padded(a->token_count), width = padded(a->head_width);
  return a->head_width * tokens + a->token_count * width + ROWS * (tokens + width);
}

// keys^T of a head, [head_width, padded tokens].
static void pack_keys(const ck_attention *a, size_t head, float *packed) {
  const size_t tokens = padded(a->token_count);
  const float *keys = a->keys + head * a->head_width;
  for (size_t t = 0; t < tokens; t += PADDING)
    for (size_t c = 0; c < a->head_width; c++)
      for (size_t l = 0; l < PADDING; l++)
        packed[c * tokens + t + l] =
            t + l < a->token_count ? keys[(t + l) * a->key_stride + c] : 0;
}

// A head's values, [tokens, padded head_width].
static void pack_values(const ck_attention *a, size_t head, float *packed) {
  const size_t width = padded(a->head_width);
  for (size_t t = 0; t < a->token_count; t++) {
    const float *row = a->values + t * a->value_stride + head * a->head_width;
    memcpy(packed + t * width, row, a->head_width * sizeof(float));
    memset(packed + t * width + a->head_width, 0, (width - a->head_width) * sizeof(float));
  }
}

static void scale_and_mask(const ck_attention *a, size_t query, float *scores) {
  for (size_t t = 0; t < a->token_count; t++) scores[t] *= a->scale;
  if (a->mask) ck_add_bias(scores, a->mask + query * a->mask_stride, 1, a->token_count);
}

static void store_mixed(const ck_attention *a, size_t head, size_t first, size_t rows,
                        const float *mixed) {
  const size_t width = padded(a->head_width);
  for (size_t r = 0; r < rows; r++)
    memcpy(a->mixed + (first + r) * a->mixed_stride + head * a->head_width, mixed + r * width,
           a->head_width * sizeof(float));
}

void ck_attend(const ck_attention *a, size_t head, float *scratch) {
  const size_t tokens = padded(a->token_count), width = padded(a->head_width);
  float *keys = scratch, *values = keys + a->head_width * tokens;
  float *scores = values + a->token_count * width, *mixed = scores + ROWS * tokens;
  pack_keys(a, head, keys);
  pack_values(a, head, values);
  for (size_t first = 0; first < a->query_count; first += ROWS) {
    const size_t rows = a->query_count - first < ROWS ? a->query_count - first : ROWS;
    const float *queries = a->queries + first * a->query_stride + head * a->head_width;
    multiply(a->instructions, rows, queries, a->query_stride, a->head_width, keys, tokens, scores);
    for (size_t r = 0; r < rows; r++) {
      float *row = scores + r * tokens;
      const size_t place = (head * a->query_count + first + r) * a->token_count;
      const size_t size = a->token_count * sizeof(float);
      scale_and_mask(a, first + r, row);
      if (a->scores) memcpy(a->scores + place, row, size);
      ck_softmax(row, row, 1, a->token_count);
      if (a->patterns) memcpy(a->patterns + place, row, size);
    }
    multiply(a->instructions, rows, scores, tokens, a->token_count, values, width, mixed);
    store_mixed(a, head, first, rows, mixed);
  }
}

void ck_head_scores(const ck_attention *a, size_t head, float *scratch) {
  const size_t tokens = padded(a->token_count);
  float *keys = scratch, *scores = keys + a->head_width * tokens;
  pack_keys(a, head, keys);
  for (size_t first = 0; first < a->query_count; first += ROWS) {
    const size_t rows = a->query_count - first < ROWS ? a->query_count - first : ROWS;
    const float *queries = a->queries + first * a->query_stride + head * a->head_width;
    multiply(a->instructions, rows, queries, a->query_stride, a->head_width, keys, tokens, scores);
    for (size_t r = 0; r < rows; r++) {
      scale_and_mask(a, first + r, scores + r * tokens);
      memcpy(a->scores + (head * a->query_count + first + r) * a->token_count,
             scores + r * tokens, a->token_count * sizeof(float));
    }
  }
}

void ck_head_mix(const ck_attention *a, size_t head, float *scratch) {
  float *values = scratch, *mixed = values + a->token_count * padded(a->head_width);
  pack_values(a, head, values);
  for (size_t first = 0; first < a->query_count; first += ROWS) {
    const size_t rows = a->query_count - first < ROWS ? a->query_count - first : ROWS;
    multiply(a->instructions, rows,
             a->patterns + (head * a->query_count + first) * a->token_count, a->token_count,
             a->token_count, values, padded(a->head_width), mixed);
    store_mixed(a, head, first, rows, mixed);
  }
}
