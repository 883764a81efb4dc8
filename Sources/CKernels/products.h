// What the parts of the product with stored weights share. See products.c for how it works.
#ifndef CKERNELS_PRODUCTS_H
#define CKERNELS_PRODUCTS_H

#include "CKernels.h"

// A tile in vector registers multiplies up to ROWS rows of activations by up to OUTPUTS rows of
// weights: 24 sums, which with 4 weights and an activation fill the 32 registers of AVX-512.
#define ROWS 6
#define OUTPUTS 4
// Steps of 64 bytes in its longest segment: 6 rows of activations take 18 kB.
#define SEGMENT 48

/// Weights that come next, fetched a few lines of 64 bytes at a time.
typedef struct {
  const char *row;
  size_t stride, width, rows, offset;
} fetcher;

static inline void fetch(fetcher *next, size_t lines) {
  for (; lines > 0 && next->rows > 0; lines--) {
    __builtin_prefetch(next->row + next->offset, 0, 2);
    next->offset += 64;
    if (next->offset >= next->width) {
      next->offset = 0;
      next->row += next->stride;
      next->rows--;
    }
  }
}

/// out[rows, outputs] (+)= x weights^T over `columns` columns, plus bias[outputs] unless null, and
/// meanwhile `share` lines of `next` are fetched. `x` is packed: for each step of columns, what
/// the method makes of `rows` rows, zeros where columns end within the step.
/// Rows of weights lie `weight_stride` bytes apart, rows of `out` `out_stride` floats.
typedef void tile_function(size_t rows, size_t outputs, size_t columns, const void *x,
                           const void *weights, size_t weight_stride, float *out,
                           size_t out_stride, int accumulate, const float *bias, fetcher *next,
                           size_t share);

/// Packs `columns` columns of `rows` rows that lie `stride` floats apart, as a tile takes them.
typedef void pack_function(const float *x, size_t rows, size_t columns, size_t stride, void *out);

/// out[columns] = the weights at `in` rounded to bfloat16.
typedef void convert_function(const void *in, size_t columns, void *out);

/// A way to multiply.
typedef struct {
  size_t rows, outputs;  // of a tile, at most
  size_t lanes;          // columns of a step
  size_t step_size;      // bytes that a step of one row takes packed
  size_t segment;        // steps of the longest segment
  int fetches_alone;     // whether one panel's weights are fetched too: the tile asks for it
  pack_function *pack;
  tile_function *tiles[4];  // by the type of the weights; null where it cannot
  void (*leave)(void);      // after the last tile, unless null
  // By the type of the weights: makes them bfloat16; null where that is of no use.
  convert_function *convert[4];
} method;

// Activations in float32, weights widened exactly; 8-bit integers are never rounded.
extern const method portable, avx512;
// Activations rounded to bfloat16 but stored as float32, weights rounded to bfloat16.
extern const method portable_rounding, avx512_rounding;
// Activations in bfloat16, weights rounded to bfloat16, multiplied by AVX512-BF16; 8-bit integers are
// bfloat16 numbers exactly.
extern const method avx512_bfloat16;
// Weights that are stored as bfloat16, multiplied by the tiles of AMX: with activations in
// bfloat16, and with float32 activations as sums of three bfloat16 numbers.
extern const method amx, amx_exact;

/// Packs floats as they are.
void pack_floats(const float *x, size_t rows, size_t columns, size_t stride, void *out);
/// Packs floats rounded to bfloat16 and widened again.
void pack_rounded(const float *x, size_t rows, size_t columns, size_t stride, void *out);

/// Whether the tiles of AMX are there, may be used by this process, and give the right sums.
int amx_works(void);

#endif
