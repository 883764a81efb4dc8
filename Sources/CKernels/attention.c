// Attention of the query heads that share a key head, a few queries at a time: their scores, softmax
// and the values they gather stay in the first-level cache. Keys and values are read in pages, where a
// cache keeps them or where they were laid out just before. Scores and patterns are written out only
// where somebody wants them, and each row is computed in the same order whether they are or not,
// whatever rows are computed with it, however the tokens are spread over pages, and however many
// masked tokens follow.
#include "CKernels.h"
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("unroll")
#define ROWS 6
#define GROUP 16
#define MOST_VECTORS 8

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,avx2"))), apply_to = function)
#define LANES 16
#define VECTORS 4
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,fma,avx2")))
#define NAME rows_avx512
#define ELEMENT float
#define WIDENS 0
#include "attention_tiles.h"
#undef NAME
#undef ELEMENT
#undef WIDENS
#define NAME rows_avx512_bfloat16
#define ELEMENT uint16_t
#define WIDENS 1
#include "attention_tiles.h"
#undef NAME
#undef ELEMENT
#undef WIDENS
#pragma clang attribute pop
#undef LANES
#undef VECTORS
#undef TARGET
#define TARGET __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define TARGET
#endif

#define LANES 8
#define VECTORS 2
#define NAME rows_portable
#define ELEMENT float
#define WIDENS 0
#include "attention_tiles.h"
#undef NAME
#undef ELEMENT
#undef WIDENS
#define NAME rows_portable_bfloat16
#define ELEMENT uint16_t
#define WIDENS 1
#include "attention_tiles.h"

typedef struct {
  size_t depth, depth_stride, group_stride, columns;
  int accumulate;
} extent;

static void multiply(const ck_attention *a, size_t rows, const float *const *left,
                     const void *right, extent e, float *out, size_t out_stride) {
  const int isWide = a->element == CK_FLOAT32;
#define CALL(name) \
  name(rows, left, e.depth, right, e.depth_stride, e.group_stride, e.columns, e.accumulate, out, \
       out_stride)
#if defined(__x86_64__)
  if (a->instructions != CK_PORTABLE) {
    if (isWide) CALL(rows_avx512);
    else CALL(rows_avx512_bfloat16);
    return;
  }
#endif
  if (isWide) CALL(rows_portable);
  else CALL(rows_portable_bfloat16);
#undef CALL
}

static size_t padded(size_t count) { return (count + GROUP - 1) / GROUP * GROUP; }

static size_t size_of(ck_element element) { return element == CK_FLOAT32 ? 4 : 2; }

size_t ck_page_keys(size_t head_width, size_t tokens) { return head_width * padded(tokens); }
size_t ck_page_values(size_t head_width, size_t tokens) { return tokens * padded(head_width); }

static void put(void *to, ck_element element, size_t place, float number) {
  if (element == CK_FLOAT32) ((float *)to)[place] = number;
  else ck_float32_to_bfloat16(&number, (uint16_t *)to + place, 1);
}

void ck_put_keys(const float *keys, size_t stride, size_t head_width, size_t count, size_t first,
                 ck_element element, void *page) {
  for (size_t t = 0; t < count; t++) {
    const size_t token = first + t;
    const size_t block = token / GROUP * GROUP * head_width + token % GROUP;
    for (size_t c = 0; c < head_width; c++)
      put(page, element, block + c * GROUP, keys[t * stride + c]);
  }
}

void ck_put_values(const float *values, size_t stride, size_t head_width, size_t count,
                   size_t first, ck_element element, void *page) {
  const size_t width = padded(head_width), size = size_of(element);
  for (size_t t = 0; t < count; t++) {
    char *row = (char *)page + (first + t) * width * size;
    if (element == CK_FLOAT32) memcpy(row, values + t * stride, head_width * size);
    else ck_float32_to_bfloat16(values + t * stride, (uint16_t *)row, head_width);
    memset(row + head_width * size, 0, (width - head_width) * size);
  }
}

size_t ck_attention_scratch(const ck_attention *a) {
  const size_t laid_out = a->pages ? 0
                                   : ck_page_keys(a->head_width, a->token_count) +
                                         ck_page_values(a->head_width, a->token_count);
  return laid_out + ROWS * (padded(a->token_count) + padded(a->head_width));
}

// A key head's keys and values: the pages that are there, or one that is laid out in `scratch`.
typedef struct {
  const ck_page *pages;
  size_t count, key_head;
  ck_page one;
} source;

static void set_source(source *s, const ck_attention *a, size_t key_head, int keys, int values,
                       float **scratch) {
  if (a->pages) {
    s->pages = a->pages;
    s->count = a->page_count;
    s->key_head = key_head;
    return;
  }
  const size_t width = a->head_width, tokens = a->token_count;
  float *const k = *scratch, *const v = k + ck_page_keys(width, tokens);
  *scratch = v + ck_page_values(width, tokens);
  if (keys) {
    // Lanes behind the last token are computed and never looked at.
    for (size_t t = tokens / GROUP * GROUP; t < padded(tokens); t += GROUP)
      memset(k + t * width, 0, GROUP * width * sizeof(float));
    ck_put_keys(a->keys + key_head * width, a->key_stride, width, tokens, 0, CK_FLOAT32, k);
  }
  if (values)
    ck_put_values(a->values + key_head * width, a->value_stride, width, tokens, 0, CK_FLOAT32, v);
  s->one = (ck_page){.keys = k, .values = v, .token_count = tokens};
  s->pages = &s->one;
  s->count = 1;
  s->key_head = 0;
}

