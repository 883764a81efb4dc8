// Searching bytes, which Swift's view of the C library leaves out.

#ifndef FOVEA_BYTES_H
#define FOVEA_BYTES_H

#include <stddef.h>

/// Where `part` first stands in `whole`, in time linear in both; NULL where it does not.
const void *fovea_find_bytes(const void *whole, size_t whole_size, const void *part, size_t part_size);

/// Negative, zero or positive, as the first byte that differs is smaller or larger in `a`.
int fovea_compare_bytes(const void *a, const void *b, size_t size);

#endif
