#ifndef CRANDOM_H
#define CRANDOM_H

#include <stddef.h>
#include <stdint.h>

/// out[count] = numbers `first`, `first` + 1, … of the sequence that `seed` begins: close to normal,
/// never further than 3.5 deviations from the mean. The same bits on every machine.
void ck_random_normal(uint64_t seed, uint64_t first, float mean, float deviation, float *out,
                      size_t count);

#endif