// The rows of a key head: its query heads one beside the other, query by query.
static size_t row_count(const ck_attention *a) { return a->query_count * a->heads_per_key; }
static size_t head_of(const ck_attention *a, size_t key_head, size_t row) {
  return key_head * a->heads_per_key + row % a->heads_per_key;
}
static size_t query_of(const ck_attention *a, size_t row) { return row / a->heads_per_key; }
static size_t place_of(const ck_attention *a, size_t key_head, size_t row) {
  return (head_of(a, key_head, row) * a->query_count + query_of(a, row)) * a->token_count;
}

static void score(const ck_attention *a, const source *s, size_t key_head, size_t first,
                  size_t rows, float *scores) {
  const size_t tokens = padded(a->token_count);
  const float *queries[ROWS];
  for (size_t r = 0; r < rows; r++)
    queries[r] = a->queries + query_of(a, first + r) * a->query_stride +
                 head_of(a, key_head, first + r) * a->head_width;
  size_t before = 0;
  for (size_t p = 0; p < s->count; p++) {
    const ck_page *page = s->pages + p;
    const char *keys =
        (const char *)page->keys + s->key_head * page->key_stride * size_of(a->element);
    const extent e = {a->head_width, GROUP, GROUP * a->head_width, padded(page->token_count), 0};
    multiply(a, rows, queries, keys, e, scores + before, tokens);
    before += page->token_count;
  }
  for (size_t r = 0; r < rows; r++) {
    float *row = scores + r * tokens;
    for (size_t t = 0; t < a->token_count; t++) row[t] *= a->scale;
    if (a->mask)
      ck_add_bias(row, a->mask + query_of(a, first + r) * a->mask_stride, 1, a->token_count);
  }
}

static void mix(const ck_attention *a, const source *s, size_t key_head, size_t first, size_t rows,
                const float *const *patterns, float *mixed) {
  const size_t width = padded(a->head_width);
  const float *left[ROWS];
  for (size_t r = 0; r < rows; r++) left[r] = patterns[r];
  for (size_t p = 0; p < s->count; p++) {
    const ck_page *page = s->pages + p;
    const char *values =
        (const char *)page->values + s->key_head * page->value_stride * size_of(a->element);
    const extent e = {page->token_count, width, GROUP, width, p > 0};
    multiply(a, rows, left, values, e, mixed, width);
    for (size_t r = 0; r < rows; r++) left[r] += page->token_count;
  }
  if (s->count == 0) memset(mixed, 0, rows * width * sizeof(float));
  for (size_t r = 0; r < rows; r++)
    memcpy(a->mixed + query_of(a, first + r) * a->mixed_stride +
               head_of(a, key_head, first + r) * a->head_width,
           mixed + r * width, a->head_width * sizeof(float));
}

void ck_attend(const ck_attention *a, size_t key_head, float *scratch) {
  source s;
  set_source(&s, a, key_head, 1, 1, &scratch);
  const size_t tokens = padded(a->token_count), all = row_count(a);
  float *scores = scratch, *mixed = scores + ROWS * tokens;
  for (size_t first = 0; first < all; first += ROWS) {
    const size_t rows = all - first < ROWS ? all - first : ROWS;
    score(a, &s, key_head, first, rows, scores);
    const float *patterns[ROWS];
    for (size_t r = 0; r < rows; r++) {
      float *row = scores + r * tokens;
      const size_t place = place_of(a, key_head, first + r);
      const size_t size = a->token_count * sizeof(float);
      if (a->scores) memcpy(a->scores + place, row, size);
      ck_softmax(row, row, 1, a->token_count);
      if (a->patterns) memcpy(a->patterns + place, row, size);
      patterns[r] = row;
    }
    mix(a, &s, key_head, first, rows, patterns, mixed);
  }
}

void ck_head_scores(const ck_attention *a, size_t key_head, float *scratch) {
  source s;
  set_source(&s, a, key_head, 1, 0, &scratch);
  const size_t tokens = padded(a->token_count), all = row_count(a);
  for (size_t first = 0; first < all; first += ROWS) {
    const size_t rows = all - first < ROWS ? all - first : ROWS;
    score(a, &s, key_head, first, rows, scratch);
    for (size_t r = 0; r < rows; r++)
      memcpy(a->scores + place_of(a, key_head, first + r), scratch + r * tokens,
             a->token_count * sizeof(float));
  }
}

void ck_head_mix(const ck_attention *a, size_t key_head, float *scratch) {
  source s;
  set_source(&s, a, key_head, 0, 1, &scratch);
  const size_t all = row_count(a);
  for (size_t first = 0; first < all; first += ROWS) {
    const size_t rows = all - first < ROWS ? all - first : ROWS;
    const float *patterns[ROWS];
    for (size_t r = 0; r < rows; r++) patterns[r] = a->patterns + place_of(a, key_head, first + r);
    mix(a, &s, key_head, first, rows, patterns, scratch);
  }
}
