// Tiles of the product with stored weights for any CPU: eight partial sums an output.
#include "products.h"
#include <string.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("unroll")

enum { LANES = 8, TOGETHER = 2 };
typedef float floats __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));
typedef uint16_t halves __attribute__((vector_size(2 * LANES), aligned(1)));
typedef _Float16 small_floats __attribute__((vector_size(2 * LANES), aligned(1)));
typedef int8_t bytes __attribute__((vector_size(LANES), aligned(1)));

// By pointer: how vectors are handed over depends on the instruction set.
INLINE void load_float32(const char *row, floats *value) { memcpy(value, row, sizeof *value); }
INLINE void load_float16(const char *row, floats *value) {
  small_floats small;
  memcpy(&small, row, sizeof small);
  *value = __builtin_convertvector(small, floats);
}
INLINE void load_bfloat16(const char *row, floats *value) {
  halves upper;
  memcpy(&upper, row, sizeof upper);
  *value = (floats)(__builtin_convertvector(upper, words) << 16);
}
INLINE void load_int8(const char *row, floats *value) {
  bytes small;
  memcpy(&small, row, sizeof small);
  *value = __builtin_convertvector(small, floats);
}
INLINE void make_rounded(floats *value) {
  const words bits = (words)*value;
  const words nan = (words)(*value != *value);
  const words up = bits + 0x7FFF + (bits >> 16 & 1);
  *value = (floats)(((up & ~nan) | ((bits | 0x400000) & nan)) & 0xFFFF0000);
}
INLINE void round_float32(const char *row, floats *value) {
  load_float32(row, value);
  make_rounded(value);
}
INLINE void round_float16(const char *row, floats *value) {
  load_float16(row, value);
  make_rounded(value);
}

INLINE float total(const floats *sums) {
  const floats x = *sums;
  return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

// Up to TOGETHER rows of the `rows` that x interleaves. x ends with zeros where columns end within
// a step; the weights' last step is copied, for what follows them may be anything.
#define TILE(NAME, SIZE, LOAD)                                                                    \
  INLINE void NAME##_rows(size_t count, size_t rows, size_t outputs, size_t columns,              \
                          const float *x, const char *weights, size_t weight_stride, float *out,  \
                          size_t out_stride, int accumulate, const float *bias) {                 \
    const char *w[OUTPUTS];                                                                       \
    UNROLL for (size_t j = 0; j < OUTPUTS; j++)                                                   \
      w[j] = j < outputs ? weights + j * weight_stride : weights;                                 \
    floats sums[TOGETHER][OUTPUTS] = {0};                                                         \
    char last[OUTPUTS][LANES * SIZE];                                                             \
    for (size_t column = 0; column < columns; column += LANES) {                                  \
      if (column + LANES > columns) {                                                             \
        memset(last, 0, sizeof last);                                                             \
        UNROLL for (size_t j = 0; j < OUTPUTS; j++) {                                             \
          memcpy(last[j], w[j], (columns - column) * SIZE);                                       \
          w[j] = last[j];                                                                         \
        }                                                                                         \
      }                                                                                           \
      const float *step = x + column / 16 * 16 * rows + column % 16;                              \
      UNROLL for (size_t j = 0; j < OUTPUTS; j++) {                                               \
        floats a, b;                                                                              \
        LOAD(w[j], &b);                                                                           \
        UNROLL for (size_t i = 0; i < TOGETHER; i++)                                              \
          if (i < count) {                                                                        \
            load_float32((const char *)(step + 16 * i), &a);                                      \
            sums[i][j] += a * b;                                                                  \
          }                                                                                       \
        w[j] += LANES * SIZE;                                                                     \
      }                                                                                           \
    }                                                                                             \
    UNROLL for (size_t i = 0; i < TOGETHER; i++)                                                  \
      UNROLL for (size_t j = 0; j < OUTPUTS; j++)                                                 \
        if (i < count && j < outputs) {                                                           \
          float *place = out + i * out_stride + j;                                                \
          const float sum = (accumulate ? *place : 0) + total(&sums[i][j]);                       \
          *place = bias ? sum + bias[j] : sum;                                                    \
        }                                                                                         \
  }                                                                                               \
  CLONES static void NAME(size_t rows, size_t outputs, size_t columns, const void *x,             \
                          const void *weights, size_t weight_stride, float *out,                  \
                          size_t out_stride, int accumulate, const float *bias, fetcher *next,    \
                          size_t share) {                                                         \
    fetch(next, share);                                                                           \
    for (size_t i = 0; i < rows; i += TOGETHER) {                                                 \
      const float *first = (const float *)x + 16 * i;                                             \
      if (rows - i >= TOGETHER)                                                                   \
        NAME##_rows(TOGETHER, rows, outputs, columns, first, weights, weight_stride,              \
                    out + i * out_stride, out_stride, accumulate, bias);                          \
      else                                                                                        \
        NAME##_rows(1, rows, outputs, columns, first, weights, weight_stride,                     \
                    out + i * out_stride, out_stride, accumulate, bias);                          \
    }                                                                                             \
  }

TILE(tile_float32, 4, load_float32)
TILE(tile_float16, 2, load_float16)
TILE(tile_bfloat16, 2, load_bfloat16)
TILE(tile_int8, 1, load_int8)
TILE(tile_rounded_float32, 4, round_float32)
TILE(tile_rounded_float16, 2, round_float16)

#define METHOD(PACK, ...) {ROWS, OUTPUTS, 16, 64, SEGMENT, 0, PACK, {__VA_ARGS__}, NULL}
const method portable = METHOD(pack_floats, tile_float32, tile_float16, tile_bfloat16, tile_int8);
const method portable_rounding =
    METHOD(pack_rounded, tile_rounded_float32, tile_rounded_float16, tile_bfloat16, tile_int8);
