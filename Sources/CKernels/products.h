// What the parts of the product with stored weights share. See products.c for how it works.
#ifndef CKERNELS_PRODUCTS_H
#define CKERNELS_PRODUCTS_H

#include "CKernels.h"

// A tile multiplies up to ROWS rows of activations by up to OUTPUTS rows of weights: 24 sums, which
// with 4 weights and an activation fill the 32 registers of AVX-512.
#define ROWS 6
#define OUTPUTS 4

/// out[rows, outputs] (+)= x weights^T over `columns` columns, plus bias[outputs] unless null.
/// `x` is packed: for each step of `lanes` columns, `rows` times `lanes` numbers, zeros at the end.
/// Rows of weights lie `weight_stride` bytes apart, rows of `out` `out_stride` floats.
typedef void tile_function(size_t rows, size_t outputs, size_t columns, const void *x,
                           const void *weights, size_t weight_stride, float *out,
                           size_t out_stride, int accumulate, const float *bias);

/// Tiles by the type of the weights.
typedef struct {
  tile_function *tiles[3];
} tile_table;

// Activations in float32, weights widened exactly.
extern const tile_table portable_tiles, avx512_tiles;
// Activations rounded to bfloat16 but stored as float32, weights rounded to bfloat16.
extern const tile_table portable_rounding_tiles, avx512_rounding_tiles;
// Activations in bfloat16, weights rounded to bfloat16, multiplied by AVX512-BF16.
extern const tile_table bfloat16_tiles;

/// Rounds `width` floats to bfloat16 and stores each 32 of them, the last filled up with zeros, at
/// places that lie `out_stride` bytes apart.
void pack_pairs(const float *row, size_t width, char *out, size_t out_stride);

#endif
