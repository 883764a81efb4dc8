#include "groups.h"

// Activations in bfloat16 by 4-bit integers in groups.
//
// An integer less 8 is a bfloat16 number exactly, so nothing about the weights is rounded: pairs of
// them are multiplied by pairs of activations, and the sum of up to 128 inputs of one group is scaled
// once. Lanes are outputs. A sum runs along the inputs, in an order that depends on the sizes alone,
// so that a row of the result has the same bits whatever rows are computed with it.
//
// One row of activations reads the integers where they lie. Several share a panel: 64 outputs' integers
// of a span are made bfloat16 once, stay in the first-level cache, and all rows pass by.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#include <immintrin.h>

#define PAIRS "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,f16c,fma"
#define INSIDE static inline __attribute__((always_inline, target(PAIRS)))
#define UNROLLED _Pragma("clang loop unroll(full)") for

// Inputs whose products are added before they are scaled, and words that hold them.
enum { SPAN = 128, WORDS = SPAN / 8 };
// Vectors of 16 outputs, and rows of activations, of a tile.
enum { VECTORS = 4, LINES = CK_PAIR_LINES };
// Rows of activations whose sums are kept together.
enum { CHUNK = 32 * LINES };

int ck_pairs_are_available(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512bf16");
}

// Activations lie as a panel takes them, so that they pass by in one stream: span by span, in each LINES
// rows at a time, in those pair by pair.
__attribute__((target(PAIRS))) void ck_pair_up(const float *x, size_t inputs, size_t group,
                                               size_t lines, size_t line, uint32_t *pairs,
                                               float *sums) {
  const size_t first = line / LINES * LINES, together = smaller(LINES, lines - first);
  for (size_t start = 0; start < inputs; start += group)
    for (size_t k = start; k < smaller(inputs, start + group); k += SPAN, sums += lines) {
      const size_t end = smaller(smaller(inputs, start + group), k + SPAN);
      const size_t words = (end - k + 7) / 8;
      uint32_t *to = pairs + first * words * 4 + (line - first);
      __m256 parts = _mm256_setzero_ps();
      for (size_t i = k; i < end; i += 8) {
        const __mmask8 mask = (__mmask8)((1u << smaller(8, end - i)) - 1);
        const __m128i rounded = (__m128i)_mm256_cvtneps_pbh(_mm256_maskz_loadu_ps(mask, x + i));
        const __m256i widened = _mm256_slli_epi32(_mm256_cvtepu16_epi32(rounded), 16);
        parts = _mm256_add_ps(parts, _mm256_castsi256_ps(widened));
        uint32_t four[4];
        _mm_storeu_si128((void *)four,
                         _mm_unpacklo_epi16(rounded, _mm_unpackhi_epi64(rounded, rounded)));
        for (size_t j = 0; j < 4; j++, to += together) *to = four[j];
      }
      float p[8];
      _mm256_storeu_ps(p, parts);
      sums[line] = ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
      pairs += words * 4 * lines;
    }
}

/// 0 to 15 less 8 as bfloat16, twice: the fifth bit of an index belongs to a neighbour.
INSIDE __m512i numbers(void) {
  static const uint16_t table[32] __attribute__((aligned(64))) = {
      0xC100, 0xC0E0, 0xC0C0, 0xC0A0, 0xC080, 0xC040, 0xC000, 0xBF80, 0,      0x3F80, 0x4000,
      0x4040, 0x4080, 0x40A0, 0x40C0, 0x40E0, 0xC100, 0xC0E0, 0xC0C0, 0xC0A0, 0xC080, 0xC040,
      0xC000, 0xBF80, 0,      0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0, 0x40E0};
  return _mm512_load_si512(table);
}

/// Integers j and j + 4 of each word, less 8.
INSIDE __m512i pair_of(__m512i word, __m512i table, unsigned j) {
  return _mm512_permutexvar_epi16(_mm512_srli_epi32(word, 4 * j), table);
}

INSIDE __mmask16 mask_of(size_t count) {
  return count >= 16 ? 0xFFFF : (__mmask16)((1u << count) - 1);
}

/// What makes weights of 16 outputs' integers less 8.
typedef struct {
  __m512 scale, shift;
} steps;

