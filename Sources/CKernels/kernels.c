#include "CKernels.h"
#include <malloc.h>
#include <math.h>
#include <string.h>

// One source, three instruction sets: the loader picks the best clone for this CPU.
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// Before a loop whose result may replace its input, element by element: without it the compiler
// takes one element at a time where both are the same array.
#if defined(__clang__)
#define IN_PLACE _Pragma("clang loop vectorize(assume_safety)")
#else
#define IN_PLACE
#endif

static inline float bits_to_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

// e^x for x <= 88, by x = n ln 2 + r with |r| <= ln 2 / 2 and the Taylor series of e^r to r^7,
// which leaves a relative error below one unit in the last place.
static inline float exponential(float x) {
  x = x < -87.3f ? -87.3f : x;
  const float n = nearbyintf(x * 1.44269504f);
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return p * bits_to_float((uint32_t)((int32_t)n + 127) << 23);
}

CLONES void ck_float16_to_float32(const void *in, float *out, size_t count) {
  const _Float16 *source = in;
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    _Float16 half;
    memcpy(&half, source + i, 2);
    out[i] = (float)half;
  }
}

CLONES void ck_bfloat16_to_float32(const void *in, float *out, size_t count) {
  const uint16_t *source = in;
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    uint16_t half;
    memcpy(&half, source + i, 2);
    out[i] = bits_to_float((uint32_t)half << 16);
  }
}

CLONES void ck_float32_to_float16(const float *in, uint16_t *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    const _Float16 half = (_Float16)in[i];
    memcpy(out + i, &half, 2);
  }
}

static inline uint32_t float_to_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

static inline uint16_t round_to_bfloat16(float value) {
  const uint32_t bits = float_to_bits(value);
  // A NaN's payload may lie in the half that is cut off: set a bit that stays.
  return value != value ? (uint16_t)(bits >> 16 | 0x40)
                        : (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

CLONES void ck_float32_to_bfloat16(const float *in, uint16_t *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) out[i] = round_to_bfloat16(in[i]);
}

CLONES void ck_round_to_bfloat16(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) out[i] = bits_to_float((uint32_t)round_to_bfloat16(in[i]) << 16);
}

CLONES void ck_softmax(const float *in, float *out, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    const size_t whole = columns / 16 * 16;
    float highest[16];
    int bads[16] = {0};
    for (size_t l = 0; l < 16; l++) highest[l] = -INFINITY;
    for (size_t c = 0; c < whole; c += 16)
      for (size_t l = 0; l < 16; l++) {
        highest[l] = x[c + l] > highest[l] ? x[c + l] : highest[l];
        bads[l] |= x[c + l] != x[c + l];
      }
    for (size_t c = whole; c < columns; c++) {
      highest[c - whole] = x[c] > highest[c - whole] ? x[c] : highest[c - whole];
      bads[c - whole] |= x[c] != x[c];
    }
    float largest = -INFINITY;
    int bad = 0;
    for (size_t l = 0; l < 16; l++) {
      largest = highest[l] > largest ? highest[l] : largest;
      bad |= bads[l];
    }
    if (bad || largest == INFINITY) {
      // Infinity minus infinity has no value either: say so rather than guess.
      for (size_t c = 0; c < columns; c++) y[c] = NAN;
      continue;
    }
    if (largest == -INFINITY) {
      memset(y, 0, columns * sizeof(float));
      continue;
    }
    float sums[16] = {0};
    IN_PLACE
    for (size_t c = 0; c < columns; c++) y[c] = x[c] == -INFINITY ? 0 : exponential(x[c] - largest);
    for (size_t c = 0; c < whole; c += 16)
      for (size_t l = 0; l < 16; l++) sums[l] += y[c + l];
    for (size_t c = whole; c < columns; c++) sums[c - whole] += y[c];
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t l = 0; l < width; l++) sums[l] += sums[l + width];
    const float scale = 1 / sums[0];
    IN_PLACE
    for (size_t c = 0; c < columns; c++) y[c] *= scale;
  }
}

CLONES void ck_layer_norm(const float *in, const float *scale, const float *shift, float epsilon,
                          float *out, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    double sums[16] = {0};
    const size_t whole = columns / 16 * 16;
    for (size_t c = 0; c < whole; c += 16)
      for (size_t l = 0; l < 16; l++) sums[l] += x[c + l];
    for (size_t c = whole; c < columns; c++) sums[c - whole] += x[c];
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t l = 0; l < width; l++) sums[l] += sums[l + width];
    const double mean = sums[0] / (double)columns;
    double squares[16] = {0};
    for (size_t c = 0; c < whole; c += 16)
      for (size_t l = 0; l < 16; l++) {
        const double d = x[c + l] - mean;
        squares[l] += d * d;
      }
    for (size_t c = whole; c < columns; c++) {
      const double d = x[c] - mean;
      squares[c - whole] += d * d;
    }
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t l = 0; l < width; l++) squares[l] += squares[l + width];
    const float centre = (float)mean;
    const float factor = (float)(1 / sqrt(squares[0] / (double)columns + (double)epsilon));
    IN_PLACE
    for (size_t c = 0; c < columns; c++) y[c] = (x[c] - centre) * factor * scale[c] + shift[c];
  }
}

