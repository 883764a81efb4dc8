#include "codec.h"

#include <math.h>

#if defined(__x86_64__) && defined(__linux__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Fused multiply-adds would change the last digit of a weight, and with it a pixel.
#pragma STDC FP_CONTRACT OFF

// 8 bits are the sample's, 2 leave room for the overshoot of negative weights.
#define FRACTION_BITS (32 - 8 - 2)

static double bilinear(double x) {
  x = fabs(x);
  return x < 1 ? 1 - x : 0;
}

// Keys' cubic with a = -1/2.
static double bicubic(double x) {
  const double a = -0.5;
  x = fabs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

static double sinc(double x) {
  if (x == 0) return 1;
  x *= M_PI;
  return sin(x) / x;
}

static double lanczos(double x) { return -3 <= x && x < 3 ? sinc(x) * sinc(x / 3) : 0; }

typedef struct {
  double (*at)(double);
  double support;
} kernel;

// For each output sample: the first input sample it sees, how many, and their weights.
typedef struct {
  uint32_t *first, *length;
  int32_t *weights;
  // The same before they were rounded, for samples of more than 8 bits.
  double *exact;
  size_t stride;
} window;

static void release(window *window) {
  free(window->first);
  free(window->length);
  free(window->weights);
  free(window->exact);
}

static ci_status prepare(window *window, kernel kernel, uint32_t from, uint32_t to) {
  const double scale = (double)from / to;
  const double widening = scale < 1 ? 1 : scale;
  const double support = kernel.support * widening;
  window->stride = (size_t)ceil(support) * 2 + 1;
  window->first = calloc(to, sizeof *window->first);
  window->length = calloc(to, sizeof *window->length);
  window->weights = calloc((size_t)to * window->stride, sizeof *window->weights);
  window->exact = calloc((size_t)to * window->stride, sizeof *window->exact);
  if (!window->first || !window->length || !window->weights || !window->exact) {
    release(window);
    return ci_out_of_memory;
  }
  const double step = 1 / widening;
  for (uint32_t i = 0; i < to; i++) {
    const double centre = (i + 0.5) * scale;
    double low = centre - support + 0.5, high = centre + support + 0.5;
    const uint32_t first = low < 0 ? 0 : (uint32_t)low;
    const uint32_t end = high > from ? from : (uint32_t)high;
    const uint32_t length = end - first;
    double *exact = window->exact + i * window->stride;
    double sum = 0;
    for (uint32_t j = 0; j < length; j++) {
      exact[j] = kernel.at((j + first - centre + 0.5) * step);
      sum += exact[j];
    }
    int32_t *weights = window->weights + i * window->stride;
    for (uint32_t j = 0; j < length; j++) {
      if (sum != 0) exact[j] /= sum;
      const double weight = exact[j] * (1 << FRACTION_BITS);
      weights[j] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    window->first[i] = first;
    window->length[i] = length;
  }
  return ci_done;
}

static inline uint8_t round_off(int32_t sum) {
  const int32_t level = sum >> FRACTION_BITS;
  return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

// Rows that are narrowed together, a lane each.
enum { BAND = 16 };

typedef uint8_t levels __attribute__((vector_size(BAND), aligned(1)));
typedef int32_t sums __attribute__((vector_size(4 * BAND), aligned(4)));

// Turns BAND rows of BAND bytes into columns.
static inline void transpose(const uint8_t *in, size_t in_stride, uint8_t *out, size_t out_stride) {
  levels a[BAND], b[BAND];
  for (int i = 0; i < BAND; i++) a[i] = *(const levels *)(in + i * in_stride);
  for (int round = 0; round < 4; round++) {
    for (int i = 0; i < BAND / 2; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + BAND / 2], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20,
                                         5, 21, 6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + BAND / 2], 8, 24, 9, 25, 10, 26, 11, 27,
                                             12, 28, 13, 29, 14, 30, 15, 31);
    }
    memcpy(a, b, sizeof a);
  }
  for (int i = 0; i < BAND; i++) *(levels *)(out + i * out_stride) = a[i];
}

