#include "groups.h"
#include <math.h>

// Activations by 4-bit or 8-bit integers in groups.
//
// Each span of activations is written as whole numbers of 24 bits times a power of two, and those
// as three digits from -128 to 127. Integers times digits are added exactly, 64 or more at a time,
// and become float32 once a span. So the order of those additions cannot matter, every instruction
// set gives the same bits, and the only roundings are the activations' (2^-23 of the largest in the
// span, at most) and one a span and output. That is as good as float32 sums, in half their time.
#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#include <immintrin.h>
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif

#define DIGITS 3

// Sums stay in registers only where the loops over them disappear.
#define UNROLLED _Pragma("clang loop unroll(full)") for

/// The bytes of a word's even inputs, side by side.
static inline uint32_t even_bytes(uint64_t bytes) {
  bytes &= 0x00ff00ff00ff00ff;
  bytes = (bytes | bytes >> 8) & 0x0000ffff0000ffff;
  return (uint32_t)(bytes | bytes >> 16);
}

// Each step is a loop of its own over the span, so that it becomes vectors.
CLONES void ck_split_digits(const float *x, size_t inputs, size_t group, int bits, int32_t *digits,
                            ck_span_of_digits *spans) {
  const size_t each = 32 / (size_t)bits;
  for (size_t start = 0; start < inputs; start += group)
    // 128 digits of -128 add up to what a signed 16-bit number holds.
    for (size_t k = start; k < smaller(inputs, start + group); k += 128, spans++) {
      const size_t count = smaller(smaller(inputs, start + group), k + 128) - k;
      // Sizes of floats are in the order of their bits, those that are not finite last.
      uint32_t largest_bits = 0;
      for (size_t i = 0; i < count; i++) {
        uint32_t size;
        memcpy(&size, x + k + i, 4);
        size &= 0x7fffffff;
        largest_bits = size > largest_bits ? size : largest_bits;
      }
      const int is_finite = largest_bits < 0x7f800000;
      float largest;
      memcpy(&largest, &largest_bits, 4);
      int exponent = 0;
      if (is_finite) frexpf(largest, &exponent);
      // 8355711 = 127 * 65793 is the largest that three digits hold with either sign.
      exponent = 23 - exponent;
      exponent = exponent > 126 ? 126 : exponent;
      if (ldexpf(is_finite ? largest : 0, exponent) > 8355711.0f) exponent--;
      const float factor = ldexpf(1, exponent);
      spans->step = is_finite ? ldexpf(1, -exponent) : NAN;
      int32_t values[128] = {0};
      if (is_finite)
        for (size_t i = 0; i < count; i++) values[i] = (int32_t)nearbyintf(x[k + i] * factor);
      int8_t bytes[DIGITS][128];
      for (int d = DIGITS - 1; d >= 0; d--) {
        int32_t sum = 0;
        for (size_t i = 0; i < 128; i++) {
          const int8_t digit = (int8_t)values[i];
          bytes[d][i] = digit;
          sum += digit;
          values[i] = (values[i] - digit) >> 8;
        }
        spans->sums[d] = sum;
      }
      for (size_t i = 0; i < count; i += each) {
        if (bits != 4)
          for (int d = 0; d < DIGITS; d++) memcpy(digits++, bytes[d] + i, 4);
        else {
          // The even inputs come first, as the low half of each byte of a word holds them.
          for (int d = 0; d < DIGITS; d++, digits++) {
            uint64_t eight;
            memcpy(&eight, bytes[d] + i, 8);
            digits[0] = (int32_t)even_bytes(eight);
            digits[DIGITS] = (int32_t)even_bytes(eight >> 8);
          }
          digits += DIGITS;
        }
      }
    }
}

