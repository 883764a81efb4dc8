// Loops that do nothing but what is measured: multiply-adds from registers, and reading.
#include "CKernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define SUMS 12

__attribute__((target("avx512f"))) static float multiply_add_512(size_t turns) {
  __m512 sums[SUMS];
  for (int i = 0; i < SUMS; i++) sums[i] = _mm512_set1_ps((float)i);
  const __m512 factor = _mm512_set1_ps(0.999f);
  for (size_t t = 0; t < turns; t++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) sums[i] = _mm512_fmadd_ps(sums[i], factor, factor);
  }
  for (int i = 1; i < SUMS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_reduce_add_ps(sums[0]);
}

__attribute__((target("avx512f,avx512bf16"))) static float multiply_pairs(size_t turns) {
  __m512 sums[SUMS];
  for (int i = 0; i < SUMS; i++) sums[i] = _mm512_set1_ps((float)i);
  const __m512bh pairs = (__m512bh)_mm512_set1_epi16(0x3C00);
  for (size_t t = 0; t < turns; t++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) sums[i] = _mm512_dpbf16_ps(sums[i], pairs, pairs);
  }
  for (int i = 1; i < SUMS; i++) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_reduce_add_ps(sums[0]);
}

__attribute__((target("amx-tile,amx-bf16"))) static float multiply_tiles(size_t turns) {
  struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_size[16];
    uint8_t rows[16];
  } sizes = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    sizes.rows[i] = 16;
    sizes.row_size[i] = 64;
  }
  float sums[16][16];
  _tile_loadconfig(&sizes);
  _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);
  _tile_zero(4), _tile_zero(5), _tile_zero(6), _tile_zero(7);
  for (size_t t = 0; t < turns; t++) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, 64);
  _tile_release();
  return sums[0][0];
}

__attribute__((target("avx2,fma"))) static float multiply_add_256(size_t turns) {
  __m256 sums[SUMS];
  for (int i = 0; i < SUMS; i++) sums[i] = _mm256_set1_ps((float)i);
  const __m256 factor = _mm256_set1_ps(0.999f);
  for (size_t t = 0; t < turns; t++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < SUMS; i++) sums[i] = _mm256_fmadd_ps(sums[i], factor, factor);
  }
  for (int i = 1; i < SUMS; i++) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}
#endif

static float multiply_add_portable(size_t turns) {
  float sums[16] = {0};
  for (size_t t = 0; t < turns; t++)
    for (int i = 0; i < 16; i++) sums[i] = sums[i] * 0.999f + 0.999f;
  for (int i = 1; i < 16; i++) sums[0] += sums[i];
  return sums[0];
}

// What the loops give must look as if it were used.
static volatile float unused;

size_t ck_peak_float32(size_t turns) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    unused = multiply_add_512(turns);
    return turns * SUMS * 32;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    unused = multiply_add_256(turns);
    return turns * SUMS * 16;
  }
#endif
  unused = multiply_add_portable(turns);
  return turns * 32;
}

size_t ck_peak_bfloat16(size_t turns) {
#if defined(__x86_64__)
  if (ck_best_instructions() == CK_AMX) {
    unused = multiply_tiles(turns);
    return turns * 4 * 2 * 16 * 16 * 32;
  }
  if (__builtin_cpu_supports("avx512bf16")) {
    unused = multiply_pairs(turns);
    return turns * SUMS * 64;
  }
#endif
  return ck_peak_float32(turns);
}

#if defined(__x86_64__)
__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#endif
void ck_read(const void *start, size_t count) {
  // Eight lines of the cache in flight; each is touched once.
  const uint64_t *words = start;
  uint64_t sums[64] = {0};
  for (size_t i = 0; i + 64 <= count / 8; i += 64)
    for (size_t lane = 0; lane < 64; lane++) sums[lane] += words[i + lane];
  for (size_t lane = 1; lane < 64; lane++) sums[0] += sums[lane];
  unused = (float)sums[0];
}
