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

// The longest segment, in steps of 64 bytes: 6 rows of activations take 18 kB.
enum { SEGMENT = 48 };

static size_t lanes(int is_paired) { return is_paired ? 32 : 16; }

// Columns of all segments but the last.
static size_t segment_columns(size_t columns, int is_paired) {
  const size_t steps = (columns + lanes(is_paired) - 1) / lanes(is_paired);
  const size_t segments = (steps + SEGMENT - 1) / SEGMENT;
  return segments == 0 ? 0 : (steps + segments - 1) / segments * lanes(is_paired);
}

static int is_paired(ck_instructions instructions, int rounds) {
  return rounds && instructions == CK_AVX512_BFLOAT16;
}

ck_instructions ck_best_instructions(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
    return __builtin_cpu_supports("avx512bf16") ? CK_AVX512_BFLOAT16 : CK_AVX512;
#endif
  return CK_PORTABLE;
}

static const tile_table *table(ck_instructions instructions, int rounds) {
#if defined(__x86_64__)
  if (is_paired(instructions, rounds)) return &bfloat16_tiles;
  if (instructions != CK_PORTABLE) return rounds ? &avx512_rounding_tiles : &avx512_tiles;
#endif
  return rounds ? &portable_rounding_tiles : &portable_tiles;
}

size_t ck_packed_size(ck_instructions instructions, int rounds, size_t rows, size_t columns) {
  const size_t step = lanes(is_paired(instructions, rounds));
  return (columns + step - 1) / step * rows * 64;
}

size_t ck_panel_count(size_t rows) { return (rows + ROWS - 1) / ROWS; }

void ck_pack_panel(ck_instructions instructions, int rounds, const float *x, size_t rows,
                   size_t columns, size_t panel, void *packed) {
  const int paired = is_paired(instructions, rounds);
  const size_t step = lanes(paired), segment = segment_columns(columns, paired);
  const size_t first = panel * ROWS, height = rows - first < ROWS ? rows - first : ROWS;
  char *part = packed;
  for (size_t start = 0; start < columns; start += segment) {
    const size_t width = columns - start < segment ? columns - start : segment;
    const size_t steps = (width + step - 1) / step;
    for (size_t i = 0; i < height; i++) {
      const float *row = x + (first + i) * columns + start;
      char *out = part + (first * steps + i) * 64;
#if defined(__x86_64__)
      if (paired) {
        pack_pairs(row, width, out, height * 64);
        continue;
      }
#endif
      for (size_t s = 0; s < steps; s++, row += step, out += height * 64) {
        float last[16] = {0};
        const float *from = row;
        if ((s + 1) * step > width) {
          memcpy(last, row, (width - s * step) * sizeof(float));
          from = last;
        }
        if (rounds) ck_round_to_bfloat16(from, (float *)out, 16);
        else memcpy(out, from, 64);
      }
    }
    part += steps * rows * 64;
  }
}

// Fetches the weights that come next, a few lines at a time.
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

void ck_multiply(ck_instructions instructions, int rounds, const void *packed, size_t rows,
                 size_t columns, const void *weights, ck_element element, size_t first,
                 size_t count, size_t next_first, size_t next_count, const float *bias,
                 ck_activation activation, float *out, size_t out_stride) {
  tile_function *tile = table(instructions, rounds)->tiles[element];
  const int paired = is_paired(instructions, rounds);
  const size_t step = lanes(paired), segment = segment_columns(columns, paired);
  const size_t size = element == CK_FLOAT32 ? 4 : 2, stride = columns * size;
  const char *chunk = (const char *)weights + first * stride;
  const char *next_chunk = (const char *)weights + next_first * stride;
  const size_t panels = ck_panel_count(rows), groups = (count + OUTPUTS - 1) / OUTPUTS;
  float *result = out + first;
  if (columns == 0)
    for (size_t r = 0; r < rows; r++) memset(result + r * out_stride, 0, count * sizeof(float));
  if (panels == 1) {
    // Bound by memory: weights pass once, each row to its end.
    for (size_t g = 0; g < count; g += OUTPUTS) {
      const size_t outputs = count - g < OUTPUTS ? count - g : OUTPUTS;
      const char *x = packed;
      for (size_t start = 0; start < columns; start += segment) {
        const size_t width = columns - start < segment ? columns - start : segment;
        tile(rows, outputs, width, x, chunk + g * stride + start * size, stride, result + g,
             out_stride, start > 0, start + width == columns && bias ? bias + first + g : NULL);
        x += (width + step - 1) / step * rows * 64;
      }
    }
  } else {
    const char *x = packed;
    for (size_t start = 0; start < columns; start += segment) {
      const size_t width = columns - start < segment ? columns - start : segment;
      const size_t steps = (width + step - 1) / step;
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
      for (size_t panel = 0; panel < panels; panel++) {
        const size_t height = rows - panel * ROWS < ROWS ? rows - panel * ROWS : ROWS;
        float *place = result + panel * ROWS * out_stride;
        for (size_t g = 0; g < count; g += OUTPUTS) {
          fetch(&next, share);
          tile(height, count - g < OUTPUTS ? count - g : OUTPUTS, width, x,
               chunk + g * stride + start * size, stride, place + g, out_stride, start > 0,
               start + width == columns && bias ? bias + first + g : NULL);
        }
        x += steps * height * 64;
      }
    }
  }
  // Tiles have added the bias where there were any.
  ck_finish(result, out_stride, rows, count, bias && columns == 0 ? bias + first : NULL,
            activation);
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
    }
  }
}