// Every path walks the spans like this, and sees at each: the group, the words' first row, how many
// rows, and the digits of the first.
#define FOR_EACH_SPAN                                                                              \
  const size_t each = 32 / (size_t)w->bits, step = each / 4 * DIGITS;                              \
  for (size_t g = 0, start = 0; start < w->inputs; g++, start += w->group)                         \
    for (size_t k = start, end = smaller(w->inputs, start + w->group), rows; k < end;              \
         digits += rows * step, spans++, k += 128)                                                 \
      if ((rows = (smaller(end, k + 128) - k + each - 1) / each))

static inline __attribute__((always_inline)) void portable(
    const ck_groups *w, const int32_t *digits, const ck_span_of_digits *spans, size_t first,
    size_t count, float *out, const int bits) {
  const uint32_t mask = (1u << bits) - 1;
  for (size_t n = 0; n < count; n++) out[n] = 0;
  FOR_EACH_SPAN {
    for (size_t n = 0; n < count; n += 16) {
      const size_t lanes = smaller(16, count - n);
      int32_t sums[DIGITS][16] = {{0}};
      for (size_t r = 0; r < rows; r++) {
        const size_t row = (k / each + r) * w->outputs + first + n;
        int8_t bytes[8 * DIGITS];
        memcpy(bytes, digits + r * step, step * 4);
        for (size_t l = 0; l < lanes; l++) {
          const uint32_t word = word_at(w->words, row + l);
          for (size_t j = 0; j < 32 / (size_t)bits; j++) {
            const int32_t q = (int32_t)(word >> (j * (size_t)bits) & mask);
            const int8_t *digit = bits == 4 ? bytes + j % 2 * 4 * DIGITS + j / 2 : bytes + j;
            for (size_t d = 0; d < DIGITS; d++) sums[d][l] += q * digit[4 * d];
          }
        }
      }
      for (size_t l = 0; l < lanes; l++) {
        const size_t o = first + n + l;
        const int32_t zero = zero_at(w, g, o);
        for (size_t d = 0; d < DIGITS; d++) sums[d][l] -= zero * spans->sums[d];
        const float high = (float)sums[0][l] * 65536;
        const float sum = high + (float)(sums[1][l] * 256 + sums[2][l]);
        const float scale = scale_at(w, g * w->outputs + o) * spans->step;
        const float part = scale * sum;
        out[n + l] += part;
      }
    }
  }
}

CLONES static void portable4(const ck_groups *w, const int32_t *digits,
                             const ck_span_of_digits *spans, size_t first, size_t count,
                             float *out) {
  portable(w, digits, spans, first, count, out, 4);
}

CLONES static void portable8(const ck_groups *w, const int32_t *digits,
                             const ck_span_of_digits *spans, size_t first, size_t count,
                             float *out) {
  portable(w, digits, spans, first, count, out, 8);
}

static void in_portable(const ck_groups *w, const int32_t *digits, const ck_span_of_digits *spans,
                        size_t first, size_t count, float *out) {
  (w->bits == 4 ? portable4 : portable8)(w, digits, spans, first, count, out);
}

#if defined(__x86_64__)

#define INLINE_FOR(TARGET) static inline __attribute__((always_inline, target(TARGET)))
#define WIDE "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,f16c,fma"
#define NARROW "avx2,f16c"

/// The zeros of 16 outputs.
INLINE_FOR(WIDE) __m512i zeros16(const ck_groups *w, size_t g, size_t o) {
  const char *start = (const char *)w->zeros + (g * zero_words(w) + o * (size_t)w->bits / 32) * 4;
  const __m512i one = _mm512_set1_epi32(1);
  if (w->bits == 8)
    return _mm512_add_epi32(_mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)start)), one);
  const __m512i both = _mm512_inserti64x4(_mm512_set1_epi32((int)word_at(start, 0)),
                                          _mm256_set1_epi32((int)word_at(start, 1)), 1);
  const __m512i shifts =
      _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const __m512i packed = _mm512_srlv_epi32(both, shifts);
  return _mm512_add_epi32(_mm512_and_si512(packed, _mm512_set1_epi32(15)), one);
}