CLONES void ck_rms_norm(const float *in, const float *scale, float epsilon, float *out, size_t rows,
                        size_t columns) {
  for (size_t r = 0; r < rows; r++) {
    const float *x = in + r * columns;
    float *y = out + r * columns;
    const size_t whole = columns / 16 * 16;
    double squares[16] = {0};
    for (size_t c = 0; c < whole; c += 16)
      for (size_t l = 0; l < 16; l++) squares[l] += (double)x[c + l] * (double)x[c + l];
    for (size_t c = whole; c < columns; c++) squares[c - whole] += (double)x[c] * (double)x[c];
    for (size_t width = 8; width > 0; width /= 2)
      for (size_t l = 0; l < width; l++) squares[l] += squares[l + width];
    const float factor = (float)(1 / sqrt(squares[0] / (double)columns + (double)epsilon));
    IN_PLACE
    for (size_t c = 0; c < columns; c++) y[c] = x[c] * factor * scale[c];
  }
}

CLONES void ck_rotate(const float *in, size_t stride, size_t rows, size_t heads, size_t head_width,
                      size_t turned, const float *cosines, const float *sines, float *out) {
  const size_t half = turned / 2;
  for (size_t r = 0; r < rows; r++) {
    const float *cosine = cosines + r * turned, *sine = sines + r * turned;
    for (size_t h = 0; h < heads; h++) {
      const float *x = in + r * stride + h * head_width;
      float *y = out + (r * heads + h) * head_width;
      IN_PLACE
      for (size_t c = 0; c < half; c++) {
        const float first = x[c], second = x[c + half];
        y[c] = first * cosine[c] - second * sine[c];
        y[c + half] = second * cosine[c + half] + first * sine[c + half];
      }
      memcpy(y + turned, x + turned, (head_width - turned) * sizeof(float));
    }
  }
}

CLONES void ck_gelu(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    const float x = in[i];
    const float z = fabsf(x) * 0.70710678118654752f;
    // Where |z| <= 1: erf z = z P(z^2). Beyond: 1 - e^(-z^2) Q(1/(1 + z/2)). Both polynomials are
    // Chebyshev interpolants on their interval; together they are within 1.4e-7 of erf.
    const float s = z * z;
    float small = 7.88249711e-05f;
    small = small * s + -0.000801885499f;
    small = small * s + 0.00518931194f;
    small = small * s + -0.0268543288f;
    small = small * s + 0.112835975f;
    small = small * s + -0.376126269f;
    small = small * s + 1.12837917f;
    small *= z;
    const float t = 1 / (1 + 0.5f * z);
    float large = 0.107470689f;
    large = large * t + -0.43061181f;
    large = large * t + 0.504497442f;
    large = large * t + -0.0568834891f;
    large = large * t + 0.325777573f;
    large = large * t + 0.265840528f;
    large = large * t + 0.283969435f;
    large = large * t + -9.30019253e-05f;
    large = 1 - exponential(-s) * large;
    const float erf_z = z <= 1 ? small : large;
    out[i] = 0.5f * x * (1 + copysignf(erf_z, x));
  }
}

CLONES void ck_quick_gelu(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    const float x = in[i];
    const float e = exponential(-1.702f * fabsf(x));
    out[i] = x * ((x >= 0 ? 1 : e) / (1 + e));
  }
}

CLONES void ck_silu(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    const float x = in[i];
    const float e = exponential(-fabsf(x));
    out[i] = x * ((x >= 0 ? 1 : e) / (1 + e));
  }
}

CLONES void ck_gelu_tanh(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) {
    // (1 + tanh u) / 2 = 1 / (1 + e^(-2u)).
    const float x = in[i];
    const float twice = 1.5957691216f * (x + 0.044715f * x * x * x);
    const float e = exponential(-fabsf(twice));
    out[i] = x * ((twice >= 0 ? 1 : e) / (1 + e));
  }
}

CLONES void ck_multiply_elements(const float *a, const float *b, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) out[i] = a[i] * b[i];
}

CLONES void ck_add(const float *a, const float *b, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) out[i] = a[i] + b[i];
}

CLONES void ck_relu(const float *in, float *out, size_t count) {
  IN_PLACE
  for (size_t i = 0; i < count; i++) out[i] = in[i] < 0 ? 0 : in[i];
}

CLONES void ck_add_bias(float *data, const float *bias, size_t rows, size_t columns) {
  for (size_t r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) data[r * columns + c] += bias[c];
}

void ck_keep_freed_memory(void) {
#if defined(__GLIBC__)
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
#endif
}

void ck_return_freed_memory(void) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

void ck_share_one_arena(void) {
#if defined(__GLIBC__)
  mallopt(M_ARENA_MAX, 1);
#endif
}
