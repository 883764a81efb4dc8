// Tiles of the product with stored weights for AVX-512: sixteen partial sums an output, added up
// in a fixed tree at the end.
#include "products.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("unroll")
#define AVX512 "avx512f,avx512bw,avx512vl,avx512dq,fma,avx2,f16c"

#pragma clang attribute push(__attribute__((target(AVX512))), apply_to = function)

// Each quarter of the result holds sums of that quarter of a, b, c and d, in this order.
INLINE __m512 add_quarters(__m512 a, __m512 b, __m512 c, __m512 d) {
  const __m512 x = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 y = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(x), _mm512_castps_pd(y));
  const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(x), _mm512_castps_pd(y));
  return _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));
}

// The sums of the four quarters of x, then those of y.
INLINE __m256 add_across(__m512 x, __m512 y) {
  const __m512 half =
      _mm512_add_ps(_mm512_shuffle_f32x4(x, y, 0x44), _mm512_shuffle_f32x4(x, y, 0xEE));
  const __m256 low = _mm512_castps512_ps256(half);
  const __m256 high = _mm512_extractf32x8_ps(half, 1);
  return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20),
                       _mm256_permute2f128_ps(low, high, 0x31));
}

INLINE void store(float *out, __m128 sums, size_t outputs, int accumulate, const float *bias) {
  const __mmask8 mask = (__mmask8)((1u << outputs) - 1);
  if (accumulate) sums = _mm_add_ps(_mm_maskz_loadu_ps(mask, out), sums);
  if (bias) sums = _mm_add_ps(sums, _mm_maskz_loadu_ps(mask, bias));
  _mm_mask_storeu_ps(out, mask, sums);
}

INLINE void finish(size_t rows, size_t outputs, __m512 sums[ROWS][OUTPUTS], float *out,
                   size_t stride, int accumulate, const float *bias) {
  __m512 quarters[ROWS];
  UNROLL for (size_t i = 0; i < ROWS; i++)
    if (i < rows) quarters[i] = add_quarters(sums[i][0], sums[i][1], sums[i][2], sums[i][3]);
  UNROLL for (size_t i = 0; i < ROWS; i += 2)
    if (i < rows) {
      const __m256 pair = add_across(quarters[i], i + 1 < rows ? quarters[i + 1] : quarters[i]);
      store(out + i * stride, _mm256_castps256_ps128(pair), outputs, accumulate,
            bias);
      if (i + 1 < rows)
        store(out + (i + 1) * stride, _mm256_extractf128_ps(pair, 1), outputs, accumulate,
              bias);
    }
}

// Sixteen weights from `column` on, those that `mask` leaves out zero.
INLINE __m512 load_float32(const char *row, size_t column, __mmask16 mask) {
  return _mm512_maskz_loadu_ps(mask, row + 4 * column);
}
INLINE __m512 load_float16(const char *row, size_t column, __mmask16 mask) {
  return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, row + 2 * column));
}
INLINE __m512 load_bfloat16(const char *row, size_t column, __mmask16 mask) {
  const __m256i halves = _mm256_maskz_loadu_epi16(mask, row + 2 * column);
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16));
}
INLINE __m512 load_int8(const char *row, size_t column, __mmask16 mask) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, row + column)));
}

// Rounded to bfloat16, ties to even; a NaN stays one.
INLINE __m512 rounded(__m512 value) {
  const __m512i bits = _mm512_castps_si512(value);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
  const __mmask16 nan = _mm512_cmp_ps_mask(value, value, _CMP_UNORD_Q);
  const __m512i safe = _mm512_mask_or_epi32(up, nan, bits, _mm512_set1_epi32(0x400000));
  return _mm512_castsi512_ps(_mm512_and_si512(safe, _mm512_set1_epi32((int)0xFFFF0000)));
}
INLINE __m512 round_float32(const char *row, size_t column, __mmask16 mask) {
  return rounded(load_float32(row, column, mask));
}
INLINE __m512 round_float16(const char *row, size_t column, __mmask16 mask) {
  return rounded(load_float16(row, column, mask));
}

// Lines that a tile fetches, so many in each of its steps: all at once would fill the queue of what
// memory owes, and the tile's own loads would wait behind them.
typedef struct {
  size_t each, left;
} pace;