/// Activations of several rows: what belongs to the first, and how far it is to the next.
typedef struct {
  const int32_t *digits;
  const ck_span_of_digits *spans;
  size_t digit_stride, span_stride;
} activations;

/// Adds a span to `out` for `vectors` times 16 outputs from `o` on and `lines` rows of activations,
/// which share the weights once they are unpacked.
INLINE_FOR(WIDE) void wide_span(const ck_groups *w, activations x, size_t g, size_t row, size_t rows,
                            size_t o, float *out, size_t out_stride, const size_t vectors,
                            const size_t lines, const int bits) {
  const size_t stride = w->outputs * 4;
  const char *words = (const char *)w->words + row * stride + o * 4;
  const int32_t *digits = x.digits;
  const __m512i low = _mm512_set1_epi32(0x0f0f0f0f);
  __m512i sums[4][4][DIGITS];
  UNROLLED (size_t v = 0; v < vectors; v++)
    UNROLLED (size_t m = 0; m < lines; m++)
      UNROLLED (size_t d = 0; d < DIGITS; d++) sums[v][m][d] = _mm512_setzero_si512();
  for (size_t r = 0; r < rows; r++, words += stride, digits += bits == 4 ? 6 : 3)
    UNROLLED (size_t v = 0; v < vectors; v++) {
      // The same outputs of the next span, which come next into the second cache.
      _mm_prefetch(words + rows * stride + v * 64, _MM_HINT_T1);
      const __m512i word = _mm512_loadu_si512(words + v * 64);
      const __m512i even = bits == 4 ? _mm512_and_si512(word, low) : word;
      const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(word, 4), low);
      UNROLLED (size_t m = 0; m < lines; m++) {
        const int32_t *line = digits + m * x.digit_stride;
        UNROLLED (size_t d = 0; d < DIGITS; d++) {
          sums[v][m][d] = _mm512_dpbusd_epi32(sums[v][m][d], even, _mm512_set1_epi32(line[d]));
          if (bits == 4)
            sums[v][m][d] =
                _mm512_dpbusd_epi32(sums[v][m][d], odd, _mm512_set1_epi32(line[DIGITS + d]));
        }
      }
    }
  UNROLLED (size_t v = 0; v < vectors; v++) {
    const size_t at = o + 16 * v;
    const __m512i zero = zeros16(w, g, at);
    const char *scales = (const char *)w->scales;
    const size_t place = g * w->outputs + at;
    const __m512 scale =
        w->scales_are_wide ? _mm512_loadu_ps(scales + place * 4)
                           : _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(scales + place * 2)));
    UNROLLED (size_t m = 0; m < lines; m++) {
      const ck_span_of_digits *span = x.spans + m * x.span_stride;
      // Zeros and the sums of digits fit 16 bits; a zero's upper half is empty.
      UNROLLED (size_t d = 0; d < DIGITS; d++)
        sums[v][m][d] = _mm512_sub_epi32(
            sums[v][m][d], _mm512_madd_epi16(zero, _mm512_set1_epi32(span->sums[d])));
      const __m512 high =
          _mm512_mul_ps(_mm512_cvtepi32_ps(sums[v][m][0]), _mm512_set1_ps(65536));
      const __m512 sum = _mm512_add_ps(
          high, _mm512_cvtepi32_ps(_mm512_add_epi32(_mm512_slli_epi32(sums[v][m][1], 8),
                                                    sums[v][m][2])));
      const __m512 factor = _mm512_mul_ps(scale, _mm512_set1_ps(span->step));
      float *target = out + m * out_stride + 16 * v;
      _mm512_storeu_ps(target,
                       _mm512_add_ps(_mm512_loadu_ps(target), _mm512_mul_ps(factor, sum)));
    }
  }
}

