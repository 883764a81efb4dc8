// Included by attention.c once an instruction set, with LANES (floats in a vector), VECTORS (those
// of a tile's row), NAME (the function) and TARGET (its attributes) defined.
//
// NAME: out[r, c] = sum over i < depth of left[r, i] * right[i, c] for up to ROWS rows and c below
// `columns`, a multiple of LANES. Each sum is added in the order of i, whatever tile it lies in.

#define GLUE_(a, b) a##_##b
#define GLUE(a, b) GLUE_(a, b)
#define VECTOR GLUE(NAME, vector)
#define BLOCK GLUE(NAME, block)

typedef float VECTOR __attribute__((vector_size(4 * LANES), aligned(4)));

INLINE void BLOCK(size_t rows, size_t vectors, const float *const *left, size_t depth,
                  const float *right, size_t right_stride, float *const *out) {
  VECTOR sums[ROWS][VECTORS] = {0};
  for (size_t i = 0; i < depth; i++, right += right_stride) {
    VECTOR b[VECTORS];
    UNROLL for (size_t v = 0; v < VECTORS; v++)
      if (v < vectors) b[v] = *(const VECTOR *)(right + v * LANES);
    UNROLL for (size_t r = 0; r < ROWS; r++)
      if (r < rows) {
        const float a = left[r][i];
        UNROLL for (size_t v = 0; v < VECTORS; v++)
          if (v < vectors) sums[r][v] += a * b[v];
      }
  }
  UNROLL for (size_t r = 0; r < ROWS; r++)
    UNROLL for (size_t v = 0; v < VECTORS; v++)
      if (r < rows && v < vectors) *(VECTOR *)(out[r] + v * LANES) = sums[r][v];
}

TARGET static void NAME(size_t rows, const float *left, size_t left_stride, size_t depth,
                        const float *right, size_t columns, float *out) {
  // A few rows alone read as much of `right` as six do: beyond two, absent ones repeat the first.
  const size_t together = rows > 2 ? ROWS : 1;
  for (size_t first = 0; first < rows; first += together) {
    const float *in[ROWS];
    for (size_t r = 0; r < ROWS; r++)
      in[r] = left + (first + r < rows ? first + r : first) * left_stride;
    for (size_t c = 0; c < columns;) {
      float unused[VECTORS * LANES];
      float *to[ROWS];
      for (size_t r = 0; r < ROWS; r++)
        to[r] = first + r < rows ? out + (first + r) * columns + c : unused;
      const int whole = columns - c >= VECTORS * LANES;
      if (together == 1 && whole) BLOCK(1, VECTORS, in, depth, right + c, columns, to);
      else if (together == 1) BLOCK(1, 1, in, depth, right + c, columns, to);
      else if (whole) BLOCK(ROWS, VECTORS, in, depth, right + c, columns, to);
      else BLOCK(ROWS, 1, in, depth, right + c, columns, to);
      c += whole ? VECTORS * LANES : LANES;
    }
  }
}

#undef GLUE_
#undef GLUE
#undef VECTOR
#undef BLOCK