INLINE pace pace_of(const fetcher *next, size_t share, size_t steps) {
  const size_t all = next->rows * ((next->width + 63) / 64), lines = share < all ? share : all;
  return (pace){steps ? (lines + steps - 1) / steps : 0, lines};
}

INLINE void fetch_some(fetcher *next, pace *lines) {
  const size_t some = lines->each < lines->left ? lines->each : lines->left;
  fetch(next, some);
  lines->left -= some;
}

// A tile for a number of rows that is known when compiling, and its choice when running.
// Weight rows that are not there repeat the first; their sums are not stored.
#define ARGUMENTS \
  outputs, columns, x, weights, weight_stride, out, out_stride, accumulate, bias, &rest, lines
#define TILE(NAME, LANES, MASK, X, LOAD, MULTIPLY_ADD)                                            \
  INLINE void NAME##_rows(size_t rows, size_t outputs, size_t columns, const char *x,             \
                          const char *weights, size_t weight_stride, float *out,                  \
                          size_t out_stride, int accumulate, const float *bias,                   \
                          fetcher *next, pace lines) {                                            \
    const char *w[OUTPUTS];                                                                       \
    UNROLL for (size_t j = 0; j < OUTPUTS; j++)                                                   \
      w[j] = j < outputs ? weights + j * weight_stride : weights;                                 \
    __m512 sums[ROWS][OUTPUTS];                                                                   \
    UNROLL for (size_t i = 0; i < ROWS; i++)                                                      \
      UNROLL for (size_t j = 0; j < OUTPUTS; j++) sums[i][j] = _mm512_setzero_ps();               \
    size_t column = 0;                                                                            \
    for (; column + LANES <= columns; column += LANES, x += rows * 64) {                          \
      fetch_some(next, &lines);                                                                   \
      X b[OUTPUTS];                                                                               \
      UNROLL for (size_t j = 0; j < OUTPUTS; j++) b[j] = LOAD(w[j], column, (MASK)-1);            \
      UNROLL for (size_t i = 0; i < ROWS; i++)                                                    \
        if (i < rows) {                                                                           \
          const X a = (X)_mm512_load_si512(x + 64 * i);                                           \
          UNROLL for (size_t j = 0; j < OUTPUTS; j++)                                             \
            sums[i][j] = MULTIPLY_ADD(sums[i][j], a, b[j]);                                       \
        }                                                                                         \
    }                                                                                             \
    if (column < columns) {                                                                       \
      const MASK mask = (MASK)((1ull << (columns - column)) - 1);                                 \
      X b[OUTPUTS];                                                                               \
      UNROLL for (size_t j = 0; j < OUTPUTS; j++) b[j] = LOAD(w[j], column, mask);                \
      UNROLL for (size_t i = 0; i < ROWS; i++)                                                    \
        if (i < rows) {                                                                           \
          const X a = (X)_mm512_load_si512(x + 64 * i);                                           \
          UNROLL for (size_t j = 0; j < OUTPUTS; j++)                                             \
            sums[i][j] = MULTIPLY_ADD(sums[i][j], a, b[j]);                                       \
        }                                                                                         \
    }                                                                                             \
    finish(rows, outputs, sums, out, out_stride, accumulate, bias);                               \
  }                                                                                               \
  static void NAME(size_t rows, size_t outputs, size_t columns, const void *x,                    \
                   const void *weights, size_t weight_stride, float *out, size_t out_stride,      \
                   int accumulate, const float *bias, fetcher *next, size_t share) {              \
    fetcher rest = *next;                                                                         \
    const pace lines = pace_of(&rest, share, columns / LANES);                                    \
    switch (rows) {                                                                               \
      case 6: NAME##_rows(6, ARGUMENTS); break;                                                   \
      case 5: NAME##_rows(5, ARGUMENTS); break;                                                   \
      case 4: NAME##_rows(4, ARGUMENTS); break;                                                   \
      case 3: NAME##_rows(3, ARGUMENTS); break;                                                   \
      case 2: NAME##_rows(2, ARGUMENTS); break;                                                   \
      default: NAME##_rows(1, ARGUMENTS);                                                         \
    }                                                                                             \
    if (share == SIZE_MAX) fetch(&rest, share);                                                   \
    *next = rest;                                                                                 \
  }

#define FUSED(sum, a, b) _mm512_fmadd_ps(a, b, sum)

