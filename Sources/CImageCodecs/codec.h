#ifndef CODEC_H
#define CODEC_H

#include "CImageCodecs.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What the readers of the formats share. Each has two functions of these types.

typedef ci_status read_header(const ci_source *source, ci_header *header, ci_failure *failure);
typedef ci_status decode(const ci_source *source, ci_canvas *canvas, ci_failure *failure);

read_header png_header, jpeg_header, webp_header, tiff_header, gif_header, bmp_header, avif_header,
    heif_header, jpeg2000_header;
decode png_decode, jpeg_decode, webp_decode, tiff_decode, gif_decode, bmp_decode, avif_decode,
    heif_decode, jpeg2000_decode;

/// A library that is opened when a picture first needs it: together they would more than double the
/// time that every start of the program takes.
typedef struct {
  const char *file;
  void *handle;
} library;

/// What such a library takes for itself, at most.
enum { LIBRARY_BYTES = 4 << 20 };

/// The address of a function; null where the library or the function is not there.
void *library_symbol(library *library, const char *name);

/// Whether all of `names` are there, which ends with null; otherwise the failure says what is not.
int library_opens(library *library, const char *const *names, ci_failure *failure);

static inline ci_status failed(ci_failure *failure, ci_status status, const char *format, ...) {
  va_list words;
  va_start(words, format);
  vsnprintf(failure->message, sizeof failure->message, format, words);
  va_end(words);
  return status;
}

static inline int is_stopped(const ci_source *source) {
  return source->is_stopped != NULL && source->is_stopped(source->context);
}

static inline uint32_t little16(const uint8_t *bytes) { return bytes[0] | (uint32_t)bytes[1] << 8; }

static inline uint32_t little32(const uint8_t *bytes) {
  return little16(bytes) | little16(bytes + 2) << 16;
}

static inline uint8_t clip8(int level) {
  return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

/// A product of two levels over 255, as Pillow rounds it.
static inline uint8_t over255(int level, int weight) {
  const int product = level * weight + 128;
  return (uint8_t)(((product >> 8) + product) >> 8);
}

/// Four inks, 0 for none, to light, as Pillow converts CMYK.
static inline void inks_to_light(const uint8_t *inks, uint8_t *rgb) {
  const int white = 255 - inks[3];
  for (int channel = 0; channel < 3; channel++) {
    rgb[channel] = clip8(white - over255(inks[channel], white));
  }
}

/// Luma and chroma to light as Pillow converts YCbCr: with six bits of fraction, halves rounded up
/// and the rest of numbers below zero cut off.
static inline void chroma_to_light(const uint8_t *in, uint8_t *rgb) {
  const int blue = in[1] - 128, red = in[2] - 128;
  rgb[0] = clip8(in[0] + ((int)(1.402 * 64 * red + 0.5) >> 6));
  rgb[1] = clip8(in[0] + (((int)(-0.34414 * 64 * blue + 0.5) + (int)(-0.71414 * 64 * red + 0.5)) >> 6));
  rgb[2] = clip8(in[0] + ((int)(1.772 * 64 * blue + 0.5) >> 6));
}

/// `in`[count, 4] to colours and alpha.
static inline void split_alpha(const uint8_t *in, size_t count, uint8_t *rgb, uint8_t *alpha) {
  for (size_t pixel = 0; pixel < count; pixel++) {
    memcpy(rgb + 3 * pixel, in + 4 * pixel, 3);
    alpha[pixel] = in[4 * pixel + 3];
  }
}

/// Colours to those weighted by alpha, as Pillow does before it takes means of them.
static inline void premultiply(uint8_t *rgb, const uint8_t *alpha, size_t count) {
  for (size_t place = 0; place < count * 3; place++) rgb[place] = over255(rgb[place], alpha[place / 3]);
}

/// Colours that were weighted by alpha to those that were meant, as Pillow does.
static inline void undo_premultiplying(uint8_t *rgb, const uint8_t *alpha, size_t count) {
  for (size_t place = 0; place < count * 3; place++) {
    const uint32_t weight = alpha[place / 3];
    const uint32_t level = weight == 0 || weight == 255 ? rgb[place] : 255u * rgb[place] / weight;
    rgb[place] = (uint8_t)(level > 255 ? 255 : level);
  }
}

/// The samples from a pixel on; null where none are kept.
static inline uint8_t *samples_from(const ci_canvas *canvas, size_t pixel) {
  return canvas->samples == NULL ? NULL : canvas->samples + 4 * pixel;
}

/// Resamples samples of 32 bits, numbers or floats as `mode` says. `ci_nearest` is `ci_unsupported`.
ci_status resize_numbers(const uint32_t *in, ci_size from, uint32_t *out, ci_size to,
                         ci_filter filter, ci_mode mode);

static inline void repeat_grey(uint8_t level, uint8_t *rgb) { rgb[0] = rgb[1] = rgb[2] = level; }

#endif