// BAND rows, `in_stride` and `out_stride` bytes apart; `columns` and `narrowed` have room for them
// as columns, rounded up to BAND of these.
CLONES static void across_band(const uint8_t *in, uint32_t in_width, uint8_t *out,
                               uint32_t out_width, const window *window, uint8_t *columns,
                               uint8_t *narrowed) {
  const size_t in_stride = (size_t)in_width * 3, out_stride = (size_t)out_width * 3;
  size_t i = 0;
  for (; i + BAND <= in_stride; i += BAND) transpose(in + i, in_stride, columns + i * BAND, BAND);
  for (; i < in_stride; i++) {
    for (size_t y = 0; y < BAND; y++) columns[i * BAND + y] = in[y * in_stride + i];
  }
  for (uint32_t x = 0; x < out_width; x++) {
    const int32_t *weights = window->weights + x * window->stride;
    const uint8_t *pixel = columns + (size_t)window->first[x] * 3 * BAND;
    sums red = (sums){} + (1 << (FRACTION_BITS - 1)), green = red, blue = red;
    for (uint32_t j = 0; j < window->length[x]; j++, pixel += 3 * BAND) {
      const int32_t weight = weights[j];
      red += __builtin_convertvector(*(const levels *)pixel, sums) * weight;
      green += __builtin_convertvector(*(const levels *)(pixel + BAND), sums) * weight;
      blue += __builtin_convertvector(*(const levels *)(pixel + 2 * BAND), sums) * weight;
    }
    uint8_t *column = narrowed + (size_t)x * 3 * BAND;
    for (int y = 0; y < BAND; y++) {
      column[y] = round_off(red[y]);
      column[BAND + y] = round_off(green[y]);
      column[2 * BAND + y] = round_off(blue[y]);
    }
  }
  i = 0;
  for (; i + BAND <= out_stride; i += BAND) {
    transpose(narrowed + i * BAND, BAND, out + i, out_stride);
  }
  for (; i < out_stride; i++) {
    for (size_t y = 0; y < BAND; y++) out[y * out_stride + i] = narrowed[i * BAND + y];
  }
}

static void across_row(const uint8_t *row, uint8_t *out, uint32_t width, const window *window) {
  for (uint32_t x = 0; x < width; x++) {
    const int32_t *weights = window->weights + x * window->stride;
    const uint8_t *pixel = row + (size_t)window->first[x] * 3;
    int32_t red = 1 << (FRACTION_BITS - 1), green = red, blue = red;
    for (uint32_t j = 0; j < window->length[x]; j++, pixel += 3) {
      red += pixel[0] * weights[j];
      green += pixel[1] * weights[j];
      blue += pixel[2] * weights[j];
    }
    *out++ = round_off(red);
    *out++ = round_off(green);
    *out++ = round_off(blue);
  }
}

// Changes the width alone.
static ci_status across(const uint8_t *in, uint8_t *out, ci_size from, ci_size to, kernel kernel) {
  window window;
  if (prepare(&window, kernel, from.width, to.width) != ci_done) return ci_out_of_memory;
  const size_t in_stride = (size_t)from.width * 3, out_stride = (size_t)to.width * 3;
  uint8_t *columns = malloc((in_stride + out_stride) * BAND);
  if (columns == NULL) {
    release(&window);
    return ci_out_of_memory;
  }
  for (uint32_t y = 0; y < to.height && to.height >= BAND; y += BAND) {
    // The last band overlaps the one before.
    const uint32_t first = y + BAND <= to.height ? y : to.height - BAND;
    across_band(in + first * in_stride, from.width, out + first * out_stride, to.width, &window,
                columns, columns + in_stride * BAND);
  }
  for (uint32_t y = 0; y < to.height && to.height < BAND; y++) {
    across_row(in + y * in_stride, out + y * out_stride, to.width, &window);
  }
  free(columns);
  release(&window);
  return ci_done;
}