TILE(tile_float32, 16, __mmask16, __m512, load_float32, FUSED)
TILE(tile_float16, 16, __mmask16, __m512, load_float16, FUSED)
TILE(tile_bfloat16, 16, __mmask16, __m512, load_bfloat16, FUSED)
TILE(tile_int8, 16, __mmask16, __m512, load_int8, FUSED)
TILE(tile_rounded_float32, 16, __mmask16, __m512, round_float32, FUSED)
TILE(tile_rounded_float16, 16, __mmask16, __m512, round_float16, FUSED)

#define METHOD(LANES, PACK, ...) \
  {ROWS, OUTPUTS, LANES, 64, SEGMENT, 0, PACK, {__VA_ARGS__}, NULL, {NULL}}
const method avx512 =
    METHOD(16, pack_floats, tile_float32, tile_float16, tile_bfloat16, tile_int8);
const method avx512_rounding =
    METHOD(16, pack_rounded, tile_rounded_float32, tile_rounded_float16, tile_bfloat16, tile_int8);

#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target(AVX512 ",avx512bf16"))), apply_to = function)

// Thirty-two weights from `column` on.
INLINE __m512bh pairs_bfloat16(const char *row, size_t column, __mmask32 mask) {
  return (__m512bh)_mm512_maskz_loadu_epi16(mask, row + 2 * column);
}
INLINE __m512bh pairs_float32(const char *row, size_t column, __mmask32 mask) {
  return _mm512_cvtne2ps_pbh(load_float32(row, column + 16, (__mmask16)(mask >> 16)),
                             load_float32(row, column, (__mmask16)mask));
}
INLINE __m512bh pairs_float16(const char *row, size_t column, __mmask32 mask) {
  return _mm512_cvtne2ps_pbh(load_float16(row, column + 16, (__mmask16)(mask >> 16)),
                             load_float16(row, column, (__mmask16)mask));
}

// Every integer of 8 bits is a bfloat16 number.
INLINE __m512bh pairs_int8(const char *row, size_t column, __mmask32 mask) {
  return _mm512_cvtne2ps_pbh(load_int8(row, column + 16, (__mmask16)(mask >> 16)),
                             load_int8(row, column, (__mmask16)mask));
}

#define CONVERT(NAME, LOAD)                                                                       \
  static void NAME(const void *in, size_t columns, void *out) {                                   \
    for (size_t column = 0; column < columns; column += 32) {                                     \
      const size_t left = columns - column;                                                       \
      const __mmask32 mask = left < 32 ? (__mmask32)((1ull << left) - 1) : 0xFFFFFFFF;            \
      const __m512i pairs = (__m512i)LOAD(in, column, mask);                                      \
      _mm512_mask_storeu_epi16((char *)out + 2 * column, mask, pairs);                            \
    }                                                                                             \
  }
CONVERT(convert_float32, pairs_float32)
CONVERT(convert_float16, pairs_float16)
CONVERT(convert_int8, pairs_int8)

static void pack_pairs(const float *x, size_t rows, size_t columns, size_t stride, void *out) {
  char *to = out;
  for (size_t column = 0; column < columns; column += 32) {
    const uint64_t present = columns - column < 32 ? (1ull << (columns - column)) - 1 : 0xFFFFFFFF;
    for (size_t i = 0; i < rows; i++, to += 64)
      _mm512_store_si512(to, (__m512i)pairs_float32((const char *)(x + i * stride), column,
                                                   (__mmask32)present));
  }
}

TILE(pair_tile_float32, 32, __mmask32, __m512bh, pairs_float32, _mm512_dpbf16_ps)
TILE(pair_tile_float16, 32, __mmask32, __m512bh, pairs_float16, _mm512_dpbf16_ps)
TILE(pair_tile_bfloat16, 32, __mmask32, __m512bh, pairs_bfloat16, _mm512_dpbf16_ps)
TILE(pair_tile_int8, 32, __mmask32, __m512bh, pairs_int8, _mm512_dpbf16_ps)

const method avx512_bfloat16 = {
    ROWS, OUTPUTS, 32, 64, SEGMENT, 0, pack_pairs,
    {pair_tile_float32, pair_tile_float16, pair_tile_bfloat16, pair_tile_int8}, NULL,
    {convert_float32, convert_float16, NULL, convert_int8}};

#pragma clang attribute pop
#endif
