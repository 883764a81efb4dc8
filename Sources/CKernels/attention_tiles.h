// Included by attention.c once an instruction set and type of keys and values, with LANES (floats in
// a vector), VECTORS (those of a row in a tile of six), NAME (the function), ELEMENT (how numbers of
// `right` are stored), WIDENS (whether as bfloat16) and TARGET (the function's attributes) defined.
//
// NAME: out[r, c] (+)= sum over i < depth of left[r][i] * right[i, c] for up to ROWS rows and c below
// `columns`, a multiple of GROUP. Columns lie in groups of GROUP, `group_stride` elements apart, and
// within one, neighbours in depth `depth_stride` elements. Each sum is added in the order of i,
// whatever tile it lies in, and goes on from what `out` holds where it accumulates.

#define GLUE_(a, b) a##_##b
#define GLUE(a, b) GLUE_(a, b)
#define VECTOR GLUE(NAME, vector)
#define HALVES GLUE(NAME, halves)
#define WORDS GLUE(NAME, words)
#define BLOCK GLUE(NAME, block)
#define IN_GROUP (GROUP / LANES)

typedef float VECTOR __attribute__((vector_size(4 * LANES), aligned(4)));
typedef uint16_t HALVES __attribute__((vector_size(2 * LANES), aligned(2)));
typedef uint32_t WORDS __attribute__((vector_size(4 * LANES)));

#if WIDENS
#define LOADED(from) \
  (VECTOR)(__builtin_convertvector(*(const HALVES *)(from), WORDS) << 16)
#else
#define LOADED(from) (*(const VECTOR *)(from))
#endif

INLINE void BLOCK(size_t rows, size_t vectors, const float *const *left, size_t depth,
                  const ELEMENT *right, size_t depth_stride, size_t group_stride, int accumulate,
                  float *const *out) {
  VECTOR sums[ROWS][MOST_VECTORS];
  UNROLL for (size_t r = 0; r < ROWS; r++)
    UNROLL for (size_t v = 0; v < MOST_VECTORS; v++)
      if (r < rows && v < vectors)
        sums[r][v] = accumulate ? *(const VECTOR *)(out[r] + v * LANES) : (VECTOR){0};
  for (size_t i = 0; i < depth; i++, right += depth_stride) {
    VECTOR b[MOST_VECTORS];
    UNROLL for (size_t v = 0; v < MOST_VECTORS; v++)
      if (v < vectors) b[v] = LOADED(right + v / IN_GROUP * group_stride + v % IN_GROUP * LANES);
    UNROLL for (size_t r = 0; r < ROWS; r++)
      if (r < rows) {
        const float a = left[r][i];
        UNROLL for (size_t v = 0; v < MOST_VECTORS; v++)
          if (v < vectors) sums[r][v] += a * b[v];
      }
  }
  UNROLL for (size_t r = 0; r < ROWS; r++)
    UNROLL for (size_t v = 0; v < MOST_VECTORS; v++)
      if (r < rows && v < vectors) *(VECTOR *)(out[r] + v * LANES) = sums[r][v];
}

TARGET static void NAME(size_t rows, const float *const *left, size_t depth, const ELEMENT *right,
                        size_t depth_stride, size_t group_stride, size_t columns, int accumulate,
                        float *out, size_t out_stride) {
#define TILE(rows, vectors) \
  BLOCK(rows, vectors, in, depth, from, depth_stride, group_stride, accumulate, to)
  // A few rows alone read as much of `right` as six do: beyond two, absent ones repeat the first.
  const size_t together = rows > 2 ? ROWS : 1;
  for (size_t first = 0; first < rows; first += together) {
    const float *in[ROWS];
    for (size_t r = 0; r < ROWS; r++) in[r] = left[first + r < rows ? first + r : first];
    for (size_t c = 0; c < columns;) {
      const ELEMENT *from = right + c / GROUP * group_stride + c % GROUP;
      float unused[MOST_VECTORS * LANES];
      float *to[ROWS];
      for (size_t r = 0; r < ROWS; r++)
        to[r] = first + r < rows ? out + (first + r) * out_stride + c : unused;
      if (accumulate && together > 1) memset(unused, 0, sizeof unused);
      const size_t most = (columns - c) / LANES;
      size_t vectors;
      if (together > 1) {
        vectors = most >= VECTORS ? VECTORS : 1;
        if (vectors == 1) TILE(ROWS, 1);
        else TILE(ROWS, VECTORS);
      } else {
        // One row has few sums, each waiting for itself: as many side by side as there are.
        vectors = most >= MOST_VECTORS ? MOST_VECTORS : most;
        switch (vectors) {
          case 1: TILE(1, 1); break;
          case 2: TILE(1, 2); break;
          case 3: TILE(1, 3); break;
          case 4: TILE(1, 4); break;
          case 5: TILE(1, 5); break;
          case 6: TILE(1, 6); break;
          case 7: TILE(1, 7); break;
          default: TILE(1, MOST_VECTORS); break;
        }
      }
      c += vectors * LANES;
    }
  }
#undef TILE
}

#undef GLUE_
#undef GLUE
#undef VECTOR
#undef HALVES
#undef WORDS
#undef BLOCK
#undef LOADED
#undef IN_GROUP