INLINE_FOR(WIDE) void wide(const ck_groups *w, activations x, size_t first, size_t count, float *out,
                       size_t out_stride, const size_t lines, const int bits) {
  // `count` is whole vectors here.
  for (size_t m = 0; m < lines; m++) memset(out + m * out_stride, 0, count * sizeof(float));
  const int32_t *digits = x.digits;
  const ck_span_of_digits *spans = x.spans;
  const size_t vectors = lines == 1 ? 4 : 2;
  FOR_EACH_SPAN {
    const activations here = {digits, spans, x.digit_stride, x.span_stride};
    size_t n = 0;
    for (; n + 16 * vectors <= count; n += 16 * vectors)
      wide_span(w, here, g, k / each, rows, first + n, out + n, out_stride, vectors, lines, bits);
    for (; n < count; n += 16)
      wide_span(w, here, g, k / each, rows, first + n, out + n, out_stride, 1, lines, bits);
  }
}

__attribute__((target(WIDE))) static void in_wide(const ck_groups *w, activations x, size_t lines,
                                                  size_t first, size_t count, float *out,
                                                  size_t out_stride) {
  while (lines > 0) {
    const size_t together = lines >= 4 ? 4 : 1;
    if (w->bits == 4 && together == 4) wide(w, x, first, count, out, out_stride, 4, 4);
    else if (w->bits == 4) wide(w, x, first, count, out, out_stride, 1, 4);
    else if (together == 4) wide(w, x, first, count, out, out_stride, 4, 8);
    else wide(w, x, first, count, out, out_stride, 1, 8);
    x.digits += together * x.digit_stride;
    x.spans += together * x.span_stride;
    out += together * out_stride;
    lines -= together;
  }
}

/// The zeros of 8 outputs of 4 bits.
INLINE_FOR(NARROW) __m256i zeros8(const ck_groups *w, size_t g, size_t o) {
  const __m256i word = _mm256_set1_epi32((int)word_at(w->zeros, g * zero_words(w) + o / 8));
  const __m256i packed = _mm256_srlv_epi32(word, _mm256_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28));
  return _mm256_add_epi32(_mm256_and_si256(packed, _mm256_set1_epi32(15)), _mm256_set1_epi32(1));
}

/// Adds a span to `out` for `vectors` times 8 outputs of 4 bits from `o` on.
INLINE_FOR(NARROW) void narrow_span(const ck_groups *w, const int32_t *digits,
                                const ck_span_of_digits *span, size_t g, size_t row, size_t rows,
                                size_t o, float *out, const size_t vectors) {
  const size_t stride = w->outputs * 4;
  const char *words = (const char *)w->words + row * stride + o * 4;
  const __m256i low = _mm256_set1_epi32(0x0f0f0f0f), ones = _mm256_set1_epi16(1);
  __m256i sums[2][DIGITS];
  UNROLLED (size_t v = 0; v < vectors; v++)
    UNROLLED (size_t d = 0; d < DIGITS; d++) sums[v][d] = _mm256_setzero_si256();
  for (size_t r = 0; r < rows;) {
    // Four rows' products fit 16 bits: each is at most 15 * 128, and two pairs of them meet.
    __m256i pairs[2][DIGITS];
    UNROLLED (size_t v = 0; v < vectors; v++)
      UNROLLED (size_t d = 0; d < DIGITS; d++) pairs[v][d] = _mm256_setzero_si256();
    for (const size_t stop = smaller(rows, r + 4); r < stop;
         r++, words += stride, digits += 2 * DIGITS)
      UNROLLED (size_t v = 0; v < vectors; v++) {
        _mm_prefetch(words + rows * stride + v * 32, _MM_HINT_T1);
        const __m256i word = _mm256_loadu_si256((const void *)(words + v * 32));
        const __m256i even = _mm256_and_si256(word, low);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(word, 4), low);
        UNROLLED (size_t d = 0; d < DIGITS; d++) {
          pairs[v][d] = _mm256_add_epi16(
              pairs[v][d], _mm256_maddubs_epi16(even, _mm256_set1_epi32(digits[d])));
          pairs[v][d] = _mm256_add_epi16(
              pairs[v][d], _mm256_maddubs_epi16(odd, _mm256_set1_epi32(digits[DIGITS + d])));
        }
      }
    UNROLLED (size_t v = 0; v < vectors; v++)
      UNROLLED (size_t d = 0; d < DIGITS; d++)
        sums[v][d] = _mm256_add_epi32(sums[v][d], _mm256_madd_epi16(pairs[v][d], ones));
  }
  UNROLLED (size_t v = 0; v < vectors; v++) {
    const size_t at = o + 8 * v;
    const __m256i zero = zeros8(w, g, at);
    UNROLLED (size_t d = 0; d < DIGITS; d++)
      sums[v][d] = _mm256_sub_epi32(
          sums[v][d], _mm256_madd_epi16(zero, _mm256_set1_epi32(span->sums[d])));
    const __m256 high = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[v][0]), _mm256_set1_ps(65536));
    const __m256 sum = _mm256_add_ps(
        high, _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_slli_epi32(sums[v][1], 8), sums[v][2])));
    const char *scales = (const char *)w->scales;
    const size_t place = g * w->outputs + at;
    __m256 scale = w->scales_are_wide
                       ? _mm256_loadu_ps((const float *)(const void *)(scales + place * 4))
                       : _mm256_cvtph_ps(_mm_loadu_si128((const void *)(scales + place * 2)));
    scale = _mm256_mul_ps(scale, _mm256_set1_ps(span->step));
    float *target = out + 8 * v;
    _mm256_storeu_ps(target,
                     _mm256_add_ps(_mm256_loadu_ps(target), _mm256_mul_ps(scale, sum)));
  }
}

