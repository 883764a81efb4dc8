// The product of activations and stored weights, out = x weights^T.
//
// Rows of weights are read where they lie, along the row: nothing about them is prepared. Every
// number of the result is a sum of its own, in lanes along the row that are added up at the end in
// a fixed tree. Hence a row of the result has the same bits whatever other rows are computed with
// it, on however many threads: one token alone gives what it gives among many.
//
// Only activations are packed, so that a tile reads them in one stream. The sums are cut into
// segments of the columns, so that a tile's activations stay in the first-level cache while all
// weights of a chunk pass by, and the chunk's weights in the second-level cache while all
// activations pass by. The next chunk's weights are prefetched meanwhile.
#include "products.h"
#include <string.h>

static method choose(ck_instructions instructions, int rounds, ck_element element) {
#if defined(__x86_64__)
  if (instructions >= CK_AMX && amx.tiles[element]) return rounds ? amx : amx_exact;
  if (instructions >= CK_AVX512_BFLOAT16 && rounds && avx512_bfloat16.tiles[element])
    return avx512_bfloat16;
  if (instructions >= CK_AVX512) return rounds ? avx512_rounding : avx512;
#endif
  return rounds ? portable_rounding : portable;
}

ck_instructions ck_best_instructions(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
    if (!__builtin_cpu_supports("avx512bf16")) return CK_AVX512;
    return amx_works() ? CK_AMX : CK_AVX512_BFLOAT16;
  }
#endif
  return CK_PORTABLE;
}

// Bytes of a number, by the type of the weights.
static const size_t sizes[] = {4, 2, 2, 1};

static size_t steps_of(const method *by, size_t columns) {
  return (columns + by->lanes - 1) / by->lanes;
}

// Columns of all segments but the last.
static size_t segment_columns(const method *by, size_t columns) {
  const size_t steps = steps_of(by, columns), segments = (steps + by->segment - 1) / by->segment;
  return segments == 0 ? 0 : (steps + segments - 1) / segments * by->lanes;
}

static size_t panel_count(const method *by, size_t rows) {
  return (rows + by->rows - 1) / by->rows;
}

size_t ck_packed_size(ck_instructions instructions, int rounds, ck_element element, size_t rows,
                      size_t columns) {
  const method by = choose(instructions, rounds, element);
  return steps_of(&by, columns) * rows * by.step_size;
}

size_t ck_panel_count(ck_instructions instructions, int rounds, ck_element element, size_t rows) {
  const method by = choose(instructions, rounds, element);
  return panel_count(&by, rows);
}

void ck_pack_panel(ck_instructions instructions, int rounds, ck_element element, const float *x,
                   size_t rows, size_t columns, size_t panel, void *packed) {
  const method by = choose(instructions, rounds, element);
  const size_t segment = segment_columns(&by, columns), first = panel * by.rows;
  const size_t height = rows - first < by.rows ? rows - first : by.rows;
  char *part = packed;
  for (size_t start = 0; start < columns; start += segment) {
    const size_t width = columns - start < segment ? columns - start : segment;
    const size_t size = steps_of(&by, width) * by.step_size;
    by.pack(x + first * columns + start, height, width, columns, part + first * size);
    part += rows * size;
  }
}

static inline __attribute__((always_inline)) void pack_steps(const float *x, size_t rows,
                                                            size_t columns, size_t stride,
                                                            float *out, int rounds) {
  for (size_t column = 0; column < columns; column += 16)
    for (size_t i = 0; i < rows; i++, out += 16) {
      const float *from = x + i * stride + column;
      float last[16] = {0};
      if (columns - column < 16) {
        memcpy(last, from, (columns - column) * sizeof(float));
        from = last;
      }
      if (rounds) ck_round_to_bfloat16(from, out, 16);
      else memcpy(out, from, 64);
    }
}

void pack_floats(const float *x, size_t rows, size_t columns, size_t stride, void *out) {
  pack_steps(x, rows, columns, stride, out, 0);
}

void pack_rounded(const float *x, size_t rows, size_t columns, size_t stride, void *out) {
  pack_steps(x, rows, columns, stride, out, 1);
}

// Whether weights are made bfloat16 once for all rows, rather than for each panel anew. Float32 is
// rounded in so few steps that it pays later.
static int converts(const method *by, ck_element element, size_t rows) {
  return by->convert[element] && panel_count(by, rows) >= (element == CK_FLOAT32 ? 16 : 4);
}

size_t ck_scratch_size(ck_instructions instructions, int rounds, ck_element element, size_t rows,
                       size_t columns, size_t count) {
  const method by = choose(instructions, rounds, element);
  return converts(&by, element, rows) ? count * segment_columns(&by, columns) * 2 : 0;
}

