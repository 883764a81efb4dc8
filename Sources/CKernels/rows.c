#include "CKernels.h"
#include <string.h>

// A row of activations by 8-bit integers, row by row: each integer becomes a float32 in a register.

// The compiler splits these where registers are narrower.
typedef int8_t bytes16 __attribute__((vector_size(16), aligned(1)));
typedef float floats16 __attribute__((vector_size(64), aligned(4)));

/// Sixteen integers as floats.
#define WIDENED(BYTES) __builtin_convertvector(*(const bytes16 *)(BYTES), floats16)

// Sums stay in registers only where the loops over them disappear.
#define UNROLLED _Pragma("clang loop unroll(full)") for

/// out[r] for `count` rows side by side, which share what they load of x. Each row has 32 sums, so
/// that its order of additions does not depend on `count`.
static inline __attribute__((always_inline)) void tile(const int8_t *weight, const float *scales,
                                                       const float *x, float *out, size_t columns,
                                                       const size_t count) {
  const size_t whole = columns / 32 * 32;
  floats16 sums[4][2];
  UNROLLED (size_t r = 0; r < count; r++) sums[r][0] = sums[r][1] = (floats16){0};
  for (size_t c = 0; c < whole; c += 32) {
    const floats16 first = *(const floats16 *)(x + c), second = *(const floats16 *)(x + c + 16);
    UNROLLED (size_t r = 0; r < count; r++) {
      const int8_t *row = weight + r * columns + c;
      // The same columns of the next rows, which come next into the second cache.
      if (c % 64 == 0) __builtin_prefetch(row + count * columns, 0, 2);
      sums[r][0] += WIDENED(row) * first;
      sums[r][1] += WIDENED(row + 16) * second;
    }
  }
  UNROLLED (size_t r = 0; r < count; r++) {
    float parts[32];
    memcpy(parts, sums[r], sizeof parts);
    for (size_t c = whole; c < columns; c++)
      parts[c - whole] += (float)weight[r * columns + c] * x[c];
    for (size_t width = 16; width > 0; width /= 2)
      for (size_t l = 0; l < width; l++) parts[l] += parts[l + width];
    out[r] = scales[r] * parts[0];
  }
}

/// Tiles of `count` rows, and the rest one by one.
static inline __attribute__((always_inline)) void tiles(const int8_t *weight, const float *scales,
                                                        const float *x, float *out, size_t rows,
                                                        size_t columns, const size_t count) {
  size_t r = 0;
  for (; r + count <= rows; r += count)
    tile(weight + r * columns, scales + r, x, out + r, columns, count);
  for (; r < rows; r++) tile(weight + r * columns, scales + r, x, out + r, columns, 1);
}

// As many rows as the registers hold sums of.
#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) static void in_avx512(
    const int8_t *weight, const float *scales, const float *x, float *out, size_t rows,
    size_t columns) {
  tiles(weight, scales, x, out, rows, columns, 4);
}

__attribute__((target("arch=x86-64-v3"))) static void in_avx2(const int8_t *weight, const float *scales,
                                             const float *x, float *out, size_t rows,
                                             size_t columns) {
  tiles(weight, scales, x, out, rows, columns, 2);
}
#endif

static void in_portable(const int8_t *weight, const float *scales, const float *x, float *out,
                        size_t rows, size_t columns) {
  tiles(weight, scales, x, out, rows, columns, 1);
}

void ck_int8_matvec(const void *weight, const float *scales, const float *x, float *out,
                    size_t rows, size_t columns, ck_quantized_path path) {
#if defined(__x86_64__)
  if (path >= CK_QUANTIZED_AVX512) return in_avx512(weight, scales, x, out, rows, columns);
  if (path == CK_QUANTIZED_AVX2) return in_avx2(weight, scales, x, out, rows, columns);
#endif
  in_portable(weight, scales, x, out, rows, columns);
}
