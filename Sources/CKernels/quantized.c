#include "groups.h"
#include <math.h>

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

INLINE void groups_to_float32(const ck_groups *w, size_t first, size_t count, float *out,
                              const size_t bits) {
  const size_t each = 32 / bits;
  const uint32_t mask = (1u << bits) - 1;
  for (size_t k = 0, g = 0; k < w->inputs; k += w->group, g++) {
    const size_t end = smaller(w->inputs, k + w->group);
    for (size_t l = 0; l < count; l++) {
      const int zero = zero_at(w, g, first + l);
      const float scale = scale_at(w, g * w->outputs + first + l);
      float *row = out + l * w->inputs;
      size_t i = k;
      for (; i + each <= end; i += each) {
        const uint32_t word = word_at(w->words, i / each * w->outputs + first + l);
        for (size_t j = 0; j < each; j++)
          row[i + j] = scale * (float)((int)(word >> (j * bits) & mask) - zero);
      }
      for (size_t j = 0; i + j < end; j++) {
        const uint32_t word = word_at(w->words, i / each * w->outputs + first + l);
        row[i + j] = scale * (float)((int)(word >> (j * bits) & mask) - zero);
      }
    }
  }
}

CLONES void ck_groups_to_float32(const ck_groups *w, size_t first, size_t count, float *out) {
  if (w->bits == 4)
    groups_to_float32(w, first, count, out, 4);
  else
    groups_to_float32(w, first, count, out, 8);
}

CLONES void ck_groups_reorder(const void *words, const int32_t *from, int backwards, size_t inputs,
                              size_t outputs, int bits, uint32_t *out) {
  const size_t each = 32 / (size_t)bits;
  const uint32_t mask = (1u << bits) - 1;
  memset(out, 0, (inputs + each - 1) / each * outputs * 4);
  for (size_t i = 0; i < inputs; i++) {
    const size_t source = backwards ? i : (size_t)from[i], target = backwards ? (size_t)from[i] : i;
    const char *row = (const char *)words + source / each * outputs * 4;
    uint32_t *place = out + target / each * outputs;
    const size_t right = source % each * (size_t)bits, left = target % each * (size_t)bits;
    for (size_t o = 0; o < outputs; o++) place[o] |= (word_at(row, o) >> right & mask) << left;
  }
}

/// The nearest scale that can be stored.
INLINE float half_scale(float scale) { return (float)(_Float16)scale; }

/// What rounding a group with a scale and a zero leaves.
typedef struct {
  float error;  // the sum of squared differences
  float best;   // the scale of the least error for the integers that `scale` gives
} rounding;

INLINE rounding round_group(const float *x, size_t count, float scale, float zero) {
  const float inverse = scale > 0 ? 1 / scale : 0;
  float errors[16] = {0}, products[16] = {0}, squares[16] = {0};
  for (size_t i = 0; i < count; i += 16) {
    // What is missing at the end is 0, which every scale meets exactly.
    float values[16] = {0};
    memcpy(values, x + i, smaller(16, count - i) * sizeof(float));
    for (size_t l = 0; l < 16; l++) {
      float q = rintf(values[l] * inverse);
      q = q < -zero ? -zero : q;
      q = q > 15 - zero ? 15 - zero : q;
      const float d = values[l] - scale * q;
      errors[l] += d * d;
      products[l] += values[l] * q;
      squares[l] += q * q;
    }
  }
  for (size_t width = 8; width > 0; width /= 2)
    for (size_t l = 0; l < width; l++) {
      errors[l] += errors[l + width];
      products[l] += products[l + width];
      squares[l] += squares[l + width];
    }
  return (rounding){errors[0], squares[0] > 0 ? products[0] / squares[0] : 0};
}

