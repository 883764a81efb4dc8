#define _GNU_SOURCE

#include "CBytes.h"

#include <string.h>

const void *fovea_find_bytes(const void *whole, size_t whole_size, const void *part, size_t part_size) {
  return memmem(whole, whole_size, part, part_size);
}

int fovea_compare_bytes(const void *a, const void *b, size_t size) {
  return size == 0 ? 0 : memcmp(a, b, size);
}
