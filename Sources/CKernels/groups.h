// How the parts of a matrix of integers in groups are read, one at a time. See CQuantized.h.
#ifndef CKERNELS_GROUPS_H
#define CKERNELS_GROUPS_H

#include "CKernels.h"
#include <string.h>

// Always, so that it is compiled for the instruction set of the caller.
#define INLINE static inline __attribute__((always_inline))

INLINE size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

INLINE uint32_t word_at(const void *words, size_t index) {
  uint32_t word;
  memcpy(&word, (const char *)words + index * 4, 4);
  return word;
}

INLINE float scale_at(const ck_groups *w, size_t index) {
  if (w->scales_are_wide) {
    float scale;
    memcpy(&scale, (const char *)w->scales + index * 4, 4);
    return scale;
  }
  _Float16 scale;
  memcpy(&scale, (const char *)w->scales + index * 2, 2);
  return (float)scale;
}

/// Words of a group's zero points.
INLINE size_t zero_words(const ck_groups *w) {
  const size_t each = 32 / (size_t)w->bits;
  return (w->outputs + each - 1) / each;
}

/// The zero point, as the integer that stands for the weight 0.
INLINE int zero_at(const ck_groups *w, size_t group, size_t output) {
  const size_t each = 32 / (size_t)w->bits;
  const uint32_t word = word_at(w->zeros, group * zero_words(w) + output / each);
  const uint32_t mask = (1u << w->bits) - 1;
  return (int)(word >> (output % each * (size_t)w->bits) & mask) + 1;
}

#endif
