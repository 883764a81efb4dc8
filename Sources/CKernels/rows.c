#include "CKernels.h"
#include <string.h>

// Activations by 8-bit integers, row by row: each integer becomes a float32 in a register.

// The compiler splits these where registers are narrower.
typedef int8_t bytes16 __attribute__((vector_size(16), aligned(1)));
typedef float floats16 __attribute__((vector_size(64), aligned(4)));

/// Sixteen integers as floats.
#define WIDENED(BYTES) __builtin_convertvector(*(const bytes16 *)(BYTES), floats16)

// Sums stay in registers only where the loops over them disappear.
#define UNROLLED _Pragma("clang loop unroll(full)") for

/// What a product is made of: `rows` of weights, and rows of activations that lie side by side.
typedef struct {
  const int8_t *weight;
  const float *scales;
  const float *x;
  float *out;
  size_t out_stride;
  size_t columns;
} product;

/// `count` rows of weights by `many` rows of activations, which share what they load. Each sum has
/// 32 parts, so that its order of additions does not depend on how many there are.
static inline __attribute__((always_inline)) void tile(product p, const size_t count,
                                                       const size_t many) {
  const size_t whole = p.columns / 32 * 32;
  floats16 sums[4][4][2];
  UNROLLED (size_t r = 0; r < count; r++)
    UNROLLED (size_t m = 0; m < many; m++) sums[r][m][0] = sums[r][m][1] = (floats16){0};
  for (size_t c = 0; c < whole; c += 32)
    UNROLLED (size_t r = 0; r < count; r++) {
      const int8_t *row = p.weight + r * p.columns + c;
      // The same columns of the next rows, which come next into the second cache.
      if (c % 64 == 0) __builtin_prefetch(row + count * p.columns, 0, 2);
      const floats16 first = WIDENED(row), second = WIDENED(row + 16);
      UNROLLED (size_t m = 0; m < many; m++) {
        const float *x = p.x + m * p.columns + c;
        sums[r][m][0] += first * *(const floats16 *)x;
        sums[r][m][1] += second * *(const floats16 *)(x + 16);
      }
    }
  UNROLLED (size_t r = 0; r < count; r++)
    UNROLLED (size_t m = 0; m < many; m++) {
      float parts[32];
      memcpy(parts, sums[r][m], sizeof parts);
      for (size_t c = whole; c < p.columns; c++)
        parts[c - whole] += (float)p.weight[r * p.columns + c] * p.x[m * p.columns + c];
      for (size_t width = 16; width > 0; width /= 2)
        for (size_t l = 0; l < width; l++) parts[l] += parts[l + width];
      p.out[m * p.out_stride + r] = p.scales[r] * parts[0];
    }
}

/// `p` from row `r` of the weights and row `m` of the activations on.
static inline product moved(product p, size_t r, size_t m) {
  p.weight += r * p.columns;
  p.scales += r;
  p.x += m * p.columns;
  p.out += m * p.out_stride + r;
  return p;
}

/// Tiles of `count` rows of weights, alone or by `many` rows of activations at a time.
static inline __attribute__((always_inline)) void tiles(product p, size_t rows, size_t activations,
                                                        const size_t count, const size_t pair,
                                                        const size_t many) {
  size_t m = 0;
  for (; m + many <= activations; m += many) {
    size_t r = 0;
    for (; r + pair <= rows; r += pair) tile(moved(p, r, m), pair, many);
    for (; r < rows; r++) tile(moved(p, r, m), 1, many);
  }
  for (; m < activations; m++) {
    size_t r = 0;
    for (; r + count <= rows; r += count) tile(moved(p, r, m), count, 1);
    for (; r < rows; r++) tile(moved(p, r, m), 1, 1);
  }
}

// As many rows as the registers hold sums of.
#if defined(__x86_64__)
__attribute__((target("arch=x86-64-v4"), min_vector_width(512))) static void in_avx512(
    product p, size_t rows, size_t activations) {
  tiles(p, rows, activations, 4, 2, 4);
}

__attribute__((target("arch=x86-64-v3"))) static void in_avx2(product p, size_t rows,
                                                              size_t activations) {
  tiles(p, rows, activations, 2, 1, 2);
}
#endif

static void in_portable(product p, size_t rows, size_t activations) {
  tiles(p, rows, activations, 1, 1, 1);
}

void ck_int8_multiply(const void *weight, const float *scales, size_t rows, const float *x,
                      size_t activations, size_t columns, ck_quantized_path path, float *out,
                      size_t out_stride) {
  const product p = {weight, scales, x, out, out_stride, columns};
#if defined(__x86_64__)
  if (path >= CK_QUANTIZED_AVX512) return in_avx512(p, rows, activations);
  if (path == CK_QUANTIZED_AVX2) return in_avx2(p, rows, activations);
#endif
  in_portable(p, rows, activations);
}