/// A group's scales, and how far its zero points are from 8, for outputs from `o` on.
INSIDE steps steps_at(const ck_groups *w, size_t g, size_t o, __mmask16 mask) {
  const size_t place = g * w->outputs + o;
  const char *scales = (const char *)w->scales;
  steps result;
  result.scale = w->scales_are_wide
                     ? _mm512_maskz_loadu_ps(mask, scales + place * 4)
                     : _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, scales + place * 2));
  // Two words hold the zero points of 16 outputs; `o` is a multiple of 16.
  const size_t word = g * zero_words(w) + o / 8;
  const int second = o + 8 < w->outputs ? (int)word_at(w->zeros, word + 1) : 0;
  const __m512i both = _mm512_inserti64x4(_mm512_set1_epi32((int)word_at(w->zeros, word)),
                                          _mm256_set1_epi32(second), 1);
  const __m512i shifts =
      _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const __m512i zero = _mm512_and_si512(_mm512_srlv_epi32(both, shifts), _mm512_set1_epi32(15));
  result.shift = _mm512_cvtepi32_ps(_mm512_sub_epi32(zero, _mm512_set1_epi32(7)));
  return result;
}

/// Adds a span's scaled sums to `out`.
INSIDE void add_scaled(steps by, __mmask16 mask, __m512 sums, float sum, float *out) {
  const __m512 part = _mm512_fnmadd_ps(by.shift, _mm512_set1_ps(sum), sums);
  _mm512_mask_storeu_ps(out, mask,
                        _mm512_fmadd_ps(by.scale, part, _mm512_maskz_loadu_ps(mask, out)));
}

/// A span of one row of activations, for `vectors` times 16 outputs from `o` on.
INSIDE void one_line(const ck_groups *w, const uint32_t *x, float sum, size_t g, size_t row,
                     size_t rows, size_t o, size_t count, float *out, const size_t vectors) {
  const size_t stride = w->outputs * 4;
  const char *words = (const char *)w->words + row * stride + o * 4;
  const __m512i table = numbers();
  __m512 sums[8];
  UNROLLED (size_t v = 0; v < vectors; v++) sums[v] = _mm512_setzero_ps();
  for (size_t r = 0; r < rows; r++, words += stride, x += 4)
    UNROLLED (size_t v = 0; v < vectors; v++) {
      // The same outputs of the next span, which come next into the second cache.
      _mm_prefetch(words + rows * stride + v * 64, _MM_HINT_T1);
      const __m512i word =
          _mm512_maskz_loadu_epi32(vectors > 1 ? 0xFFFF : mask_of(count), words + v * 64);
      UNROLLED (unsigned j = 0; j < 4; j++)
        sums[v] = _mm512_dpbf16_ps(sums[v], (__m512bh)pair_of(word, table, j),
                                   (__m512bh)_mm512_set1_epi32((int)x[j]));
    }
  UNROLLED (size_t v = 0; v < vectors; v++) {
    const __mmask16 mask = vectors > 1 ? 0xFFFF : mask_of(count);
    add_scaled(steps_at(w, g, o + 16 * v, mask), mask, sums[v], sum, out + 16 * v);
  }
}

/// A span of up to 64 outputs in bfloat16.
typedef struct {
  uint32_t pairs[WORDS * 4 * VECTORS * 16];  // [words, 4, outputs]
  steps by[VECTORS];
} panel __attribute__((aligned(64)));

INSIDE void fill(const ck_groups *w, size_t g, size_t row, size_t rows, size_t o, size_t count,
                 panel *out) {
  const size_t stride = w->outputs * 4;
  const char *words = (const char *)w->words + row * stride + o * 4;
  const __m512i table = numbers();
  __mmask16 masks[VECTORS];
  for (size_t v = 0; v < VECTORS; v++) {
    masks[v] = count > 16 * v ? mask_of(count - 16 * v) : 0;
    out->by[v] = masks[v] ? steps_at(w, g, o + 16 * v, masks[v])
                          : (steps){_mm512_setzero_ps(), _mm512_setzero_ps()};
  }
  for (size_t r = 0; r < rows; r++, words += stride)
    UNROLLED (size_t v = 0; v < VECTORS; v++) {
      _mm_prefetch(words + rows * stride + v * 64, _MM_HINT_T1);
      const __m512i word = _mm512_maskz_loadu_epi32(masks[v], words + v * 64);
      UNROLLED (unsigned j = 0; j < 4; j++)
        _mm512_store_si512(out->pairs + ((r * 4 + j) * VECTORS + v) * 16,
                           pair_of(word, table, j));
    }
}

