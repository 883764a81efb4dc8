// Tiles of the product with stored weights for AMX, whose registers hold 16 rows of 64 bytes.
//
// One instruction multiplies 16 outputs' weights over 32 columns, [16, 32] as they are stored, by
// the same columns of 16 activations, [16 pairs of columns, 16, 2], and adds the products to sums
// [16 outputs, 16 activations]. Four such sums share two registers of weights and two of
// activations. The weights' rows are read where they lie; the activations are packed. Each sum runs
// along the columns in one order, whatever stands beside it in the register.
//
// With float32 activations each of them is the sum of three bfloat16 numbers, exactly, and so are
// the products with weights that are bfloat16: three instructions instead of one.
#include "products.h"
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("unroll")
#define TARGET "amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,fma,avx2,f16c"

enum { SIDE = 16, STEP = 32, TERMS = 3 };
// The registers: sums of either half of the outputs and either half of the activations, weights,
// activations.
#define SUM(w, x) (2 * (w) + (x))
#define SUMS_UPPER_LEFT 0
#define SUMS_UPPER_RIGHT 1
#define SUMS_LOWER_LEFT 2
#define SUMS_LOWER_RIGHT 3
#define WEIGHTS_UPPER 4
#define WEIGHTS_LOWER 5
#define ACTIVATIONS_LEFT 6
#define ACTIVATIONS_RIGHT 7

#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)