void ck_multiply(ck_instructions instructions, int rounds, const void *packed, size_t rows,
                 size_t columns, const void *weights, ck_element element, const float *scales,
                 size_t first, size_t count, size_t next_first, size_t next_count,
                 const float *bias, ck_activation activation, float *out, size_t out_stride,
                 void *scratch) {
  const method by = choose(instructions, rounds, element);
  const int are_converted = converts(&by, element, rows);
  tile_function *tile = by.tiles[are_converted ? CK_BFLOAT16 : element];
  const size_t segment = segment_columns(&by, columns);
  const size_t size = sizes[element], stride = columns * size;
  // Tiles add the bias, unless it comes after the scales.
  const float *tile_bias = bias && !scales ? bias + first : NULL;
  const char *chunk = (const char *)weights + first * stride;
  const char *next_chunk = (const char *)weights + next_first * stride;
  const size_t panels = panel_count(&by, rows), groups = (count + by.outputs - 1) / by.outputs;
  float *result = out + first;
  if (columns == 0)
    for (size_t r = 0; r < rows; r++) memset(result + r * out_stride, 0, count * sizeof(float));
  if (panels == 1 && !by.fetches_alone) {
    // Bound by memory: weights pass once, each row to its end, and those that come next are fetched.
    for (size_t g = 0; g < count; g += by.outputs) {
      const size_t outputs = count - g < by.outputs ? count - g : by.outputs, after = g + outputs;
      const char *rows_after = after < count ? chunk + after * stride : next_chunk;
      const size_t left = after < count ? count - after : next_count;
      // They are fetched from end to end, in the order in which they lie in memory.
      fetcher next = {rows_after, stride, stride, left < by.outputs ? left : by.outputs, 0};
      const size_t lines = next.rows * ((stride + 63) / 64);
      const char *x = packed;
      for (size_t start = 0; start < columns; start += segment) {
        const size_t width = columns - start < segment ? columns - start : segment;
        const int is_last = start + width == columns;
        tile(rows, outputs, width, x, chunk + g * stride + start * size, stride, result + g,
             out_stride, start > 0, is_last && tile_bias ? tile_bias + g : NULL, &next,
             is_last ? SIZE_MAX : lines * width / columns + 1);
        x += steps_of(&by, width) * rows * by.step_size;
      }
    }
  } else {
    const char *x = packed;
    for (size_t start = 0; start < columns; start += segment) {
      const size_t width = columns - start < segment ? columns - start : segment;
      // The same rows' next segment, else the first segment of the rows that come next.
      const size_t after = start + segment;
      fetcher next = after < columns
                         ? (fetcher){chunk + after * size, stride, 0, count, 0}
                         : (fetcher){next_chunk, stride, 0, next_count, 0};
      const size_t next_start = after < columns ? after : 0;
      const size_t next_width = columns - next_start < segment ? columns - next_start : segment;
      next.width = next_width * size;
      const size_t lines = next.rows * ((next.width + 63) / 64);
      const size_t share = (lines + panels * groups - 1) / (panels * groups);
      const char *from = chunk + start * size;
      size_t from_stride = stride;
      if (are_converted) {
        from_stride = segment * 2;
        for (size_t g = 0; g < count; g++)
          by.convert[element](from + g * stride, width, (char *)scratch + g * from_stride);
        from = scratch;
      }
      for (size_t panel = 0; panel < panels; panel++) {
        const size_t done = panel * by.rows;
        const size_t height = rows - done < by.rows ? rows - done : by.rows;
        // The next rows' activations may have left the second cache since the last chunk read them.
        const size_t packed_size = steps_of(&by, width) * height * by.step_size;
        fetcher rows_after = {x + packed_size, 0, packed_size, 1, 0};
        const size_t rows_share = packed_size / 64 / groups + 1;
        for (size_t g = 0; g < count; g += by.outputs) {
          fetch(&rows_after, rows_share);
          tile(height, count - g < by.outputs ? count - g : by.outputs, width, x,
               from + g * from_stride, from_stride, result + done * out_stride + g,
               out_stride, start > 0, start + width == columns && tile_bias ? tile_bias + g : NULL,
               &next, share);
        }
        x += packed_size;
      }
    }
  }
  if (by.leave) by.leave();
  if (scales)
    for (size_t r = 0; r < rows; r++)
      for (size_t n = 0; n < count; n++) result[r * out_stride + n] *= scales[first + n];
  ck_finish(result, out_stride, rows, count,
            bias && (scales || columns == 0) ? bias + first : NULL, activation);
}

void ck_finish(float *data, size_t stride, size_t rows, size_t columns, const float *bias,
               ck_activation activation) {
  for (size_t r = 0; r < rows; r++) {
    float *row = data + r * stride;
    if (bias) ck_add_bias(row, bias, 1, columns);
    switch (activation) {
      case CK_IDENTITY: break;
      case CK_GELU: ck_gelu(row, row, columns); break;
      case CK_QUICK_GELU: ck_quick_gelu(row, row, columns); break;
      case CK_RELU: ck_relu(row, row, columns); break;
      case CK_SILU: ck_silu(row, row, columns); break;
      case CK_GELU_TANH: ck_gelu_tanh(row, row, columns); break;
    }
  }
}