/// Adds a span of `lines` rows of activations by a panel to out[lines, 64].
INSIDE void several_lines(const panel *by, const uint32_t *x, const float *span, size_t rows,
                          float *out, const size_t lines) {
  __m512 sums[LINES][VECTORS];
  UNROLLED (size_t m = 0; m < lines; m++)
    UNROLLED (size_t v = 0; v < VECTORS; v++) sums[m][v] = _mm512_setzero_ps();
  const uint32_t *pairs = by->pairs;
  for (size_t p = 0; p < rows * 4; p++, pairs += VECTORS * 16, x += lines) {
    __m512bh weights[VECTORS];
    UNROLLED (size_t v = 0; v < VECTORS; v++)
      weights[v] = (__m512bh)_mm512_load_si512(pairs + v * 16);
    UNROLLED (size_t m = 0; m < lines; m++) {
      const __m512bh a = (__m512bh)_mm512_set1_epi32((int)x[m]);
      UNROLLED (size_t v = 0; v < VECTORS; v++)
        sums[m][v] = _mm512_dpbf16_ps(sums[m][v], weights[v], a);
    }
  }
  UNROLLED (size_t v = 0; v < VECTORS; v++)
    UNROLLED (size_t m = 0; m < lines; m++)
      add_scaled(by->by[v], 0xFFFF, sums[m][v], span[m], out + m * VECTORS * 16 + 16 * v);
}

__attribute__((target(PAIRS))) static void by_panel(const panel *by, const uint32_t *x,
                                                    const float *span, size_t rows, float *out,
                                                    size_t lines) {
  switch (lines) {
    case 1: several_lines(by, x, span, rows, out, 1); break;
    case 2: several_lines(by, x, span, rows, out, 2); break;
    case 3: several_lines(by, x, span, rows, out, 3); break;
    case 4: several_lines(by, x, span, rows, out, 4); break;
    case 5: several_lines(by, x, span, rows, out, 5); break;
    default: several_lines(by, x, span, rows, out, LINES);
  }
}

/// Calls what follows for each span: its group, first word, how many words, and number.
#define FOR_EACH_SPAN                                                                            \
  for (size_t g = 0, start = 0, row = 0, span = 0; start < w->inputs; g++, start += w->group)    \
    for (size_t k = start, end = smaller(w->inputs, start + w->group), rows; k < end;            \
         k += SPAN, row += rows, span++)                                                         \
      if ((rows = (smaller(end, k + SPAN) - k + 7) / 8))

/// Several rows of activations, for up to 64 outputs: their sums lie side by side until they are done,
/// a chunk of rows at a time, so that the second cache holds them.
INSIDE void panel_of_lines(const ck_groups *w, const uint32_t *pairs, const float *sums,
                           size_t lines, size_t o, size_t count, float *out, size_t out_stride) {
  panel by;
  float results[CHUNK][VECTORS * 16] __attribute__((aligned(64)));
  for (size_t first = 0; first < lines; first += CHUNK) {
    const size_t last = smaller(lines, first + CHUNK);
    memset(results, 0, (last - first) * sizeof results[0]);
    FOR_EACH_SPAN {
      fill(w, g, row, rows, o, count, &by);
      for (size_t m = first; m < last; m += LINES)
        by_panel(&by, pairs + row * 4 * lines + m * rows * 4, sums + span * lines + m, rows,
                 results[m - first], smaller(LINES, last - m));
    }
    for (size_t m = first; m < last; m++)
      memcpy(out + m * out_stride, results[m - first], count * sizeof(float));
  }
}

__attribute__((target(PAIRS))) void ck_pairs_multiply(const ck_groups *w, const uint32_t *pairs,
                                                      const float *sums, size_t lines,
                                                      size_t first, size_t count, float *out,
                                                      size_t out_stride) {
  if (lines > 1) {
    for (size_t n = 0; n < count; n += 64)
      panel_of_lines(w, pairs, sums, lines, first + n, smaller(64, count - n), out + n, out_stride);
    return;
  }
  memset(out, 0, count * sizeof(float));
  FOR_EACH_SPAN {
    const uint32_t *x = pairs + row * 4;
    size_t n = 0;
    for (; n + 64 <= count; n += 64)
      one_line(w, x, sums[span], g, row, rows, first + n, 64, out + n, 4);
    for (; n < count; n += 16)
      one_line(w, x, sums[span], g, row, rows, first + n, count - n, out + n, 1);
  }
}

#else

int ck_pairs_are_available(void) { return 0; }

void ck_pair_up(const float *x, size_t inputs, size_t group, size_t lines, size_t line,
                uint32_t *pairs, float *sums) {
  (void)x, (void)inputs, (void)group, (void)lines, (void)line, (void)pairs, (void)sums;
}

void ck_pairs_multiply(const ck_groups *weight, const uint32_t *pairs, const float *sums,
                       size_t lines, size_t first, size_t count, float *out, size_t out_stride) {
  (void)weight, (void)pairs, (void)sums, (void)lines, (void)first, (void)count, (void)out;
  (void)out_stride;
}

#endif