// The matrix of 16 times 16 numbers of 32 bits, transposed in place.
INLINE void transpose(__m512i r[SIDE]) {
  __m512i t[SIDE];
  UNROLL for (int i = 0; i < SIDE; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  // r[4 b + c]: of rows 4 b to 4 b + 3, columns c, c + 4, c + 8 and c + 12.
  UNROLL for (int i = 0; i < SIDE; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  // Quarters are then transposed as a matrix of 4 times 4.
  UNROLL for (int c = 0; c < 4; c++) {
    const __m512i a = _mm512_shuffle_i32x4(r[c], r[c + 4], 0x44);
    const __m512i b = _mm512_shuffle_i32x4(r[c], r[c + 4], 0xEE);
    const __m512i d = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0x44);
    const __m512i e = _mm512_shuffle_i32x4(r[c + 8], r[c + 12], 0xEE);
    t[c] = _mm512_shuffle_i32x4(a, d, 0x88);
    t[c + 4] = _mm512_shuffle_i32x4(a, d, 0xDD);
    t[c + 8] = _mm512_shuffle_i32x4(b, e, 0x88);
    t[c + 12] = _mm512_shuffle_i32x4(b, e, 0xDD);
  }
  UNROLL for (int i = 0; i < SIDE; i++) r[i] = t[i];
}

// Takes the upper bits of `rest` away and gives them: a bfloat16 number. What is not finite has no
// rest.
INLINE __m512 take_upper(__m512 *rest) {
  const __m512 all = *rest;
  const __m512 upper = _mm512_castsi512_ps(
      _mm512_and_si512(_mm512_castps_si512(all), _mm512_set1_epi32((int)0xFFFF0000)));
  // Zero for all that is finite, NaN for the rest.
  const __m512 none = _mm512_sub_ps(all, all);
  const __mmask16 finite = _mm512_cmp_ps_mask(none, none, _CMP_ORD_Q);
  *rest = _mm512_maskz_sub_ps(finite, all, upper);
  return _mm512_mask_blend_ps(finite, all, upper);
}

INLINE __m512 floats(const float *x, __mmask16 present) { return _mm512_maskz_loadu_ps(present, x); }

INLINE void pack(const float *x, size_t rows, size_t columns, size_t stride, char *out,
                 const size_t terms) {
  for (size_t column = 0; column < columns; column += STEP) {
    const size_t left = columns - column < STEP ? columns - column : STEP;
    const __mmask32 present = left < STEP ? (1u << left) - 1 : 0xFFFFFFFF;
    __m512 rest[2][SIDE][2];
    UNROLL for (size_t half = 0; half < 2; half++)
      for (size_t i = 0; i < SIDE; i++) {
        const size_t row = half * SIDE + i;
        for (size_t part = 0; part < 2; part++)
          rest[half][i][part] =
              row < rows ? floats(x + row * stride + column + SIDE * part,
                                  (__mmask16)(present >> SIDE * part))
                         : _mm512_setzero_ps();
      }
    for (size_t term = 0; term < terms; term++)
      for (size_t half = 0; half * SIDE < rows; half++) {
        const size_t height = rows - half * SIDE < SIDE ? rows - half * SIDE : SIDE;
        const __mmask16 there = (__mmask16)((1u << height) - 1);
        __m512i pairs[SIDE];
        for (size_t i = 0; i < SIDE; i++) {
          __m512 *from = rest[half][i];
          const __m512 low = terms == 1 ? from[0] : take_upper(&from[0]);
          const __m512 high = terms == 1 ? from[1] : take_upper(&from[1]);
          pairs[i] = (__m512i)_mm512_cvtne2ps_pbh(high, low);
        }
        transpose(pairs);
        UNROLL for (size_t i = 0; i < SIDE; i++)
          _mm512_mask_storeu_epi32(out + 4 * height * i, there, pairs[i]);
        out += 4 * height * SIDE;
      }
  }
}

static void pack_rounded_tiles(const float *x, size_t rows, size_t columns, size_t stride,
                               void *out) {
  pack(x, rows, columns, stride, out, 1);
}

static void pack_exact_tiles(const float *x, size_t rows, size_t columns, size_t stride,
                             void *out) {
  pack(x, rows, columns, stride, out, TERMS);
}

// What the registers hold, as the processor reads it.
typedef struct {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_size[16];
  uint8_t rows[16];
} configuration;

// The sizes that this thread's registers have, 0 where they are not in use.
static _Thread_local uint32_t shape;

static void set_shape(size_t upper, size_t lower, size_t left, size_t right) {
  const uint32_t wanted = (uint32_t)(upper | lower << 8 | left << 16 | right << 24);
  if (wanted == shape) return;
  shape = wanted;
  const size_t outputs[2] = {upper, lower}, activations[2] = {left, right};
  configuration sizes = {.palette = 1};
  for (int w = 0; w < 2; w++)
    for (int x = 0; x < 2; x++)
      if (outputs[w] && activations[x]) {
        sizes.rows[SUM(w, x)] = (uint8_t)outputs[w];
        sizes.row_size[SUM(w, x)] = (uint16_t)(4 * activations[x]);
      }
  for (int half = 0; half < 2; half++) {
    if (outputs[half]) {
      sizes.rows[WEIGHTS_UPPER + half] = (uint8_t)outputs[half];
      sizes.row_size[WEIGHTS_UPPER + half] = 2 * STEP;
    }
    if (activations[half]) {
      sizes.rows[ACTIVATIONS_LEFT + half] = SIDE;
      sizes.row_size[ACTIVATIONS_LEFT + half] = (uint16_t)(4 * activations[half]);
    }
  }
  _tile_loadconfig(&sizes);
}

static void leave(void) {
  if (shape == 0) return;
  _tile_release();
  shape = 0;
}

// Sums of `outputs` outputs and `rows` activations, a row an output, to their places.
INLINE void store(const float sums[SIDE][SIDE], size_t rows, size_t outputs, float *out,
                  size_t stride, int accumulate, const float *bias) {
  const __mmask16 mask = (__mmask16)((1u << outputs) - 1);
  __m512i lines[SIDE];
  UNROLL for (int i = 0; i < SIDE; i++) lines[i] = _mm512_load_si512(sums[i]);
  transpose(lines);
  const __m512 added = bias ? floats(bias, mask) : _mm512_setzero_ps();
  UNROLL for (size_t i = 0; i < SIDE; i++)
    if (i < rows) {
      __m512 line = _mm512_castsi512_ps(lines[i]);
      if (accumulate) line = _mm512_add_ps(floats(out + i * stride, mask), line);
      if (bias) line = _mm512_add_ps(line, added);
      _mm512_mask_storeu_ps(out + i * stride, mask, line);
    }
}

// One step of columns for every term of the activations.
INLINE void step(const char *weights, size_t weight_stride, const char *x, size_t left,
                 size_t right, const size_t terms, const int has_lower, const int has_right) {
  _tile_loadd(WEIGHTS_UPPER, weights, weight_stride);
  if (has_lower) _tile_loadd(WEIGHTS_LOWER, weights + SIDE * weight_stride, weight_stride);
  UNROLL for (size_t term = 0; term < terms; term++, x += 64 * (left + right)) {
    _tile_loadd(ACTIVATIONS_LEFT, x, 4 * left);
    _tile_dpbf16ps(SUMS_UPPER_LEFT, WEIGHTS_UPPER, ACTIVATIONS_LEFT);
    if (has_lower) _tile_dpbf16ps(SUMS_LOWER_LEFT, WEIGHTS_LOWER, ACTIVATIONS_LEFT);
    if (has_right) {
      _tile_loadd(ACTIVATIONS_RIGHT, x + 64 * left, 4 * right);
      _tile_dpbf16ps(SUMS_UPPER_RIGHT, WEIGHTS_UPPER, ACTIVATIONS_RIGHT);
      if (has_lower) _tile_dpbf16ps(SUMS_LOWER_RIGHT, WEIGHTS_LOWER, ACTIVATIONS_RIGHT);
    }
  }
}

INLINE void multiply(size_t rows, size_t outputs, size_t columns, const char *x,
                     const char *weights, size_t weight_stride, float *out, size_t out_stride,
                     int accumulate, const float *bias, fetcher *next, size_t share,
                     const size_t terms, const int has_lower, const int has_right) {
  const size_t left = has_right ? SIDE : rows, right = rows - left;
  const size_t upper = has_lower ? SIDE : outputs, lower = outputs - upper;
  set_shape(upper, lower, left, right);
  _tile_zero(SUMS_UPPER_LEFT);
  if (has_right) _tile_zero(SUMS_UPPER_RIGHT);
  if (has_lower) _tile_zero(SUMS_LOWER_LEFT);
  if (has_lower && has_right) _tile_zero(SUMS_LOWER_RIGHT);

  const size_t steps = (columns + STEP - 1) / STEP, lines = (share + steps - 1) / steps;
  size_t column = 0;
  for (; column + STEP <= columns; column += STEP, x += 64 * rows * terms) {
    fetch(next, lines);
    step(weights + 2 * column, weight_stride, x, left, right, terms, has_lower, has_right);
  }
  if (column < columns) {
    // What follows the weights' last column may be anything.
    char last[2 * SIDE][2 * STEP] = {{0}};
    for (size_t i = 0; i < outputs; i++)
      memcpy(last[i], weights + i * weight_stride + 2 * column, 2 * (columns - column));
    step(last[0], sizeof last[0], x, left, right, terms, has_lower, has_right);
  }

  float sums[SIDE][SIDE] __attribute__((aligned(64))) = {{0}};
#define STORE(w, x, UPPER, LEFT)                                                              \
  _tile_stored(SUM(w, x), sums, 64);                                                          \
  store(sums, LEFT, UPPER, out + SIDE * (x) * out_stride + SIDE * (w), out_stride, accumulate, \
        bias ? bias + SIDE * (w) : NULL)
  STORE(0, 0, upper, left);
  if (has_right) { STORE(0, 1, upper, right); }
  if (has_lower) { STORE(1, 0, lower, left); }
  if (has_lower && has_right) { STORE(1, 1, lower, right); }
}

#define TILE(NAME, TERMS)                                                                       \
  static void NAME(size_t rows, size_t outputs, size_t columns, const void *x,                  \
                   const void *weights, size_t weight_stride, float *out, size_t out_stride,    \
                   int accumulate, const float *bias, fetcher *next, size_t share) {            \
    if (outputs > SIDE && rows > SIDE) multiply(ARGUMENTS, TERMS, 1, 1);                        \
    else if (outputs > SIDE) multiply(ARGUMENTS, TERMS, 1, 0);                                  \
    else if (rows > SIDE) multiply(ARGUMENTS, TERMS, 0, 1);                                     \
    else multiply(ARGUMENTS, TERMS, 0, 0);                                                      \
  }
#define ARGUMENTS \
  rows, outputs, columns, x, weights, weight_stride, out, out_stride, accumulate, bias, next, share

TILE(tile_rounded, 1)
TILE(tile_exact, TERMS)

#pragma clang attribute pop

// Packed activations of a segment and the weights of a chunk fit the second cache together where
// there are a few hundred rows of activations.
const method amx = {
    2 * SIDE, 2 * SIDE, STEP, 64, 48, 1, pack_rounded_tiles, {NULL, NULL, tile_rounded, NULL}, leave};
const method amx_exact = {2 * SIDE,         2 * SIDE, STEP, 64 * TERMS, 24, 1, pack_exact_tiles,
                          {NULL, NULL, tile_exact, NULL}, leave};

// The kernel lets a process use the large registers once it has asked.
static int is_permitted(void) {
  enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
  return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}

// Whole numbers below 2^24 are added exactly, so that the sums can be told beforehand.
static int multiplies_exactly(const method *by) {
  enum { CHECKED_ROWS = 19, CHECKED_OUTPUTS = 21, CHECKED_COLUMNS = 75 };
  float x[CHECKED_ROWS * CHECKED_COLUMNS], found[CHECKED_ROWS * CHECKED_OUTPUTS];
  uint16_t weights[CHECKED_OUTPUTS * CHECKED_COLUMNS];
  char packed[(CHECKED_COLUMNS + STEP - 1) / STEP * CHECKED_ROWS * 64 * TERMS]
      __attribute__((aligned(64)));
  // 0x10101 takes all three terms where there are three.
  const int unit = by->step_size > 64 ? 0x10101 : 1;
  for (int i = 0; i < CHECKED_ROWS * CHECKED_COLUMNS; i++) x[i] = (float)(unit * (i * 3 % 7 - 3));
  for (int i = 0; i < CHECKED_OUTPUTS * CHECKED_COLUMNS; i++)
    weights[i] = (uint16_t[]){0xBF80, 0, 0x3F80}[i * 5 % 11 % 3];  // -1, 0 and 1
  fetcher none = {0};
  by->pack(x, CHECKED_ROWS, CHECKED_COLUMNS, CHECKED_COLUMNS, packed);
  by->tiles[CK_BFLOAT16](CHECKED_ROWS, CHECKED_OUTPUTS, CHECKED_COLUMNS, packed, weights,
                         2 * CHECKED_COLUMNS, found, CHECKED_OUTPUTS, 0, NULL, &none, 0);
  by->leave();
  for (int r = 0; r < CHECKED_ROWS; r++)
    for (int n = 0; n < CHECKED_OUTPUTS; n++) {
      int sum = 0;
      for (int c = 0; c < CHECKED_COLUMNS; c++) {
        const uint16_t weight = weights[n * CHECKED_COLUMNS + c];
        const int number = (int)x[r * CHECKED_COLUMNS + c];
        sum += weight == 0 ? 0 : weight >> 15 ? -number : number;
      }
      if (found[r * CHECKED_OUTPUTS + n] != (float)sum) return 0;
    }
  return 1;
}

int amx_works(void) {
  return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
         is_permitted() && multiplies_exactly(&amx) && multiplies_exactly(&amx_exact);
}
#endif