// One row out of `count`, `stride` bytes apart.
CLONES static void down_row(const uint8_t *in, uint8_t *out, size_t stride, const int32_t *weights,
                            uint32_t count) {
  // As much as stays in the registers from the first row to the last.
  enum { LANES = 4 };
  size_t i = 0;
  for (; i + LANES * BAND <= stride; i += LANES * BAND) {
    sums total[LANES];
    for (int k = 0; k < LANES; k++) total[k] = (sums){} + (1 << (FRACTION_BITS - 1));
    for (uint32_t j = 0; j < count; j++) {
      const uint8_t *row = in + j * stride + i;
      for (int k = 0; k < LANES; k++) {
        total[k] += __builtin_convertvector(*(const levels *)(row + k * BAND), sums) * weights[j];
      }
    }
    for (int k = 0; k < LANES; k++) {
      for (int y = 0; y < BAND; y++) out[i + k * BAND + y] = round_off(total[k][y]);
    }
  }
  for (; i < stride; i++) {
    int32_t sum = 1 << (FRACTION_BITS - 1);
    for (uint32_t j = 0; j < count; j++) sum += in[j * stride + i] * weights[j];
    out[i] = round_off(sum);
  }
}

// Changes the height alone; `stride` bytes make a row of both.
static ci_status down(const uint8_t *in, uint8_t *out, size_t stride, ci_size from, ci_size to,
                      kernel kernel) {
  window window;
  if (prepare(&window, kernel, from.height, to.height) != ci_done) return ci_out_of_memory;
  for (uint32_t y = 0; y < to.height; y++) {
    down_row(in + window.first[y] * stride, out + y * stride, stride,
             window.weights + y * window.stride, window.length[y]);
  }
  release(&window);
  return ci_done;
}

// Positions are summed up step by step, not multiplied out: for some sizes the two fall into
// different pixels, and it is the sum that the reference takes.
static ci_status pick(const uint8_t *in, ci_size from, uint8_t *out, ci_size to) {
  uint32_t *columns = malloc(to.width * sizeof *columns);
  if (columns == NULL) return ci_out_of_memory;
  const double right = (double)from.width / to.width, below = (double)from.height / to.height;
  double position = right * 0.5;
  for (uint32_t x = 0; x < to.width; x++, position += right) columns[x] = (uint32_t)position;
  position = below * 0.5;
  for (uint32_t y = 0; y < to.height; y++, position += below) {
    const uint32_t row = (uint32_t)position;
    for (uint32_t x = 0; x < to.width; x++, out += 3) {
      if (row < from.height && columns[x] < from.width) {
        memcpy(out, in + ((size_t)row * from.width + columns[x]) * 3, 3);
      } else {
        memset(out, 0, 3);
      }
    }
  }
  free(columns);
  return ci_done;
}

// The kernel of a filter that takes means; 0 for the one that does not.
static int find_kernel(ci_filter filter, kernel *kernel) {
  switch (filter) {
    case ci_bilinear:
      kernel->at = bilinear;
      kernel->support = 1;
      return 1;
    case ci_bicubic:
      kernel->at = bicubic;
      kernel->support = 2;
      return 1;
    case ci_lanczos:
      kernel->at = lanczos;
      kernel->support = 3;
      return 1;
    default:
      return 0;
  }
}

// Rounding between the two directions makes their order show. The reference (Pillow 13) takes the
// height first where it shrinks by more than twice as many pixels as the width does.
static int is_height_first(ci_size from, ci_size to) {
  const int64_t narrower = (int64_t)from.width - to.width;
  const int64_t lower = (int64_t)from.height - to.height;
  return lower > 0 && lower > 2 * narrower;
}