/// Chooses a group's scale and zero.
INLINE void choose_range(const float *x, size_t count, size_t steps, float *scale, float *zero) {
  float lows[16] = {0}, highs[16] = {0}, wrong[16] = {0};
  for (size_t i = 0; i < count; i += 16) {
    float values[16] = {0};
    memcpy(values, x + i, smaller(16, count - i) * sizeof(float));
    for (size_t l = 0; l < 16; l++) {
      lows[l] = values[l] < lows[l] ? values[l] : lows[l];
      highs[l] = values[l] > highs[l] ? values[l] : highs[l];
      // 0 for what is finite, else NaN.
      wrong[l] += values[l] - values[l];
    }
  }
  float low = 0, high = 0, sum = 0;
  for (size_t l = 0; l < 16; l++) {
    low = lows[l] < low ? lows[l] : low;
    high = highs[l] > high ? highs[l] : high;
    sum += wrong[l];
  }
  // No integer stands for infinity or NaN, and no scale in float16 spans a group that is too wide:
  // the whole group becomes NaN and is found at once.
  *scale = NAN;
  *zero = 8;
  if (sum != 0) return;
  float least = INFINITY;
  for (size_t step = 0; step < steps; step++) {
    const float part = 1 - (float)step / 32, width = (high - low) * part;
    // A zero of 0 or 16 is read differently by different readers of the packing.
    float z = width > 0 ? rintf(-low * part / (width / 15)) : 8;
    z = z < 1 ? 1 : z;
    z = z > 15 ? 15 : z;
    float s = half_scale(width / 15);
    if (isinf(s)) continue;
    // Then the best scale for the integers of that range, as long as it helps.
    for (int turn = 0; turn < 3; turn++) {
      const rounding found = round_group(x, count, s, z);
      if (!(found.error < least) && turn > 0) break;
      if (found.error < least) {
        least = found.error;
        *scale = s;
        *zero = z;
      }
      s = half_scale(found.best);
    }
  }
}

CLONES void ck_groups_pack(const float *rows, size_t count, size_t inputs, size_t outputs,
                           size_t first, size_t group, size_t steps, uint32_t *words,
                           uint32_t *zeros, uint16_t *scales) {
  const size_t zero_words = (outputs + 7) / 8;
  for (size_t l = 0; l < count; l++) {
    const float *row = rows + l * inputs;
    const size_t output = first + l;
    for (size_t k = 0, g = 0; k < inputs; k += group, g++) {
      const size_t end = smaller(inputs, k + group);
      float scale, zero;
      choose_range(row + k, end - k, steps, &scale, &zero);
      const _Float16 half = (_Float16)scale;
      memcpy(scales + g * outputs + output, &half, 2);
      zeros[g * zero_words + output / 8] |= ((uint32_t)zero - 1) << (output % 8 * 4);
      const float inverse = scale > 0 ? 1 / scale : 0;
      for (size_t i = k; i < end; i += 8) {
        uint32_t word = 0;
        for (size_t j = 0; j < smaller(8, end - i); j++) {
          float q = rintf(row[i + j] * inverse) + zero;
          // Written so that NaN becomes 0.
          q = q > 0 ? q : 0;
          q = q > 15 ? 15 : q;
          word |= (uint32_t)q << (4 * j);
        }
        words[i / 8 * outputs + output] = word;
      }
    }
  }
}

CLONES void ck_int8_to_float32(const void *weight, float scale, float *out, size_t count) {
  const int8_t *row = weight;
  for (size_t c = 0; c < count; c++) out[c] = scale * (float)row[c];
}

/// A scale as a file keeps it whose numbers are of that type.
INLINE float scale_of_type(float scale, enum ck_scale_type type) {
  if (type == CK_SCALE_FLOAT16) return half_scale(scale);
  if (type == CK_SCALE_FLOAT32 || scale - scale != 0) return scale;
  uint32_t bits;
  memcpy(&bits, &scale, 4);
  bits = (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000;
  memcpy(&scale, &bits, 4);
  return scale;
}

CLONES void ck_int8_pack(
    const float *in, int8_t *out, float *scale, size_t count, enum ck_scale_type type) {
  float largest = 0;
  int is_finite = 1;
  for (size_t c = 0; c < count; c++) {
    const float size = fabsf(in[c]);
    largest = size > largest ? size : largest;
    is_finite &= in[c] - in[c] == 0;
  }
  // No integer stands for infinity or NaN: the whole row becomes NaN and is found at once.
  *scale = is_finite ? scale_of_type(largest / 127, type) : NAN;
  for (size_t c = 0; c < count; c++) {
    // A scale that its type has no number for but 0 leaves nothing of the row.
    float q = largest > 0 && *scale != 0 ? rintf(in[c] / *scale) : 0;
    // Written so that NaN becomes -128.
    q = q > -128 ? q : -128;
    q = q < 127 ? q : 127;
    out[c] = (int8_t)q;
  }
}
