#include "CRandom.h"

#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

// SplitMix64's finaliser (Steele, Lea, Flood 2014): any counter to 64 well-mixed bits.
static inline uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// The sum of four uniform numbers of 16 bits has the mean 2 * 65535 and the variance
// 4 * (65536^2 - 1) / 12; every step before the last multiplication is exact.
CLONES void ck_random_normal(uint64_t seed, uint64_t first, float mean, float deviation, float *out,
                             size_t count) {
  const float scale = deviation * 2.6429e-5f;
  for (size_t i = 0; i < count; i++) {
    const uint64_t bits = mixed(seed + (first + i) * 0x9E3779B97F4A7C15u);
    const int32_t sum = (int32_t)(bits & 0xFFFF) + (int32_t)(bits >> 16 & 0xFFFF) +
                        (int32_t)(bits >> 32 & 0xFFFF) + (int32_t)(bits >> 48);
    out[i] = (float)(sum - 131070) * scale;
  }
  // A loop of its own, so that no instruction set fuses the two roundings into one.
  if (mean != 0)
    for (size_t i = 0; i < count; i++) out[i] += mean;
}