__attribute__((target(NARROW))) static void in_narrow(const ck_groups *w, const int32_t *digits,
                                                      const ck_span_of_digits *spans, size_t first,
                                                      size_t count, float *out) {
  memset(out, 0, count * sizeof(float));
  FOR_EACH_SPAN {
    size_t n = 0;
    for (; n + 16 <= count; n += 16)
      narrow_span(w, digits, spans, g, k / each, rows, first + n, out + n, 2);
    for (; n < count; n += 8)
      narrow_span(w, digits, spans, g, k / each, rows, first + n, out + n, 1);
  }
}

#endif

int ck_quantized_path_is_available(ck_quantized_path path) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const int avx2 = __builtin_cpu_supports("x86-64-v3"), avx512 = __builtin_cpu_supports("x86-64-v4");
  switch (path) {
    case CK_QUANTIZED_VNNI: return avx512 && __builtin_cpu_supports("avx512vnni");
    case CK_QUANTIZED_AVX512: return avx512;
    case CK_QUANTIZED_AVX2: return avx2;
    case CK_QUANTIZED_PORTABLE: return 1;
  }
  return 0;
#else
  return path == CK_QUANTIZED_PORTABLE;
#endif
}

void ck_groups_multiply(const ck_groups *w, const int32_t *digits, size_t digit_stride,
                        const ck_span_of_digits *spans, size_t span_stride, size_t rows,
                        size_t first, size_t count, ck_quantized_path path, float *out,
                        size_t out_stride) {
  size_t done = 0;
#if defined(__x86_64__)
  if (path == CK_QUANTIZED_VNNI) {
    done = count / 16 * 16;
    in_wide(w, (activations){digits, spans, digit_stride, span_stride}, rows, first, done, out,
            out_stride);
  }
#endif
  for (size_t r = 0; r < rows; r++) {
    size_t begun = done;
#if defined(__x86_64__)
    if (path != CK_QUANTIZED_VNNI && path >= CK_QUANTIZED_AVX2 && w->bits == 4) {
      begun = count / 8 * 8;
      in_narrow(w, digits, spans, first, begun, out);
    }
#endif
    // Whole numbers are exact: what is left over gets the same bits here.
    if (begun < count) in_portable(w, digits, spans, first + begun, count - begun, out + begun);
    digits += digit_stride;
    spans += span_stride;
    out += out_stride;
  }
}