ci_status ci_resize(const uint8_t *in, ci_size from, uint8_t *out, ci_size to, ci_filter filter) {
  const size_t out_stride = (size_t)to.width * 3;
  if (from.width == to.width && from.height == to.height) {
    memcpy(out, in, out_stride * to.height);
    return ci_done;
  }
  kernel kernel;
  if (!find_kernel(filter, &kernel)) return pick(in, from, out, to);
  if (from.width == to.width) return down(in, out, out_stride, from, to, kernel);
  if (from.height == to.height) return across(in, out, from, to, kernel);
  const int height_first = is_height_first(from, to);
  const ci_size middle =
      height_first ? (ci_size){from.width, to.height} : (ci_size){to.width, from.height};
  const size_t middle_stride = (size_t)middle.width * 3;
  uint8_t *between = malloc(middle_stride * middle.height);
  if (between == NULL) return ci_out_of_memory;
  ci_status status;
  if (height_first) {
    status = down(in, between, middle_stride, from, middle, kernel);
    if (status == ci_done) status = across(between, out, middle, to, kernel);
  } else {
    status = across(in, between, from, middle, kernel);
    if (status == ci_done) status = down(between, out, out_stride, middle, to, kernel);
  }
  free(between);
  return status;
}

// Samples of 32 bits as numbers and back, rounded as Pillow rounds the mode.
static inline double number_of(uint32_t sample, ci_mode mode) {
  float real;
  memcpy(&real, &sample, sizeof real);
  return mode == ci_grey_float ? real : (int32_t)sample;
}

static inline uint32_t sample_of(double number, ci_mode mode) {
  if (mode == ci_grey_float) {
    const float real = (float)number;
    uint32_t sample;
    memcpy(&sample, &real, sizeof sample);
    return sample;
  }
  // A whole number that 32 bits do not hold becomes the lowest, as x86 converts it.
  const double moved = number >= 0 ? number + 0.5 : number - 0.5;
  const int32_t whole = moved > INT32_MIN && moved < 2147483648.0 ? (int32_t)moved : INT32_MIN;
  if (mode == ci_grey32) return (uint32_t)whole;
  return whole < 0 ? 0 : whole > UINT16_MAX ? UINT16_MAX : (uint32_t)whole;
}

// One direction: `count` lines of samples, each `line` samples from the next, whose samples lie `step`
// apart; those of the result likewise.
static ci_status pass(const uint32_t *in, size_t in_line, size_t in_step, uint32_t from,
                      uint32_t *out, size_t out_line, size_t out_step, uint32_t to, size_t count,
                      kernel kernel, ci_mode mode) {
  window window;
  if (prepare(&window, kernel, from, to) != ci_done) return ci_out_of_memory;
  for (uint32_t i = 0; i < to; i++) {
    const double *weights = window.exact + i * window.stride;
    for (size_t line = 0; line < count; line++) {
      const uint32_t *first = in + line * in_line + window.first[i] * in_step;
      double sum = 0;
      for (uint32_t j = 0; j < window.length[i]; j++) {
        sum += number_of(first[j * in_step], mode) * weights[j];
      }
      out[line * out_line + i * out_step] = sample_of(sum, mode);
    }
  }
  release(&window);
  return ci_done;
}

ci_status resize_numbers(const uint32_t *in, ci_size from, uint32_t *out, ci_size to,
                         ci_filter filter, ci_mode mode) {
  kernel kernel;
  if (!find_kernel(filter, &kernel)) return ci_unsupported;
  const int height_first = is_height_first(from, to);
  const ci_size middle =
      height_first ? (ci_size){from.width, to.height} : (ci_size){to.width, from.height};
  uint32_t *between = malloc((size_t)middle.width * middle.height * sizeof *between);
  if (between == NULL) return ci_out_of_memory;
  ci_status status = ci_done;
  for (int turn = 0; turn < 2 && status == ci_done; turn++) {
    const uint32_t *source = turn == 0 ? in : between;
    uint32_t *target = turn == 0 ? between : out;
    const ci_size before = turn == 0 ? from : middle, after = turn == 0 ? middle : to;
    if (before.width == after.width && before.height == after.height) {
      memcpy(target, source, (size_t)after.width * after.height * sizeof *target);
    } else if (before.width == after.width) {
      status = pass(source, 1, before.width, before.height, target, 1, after.width, after.height,
                    after.width, kernel, mode);
    } else {
      status = pass(source, before.width, 1, before.width, target, after.width, 1, after.width,
                    after.height, kernel, mode);
    }
  }
  free(between);
  return status;
}
